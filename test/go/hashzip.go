package main

import (
	"log"
	"os"
	"path/filepath"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// hashZipFile takes the path of a zip, a module path and a version. It gives the h1, and then what CheckZip says against the
// zip: a text that is empty where it takes it.
func hashZipFile(in [][]byte) ([]string, bool) {
	path := string(in[0])
	verdict := ""
	if _, err := zip.CheckZip(module.Version{Path: string(in[1]), Version: string(in[2])}, path); err != nil {
		verdict = err.Error()
	}
	h1, err := dirhash.HashZip(path, dirhash.Hash1)
	if err != nil {
		return []string{err.Error(), verdict}, false
	}
	return []string{h1, verdict}, true
}

// hashZipBytes is hashZipFile of a zip that is given itself.
func hashZipBytes(in [][]byte) ([]string, bool) {
	folder, err := os.MkdirTemp("", "gosumcheck-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "module.zip")
	if err := os.WriteFile(path, in[0], 0o600); err != nil {
		log.Fatal(err)
	}
	return hashZipFile([][]byte{[]byte(path), in[1], in[2]})
}
