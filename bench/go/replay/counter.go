package main

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"example.com/bench/internal/tally"
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
	connections tally.Connections

	mu  sync.Mutex
	now counts
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
	switch state {
	case http.StateNew:
		c.connections.Came()
	case http.StateClosed:
		c.connections.Went()
	}
}

// take gives the counts and begins anew.
func (c *counter) take() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.now
	taken.Connections = c.connections.Take()
	slices.Sort(taken.Unanswered)
	taken.Unanswered = append([]string{}, slices.Compact(taken.Unanswered)...)
	c.now = counts{}
	return taken
}
