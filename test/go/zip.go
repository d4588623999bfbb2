package main

import (
	archive "archive/zip"
	"log"
	"os"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// checkZip takes a module path, a version, and then names of entries and their declared sizes in turn. The entries are
// empty: CheckZip looks at the zip's directory alone.
func checkZip(in [][]byte) ([]string, bool) {
	file, err := os.CreateTemp("", "gosumcheck-*.zip")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	w := archive.NewWriter(file)
	for i := 2; i < len(in); i += 2 {
		size, err := strconv.ParseUint(string(in[i+1]), 10, 64)
		if err != nil {
			log.Fatal(err)
		}
		// the writer of a raw entry takes any name and size
		if _, err := w.CreateRaw(&archive.FileHeader{Name: string(in[i]), UncompressedSize64: size}); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	_, err = zip.CheckZip(module.Version{Path: string(in[0]), Version: string(in[1])}, file.Name())
	return nil, err == nil
}

// describeCharacters takes the first and the last of a run of code points, and gives a text for each: whether it is a letter,
// and of the letters that differ from it in case alone the least. It refuses where Go's Unicode is not the one that is wanted.
func describeCharacters(in [][]byte) ([]string, bool) {
	if unicode.Version != string(in[0]) {
		return nil, false
	}
	first, err1 := strconv.Atoi(string(in[1]))
	last, err2 := strconv.Atoi(string(in[2]))
	if err1 != nil || err2 != nil {
		log.Fatal(err1, err2)
	}
	var out strings.Builder
	for r := rune(first); r <= rune(last); r++ {
		if !unicode.IsLetter(r) {
			continue
		}
		least := r
		for q := unicode.SimpleFold(r); q != r; q = unicode.SimpleFold(q) {
			if unicode.IsLetter(q) {
				least = min(least, q)
			}
		}
		out.WriteString(strconv.Itoa(int(r)) + ":" + strconv.Itoa(int(least)) + " ")
	}
	return []string{out.String()}, true
}
