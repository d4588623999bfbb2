// Server serves a recorded checksum database by x/mod's own sumdb.NewServer, with all of it in memory.
//
//	server [-cert FILE -key FILE] FOLDER
//
// The folder has the layout of a database's URLs. What it has of tiles is held as bytes that are ready to be sent, and a
// partial tile is cut from the full one: less work than TestServer of x/mod makes of it, which puts each tile together from
// its hashes under a lock. It prints "listening on http://127.0.0.1:PORT", and ends with its standard input.
//
// With a certificate it serves https with HTTP/2, and for each line on its standard input prints how many requests there
// were since the one before, as {"requests":N}.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"example.com/bench/internal/tally"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/tlog"
)

type database struct {
	latest  []byte
	ids     map[module.Version]int64
	records map[int64][]byte
	tiles   map[tlog.Tile][]byte
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("server: ")
	cert := flag.String("cert", "", "certificate, PEM: serve https")
	key := flag.String("key", "", "its private key, PEM")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("want FOLDER")
	}
	db, err := load(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	server := sumdb.NewServer(db)
	for _, path := range sumdb.ServerPaths {
		mux.Handle(path, server)
	}
	if *cert == "" {
		go func() { log.Fatal(http.Serve(listener, mux)) }()
		fmt.Printf("listening on http://%s\n", listener.Addr())
		io.Copy(io.Discard, os.Stdin)
		return
	}
	var requests atomic.Int64
	counting := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		mux.ServeHTTP(w, r)
	})
	// A client that ends with connections on the way is no news.
	https := &http.Server{Handler: counting, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { log.Fatal(https.ServeTLS(listener, *cert, *key)) }()
	fmt.Printf("listening on https://%s\n", listener.Addr())
	taken := func() any { return map[string]int64{"requests": requests.Swap(0)} }
	tally.Answer(&tally.Connections{}, taken)
}

func load(folder string) (*database, error) {
	db := &database{ids: map[module.Version]int64{}, records: map[int64][]byte{}, tiles: map[tlog.Tile][]byte{}}
	err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return db.add(filepath.ToSlash(relative), data)
	})
	return db, err
}

func (db *database) add(path string, data []byte) error {
	switch {
	case path == "latest":
		db.latest = data
	case strings.HasPrefix(path, "tile/"):
		tile, err := tlog.ParseTilePath(path)
		if err != nil {
			return err
		}
		db.tiles[whole(tile)] = data
	case strings.HasPrefix(path, "lookup/"):
		id, text, _, err := tlog.ParseRecord(data)
		if err != nil {
			return err
		}
		line, _, _ := bytes.Cut(text, []byte("\n"))
		fields := strings.Fields(string(line))
		db.ids[module.Version{Path: fields[0], Version: fields[1]}] = id
		db.records[id] = text
	}
	return nil
}

func whole(tile tlog.Tile) tlog.Tile {
	tile.W = 1 << tile.H
	return tile
}

func (db *database) Signed(context.Context) ([]byte, error) {
	return db.latest, nil
}

func (db *database) ReadRecords(_ context.Context, id, n int64) ([][]byte, error) {
	var texts [][]byte
	for i := id; i < id+n; i++ {
		text, ok := db.records[i]
		if !ok {
			return nil, fs.ErrNotExist
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func (db *database) Lookup(_ context.Context, m module.Version) (int64, error) {
	id, ok := db.ids[m]
	if !ok {
		return 0, fs.ErrNotExist
	}
	return id, nil
}

func (db *database) ReadTileData(_ context.Context, tile tlog.Tile) ([]byte, error) {
	data := db.tiles[whole(tile)]
	if len(data) < tile.W*tlog.HashSize {
		return nil, fs.ErrNotExist
	}
	return data[:tile.W*tlog.HashSize], nil
}
