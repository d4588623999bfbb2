// Relay passes connections on to a server on loopback, with the round trips of a network charged, and counts them. It
// looks into nothing, so that any server can be behind it, whatever it speaks.
//
//	relay -to 127.0.0.1:PORT [-rtt 100ms]
//
// It prints "listening on 127.0.0.1:PORT". For each line on its standard input it prints, as a line of JSON, what was
// counted since the one before; it ends with its standard input.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"

	"example.com/bench/internal/far"
	"example.com/bench/internal/tally"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("relay: ")
	to := flag.String("to", "", "address of the server")
	rtt := flag.Duration("rtt", 0, "round trip to charge")
	flag.Parse()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	counts := &counter{rtt: *rtt}
	go func() {
		wire := &far.Listener{Listener: &countingListener{listener, counts}, RTT: *rtt}
		for {
			client, err := wire.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go pass(client, *to)
		}
	}()
	fmt.Printf("listening on %s\n", listener.Addr())

	tally.Answer(&counts.connections, func() any { return counts.take() })
}

// pass carries bytes both ways until either side ends.
func pass(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		log.Print(err)
		return
	}
	go func() {
		io.Copy(server, client)
		server.Close()
	}()
	io.Copy(client, server)
}
