// Package tally says what a program has counted, to whoever has started it.
package tally

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sync/atomic"
	"time"
)

// patience is how long Answer waits for connections to be closed.
const patience = 5 * time.Second

// Connections counts those that come and go. The zero value has seen none.
type Connections struct {
	came, open atomic.Int64
}

// Came is told of one that a client has opened.
func (c *Connections) Came() {
	c.came.Add(1)
	c.open.Add(1)
}

// Went is told of one that is closed.
func (c *Connections) Went() {
	c.open.Add(-1)
}

// Take gives how many came since it was last called.
func (c *Connections) Take() int {
	return int(c.came.Swap(0))
}

// Answer prints what take gives, as a line of JSON, for each line on standard input, and returns at its end. Before that
// it waits until no connection is open: what a client left on the way does not cost the next one.
func Answer(connections *Connections, take func() any) {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		for end := time.Now().Add(patience); connections.open.Load() > 0 && time.Now().Before(end); {
			time.Sleep(2 * time.Millisecond)
		}
		line, err := json.Marshal(take())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", line)
	}
}
