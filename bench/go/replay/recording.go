package main

import (
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

const (
	hashSize  = 32
	tileWidth = 256
)

// A recording is a database's answers by path, with a slash in front.
type recording struct {
	answers map[string][]byte
	// tiles has the widest recorded bytes of each hash tile, by its path without a width.
	tiles map[string][]byte
}

// loadRecording reads all files of a folder.
func loadRecording(folder string) (*recording, error) {
	r := &recording{answers: map[string][]byte{}, tiles: map[string][]byte{}}
	files := os.DirFS(folder)
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		name = path.Join("/", name)
		if tile, _, ok := parseTile(name); ok {
			if len(data) > len(r.tiles[tile]) {
				r.tiles[tile] = data
			}
		} else {
			r.answers[name] = data
		}
		return nil
	})
	return r, err
}

// read gives the answer to a request. A client that goes through the older heads in the recorded lookups asks for edges
// of smaller trees: the beginning of a tile is the same tile in the smaller tree.
func (r *recording) read(name string) ([]byte, bool) {
	tile, width, ok := parseTile(name)
	if !ok {
		data, ok := r.answers[name]
		return data, ok
	}
	data := r.tiles[tile]
	if len(data) < width*hashSize {
		return nil, false
	}
	return data[:width*hashSize], true
}

// parseTile splits the path of a hash tile into that of the full tile, and the width.
func parseTile(name string) (tile string, width int, ok bool) {
	if !strings.HasPrefix(name, "/tile/8/") || strings.HasPrefix(name, "/tile/8/data/") {
		return "", 0, false
	}
	tile, partial, isPartial := strings.Cut(name, ".p/")
	if !isPartial {
		return tile, tileWidth, true
	}
	width, err := strconv.Atoi(partial)
	return tile, width, err == nil && width > 0 && width < tileWidth
}
