// Clock runs a command and writes to a file how long it took: the whole process, from its start to its end, and the
// processor's time in it, which other work on the machine disturbs less, and the most memory that it had.
//
//	clock FILE COMMAND [ARGUMENT...]
//
// The command has clock's own standard input, output and error, and clock ends with its exit code.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("clock: ")
	if len(os.Args) < 3 {
		log.Fatal("want FILE COMMAND [ARGUMENT...]")
	}
	ended, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command := exec.CommandContext(ended, os.Args[2], os.Args[3:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr

	start := time.Now()
	err := command.Run()
	took := time.Since(start)
	state := command.ProcessState
	if state == nil {
		log.Fatal(err)
	}
	times, err := json.Marshal(map[string]float64{
		"ms":    milliseconds(took),
		"cpuMs": milliseconds(state.UserTime() + state.SystemTime()),
		"peak":  peak(state),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], times, 0o666); err != nil {
		log.Fatal(err)
	}
	os.Exit(state.ExitCode())
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
