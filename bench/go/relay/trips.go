package main

import (
	"net"
	"sync"
	"time"

	"example.com/bench/internal/tally"
)

// counts is what went over the wire.
type counts struct {
	// Connections that a client opened.
	Connections int `json:"connections"`
	// Trips is the longest chain of round trips, over all connections: each begins with bytes that the client sent after
	// it had the answer of the one before, and ends with bytes that came a round trip later at least. The first two are
	// the connection and its TLS handshake.
	Trips int `json:"trips"`
}

// A counter sees bytes where the client does: when they leave it, and when they reach it.
type counter struct {
	rtt         time.Duration
	connections tally.Connections

	mu sync.Mutex
	// heard is the length of the chain that the client has the end of.
	heard int
}

// A trip is begun by bytes of the client.
type trip struct {
	begun time.Time
	// number in the chain, from 1
	number int
}

type countingListener struct {
	net.Listener
	counter *counter
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := l.counter
	c.connections.Came()
	c.mu.Lock()
	defer c.mu.Unlock()
	// What is sent first has waited for the connection, which was a trip by itself.
	return &countingConn{Conn: conn, counter: c, stands: trip{time.Now().Add(c.rtt), c.heard + 1}}, nil
}

// A countingConn is read and written by one goroutine each.
type countingConn struct {
	net.Conn
	counter *counter
	stands  trip
	// under way, by the counter's lock: trips that no answer can be of yet, and the last one that has been answerable
	begun    []trip
	answered int
	close    sync.Once
}

// Read sees bytes leave the client.
func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.counter.mu.Lock()
		next := trip{time.Now(), max(c.counter.heard, c.stands.number) + 1}
		if next.begun.Before(c.stands.begun) {
			next.begun = c.stands.begun
		}
		if len(c.begun) == 0 || c.begun[len(c.begun)-1].number < next.number {
			c.begun = append(c.begun, next)
		}
		c.counter.mu.Unlock()
	}
	return n, err
}

// Write sees bytes reach the client: those answer what was sent a round trip ago.
func (c *countingConn) Write(b []byte) (int, error) {
	c.counter.mu.Lock()
	for sent := time.Now().Add(-c.counter.rtt); len(c.begun) > 0 && !c.begun[0].begun.After(sent); c.begun = c.begun[1:] {
		c.answered = c.begun[0].number
	}
	c.counter.heard = max(c.counter.heard, c.answered)
	c.counter.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *countingConn) Close() error {
	c.close.Do(c.counter.connections.Went)
	return c.Conn.Close()
}

// take gives the counts and begins anew.
func (c *counter) take() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := counts{c.connections.Take(), c.heard}
	c.heard = 0
	return taken
}
