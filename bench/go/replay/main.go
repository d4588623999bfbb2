// Replay serves a recording of a checksum database from loopback over TLS, with the round trips of a network charged,
// and counts what it is asked. It is a process of its own, and holds all answers in memory, so that it is not what is
// measured.
//
// It prints "listening on https://127.0.0.1:PORT". For each line on its standard input it prints, as a line of JSON,
// what was counted since the one before; it ends with its standard input.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"example.com/bench/internal/far"
	"example.com/bench/internal/tally"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("replay: ")
	folder := flag.String("recording", "", "folder of the recorded database: latest, lookup, tile")
	cert := flag.String("cert", "", "certificate, PEM")
	key := flag.String("key", "", "its private key, PEM")
	protocol := flag.String("protocol", "h2", "what TLS agrees on: h2 or http/1.1")
	rtt := flag.Duration("rtt", 0, "round trip to charge")
	streams := flag.Int("streams", 100, "requests at a time on one connection of HTTP/2")
	flag.Parse()

	answers, err := loadRecording(*folder)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	counts := &counter{}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(*protocol == "http/1.1")
	protocols.SetHTTP2(*protocol == "h2")
	server := &http.Server{
		Handler:   handler(answers, counts),
		Protocols: protocols,
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: *streams},
		ConnState: counts.connection,
		// A client that ends with connections on the way is no news.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() {
		log.Fatal(server.ServeTLS(&far.Listener{Listener: listener, RTT: *rtt}, *cert, *key))
	}()
	fmt.Printf("listening on https://%s\n", listener.Addr())

	tally.Answer(&counts.connections, func() any { return counts.take() })
}

// handler answers from the recording. What is not in it is counted as such, and is a 404.
func handler(answers *recording, counts *counter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers.read(r.URL.Path)
		counts.request(r.URL.Path, ok)
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	})
}
