// Package tally says what a program has counted, to whoever has started it.
package tally

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"
)

// patience is how long Answer waits for connections to be closed.
const patience = 5 * time.Second

// Answer prints what take gives, as a line of JSON, for each line on standard input, and returns at its end. Before that
// it waits until no connection is open: what a client left on the way does not cost the next one.
func Answer(open func() int, take func() any) {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		for end := time.Now().Add(patience); open() > 0 && time.Now().Before(end); {
			time.Sleep(2 * time.Millisecond)
		}
		line, err := json.Marshal(take())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", line)
	}
}
