package main

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// counts is what the server was asked.
type counts struct {
	Requests int `json:"requests"`
	Lookups  int `json:"lookups"`
	Latest   int `json:"latest"`
	// Connections that a client opened.
	Connections int `json:"connections"`
	// Unanswered are the paths that are not in the recording.
	Unanswered []string `json:"unanswered"`
}

type counter struct {
	mu   sync.Mutex
	now  counts
	open int
}

func (c *counter) request(path string, answered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Requests++
	switch {
	case strings.HasPrefix(path, "/lookup/"):
		c.now.Lookups++
	case path == "/latest":
		c.now.Latest++
	}
	if !answered {
		c.now.Unanswered = append(c.now.Unanswered, path)
	}
}

// connection is told by the server when a connection comes and goes.
func (c *counter) connection(_ net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.now.Connections++
		c.open++
	case http.StateClosed:
		c.open--
	}
}

// settle waits until all connections are closed: what a client left on the way does not cost the next one.
func (c *counter) settle(patience time.Duration) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		c.mu.Lock()
		open := c.open
		c.mu.Unlock()
		if open == 0 {
			return
		}
	}
}

// take gives the counts and begins anew.
func (c *counter) take() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.now
	slices.Sort(taken.Unanswered)
	taken.Unanswered = append([]string{}, slices.Compact(taken.Unanswered)...)
	c.now = counts{}
	return taken
}
