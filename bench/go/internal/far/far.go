// Package far makes loopback as far away as a network.
package far

import (
	"net"
	"time"
)

// A Listener makes loopback as far away as a round trip says. Bytes take half of it each way, in their order, and a
// connection stands one round trip after it was asked for. So TLS 1.3 costs one more by itself, each answer one, and
// flow control what it costs in a network. Bandwidth is without limit, and TCP does not start slowly.
type Listener struct {
	net.Listener
	RTT time.Duration
}

func (l *Listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil || l.RTT == 0 {
		return conn, err
	}
	// The client's system says at once that it is connected: what it then sends has waited for that in a network.
	connected := time.Now().Add(l.RTT)
	near, far := net.Pipe()
	go carry(far, conn, l.RTT/2, connected)
	go carry(conn, far, l.RTT/2, connected)
	return near, nil
}

// A packet is bytes on their way.
type packet struct {
	bytes []byte
	due   time.Time
}

// carry brings what is read from one side to the other, each time later by delay; nothing is sent before connected.
func carry(to, from net.Conn, delay time.Duration, connected time.Time) {
	way := make(chan packet, 4096)
	go func() {
		defer close(way)
		for {
			buffer := make([]byte, 32<<10)
			n, err := from.Read(buffer)
			sent := time.Now()
			if sent.Before(connected) {
				sent = connected
			}
			if n > 0 {
				way <- packet{buffer[:n], sent.Add(delay)}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range way {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.bytes); err != nil {
			from.Close()
			break
		}
	}
	to.Close()
	for range way { // the reader must not wait for us
	}
}
