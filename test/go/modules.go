package main

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
)

func escapePath(in [][]byte) ([]string, bool) {
	escaped, err := module.EscapePath(string(in[0]))
	return []string{escaped}, err == nil
}

func unescapePath(in [][]byte) ([]string, bool) {
	unescaped, err := module.UnescapePath(string(in[0]))
	return []string{unescaped}, err == nil
}

func canonicalVersion(in [][]byte) ([]string, bool) {
	v := string(in[0])
	return []string{module.CanonicalVersion(v)}, semver.IsValid(v)
}

// escapeVersion gives the canonical version too, so that the caller can tell lenient answers.
func escapeVersion(in [][]byte) ([]string, bool) {
	v := string(in[0])
	escaped, err := module.EscapeVersion(v)
	return []string{escaped, module.CanonicalVersion(v)}, err == nil
}

// unescapeVersion gives the canonical version too.
func unescapeVersion(in [][]byte) ([]string, bool) {
	v, err := module.UnescapeVersion(string(in[0]))
	return []string{v, module.CanonicalVersion(v)}, err == nil
}

func compareVersions(in [][]byte) ([]string, bool) {
	return []string{fmt.Sprint(semver.Compare(string(in[0]), string(in[1])))}, true
}

func matchGlob(in [][]byte) ([]string, bool) {
	matched, err := path.Match(string(in[0]), string(in[1]))
	return nil, matched && err == nil
}

func matchPatterns(in [][]byte) ([]string, bool) {
	return nil, module.MatchPrefixPatterns(string(in[0]), string(in[1]))
}

// The hash of an empty go.mod; cmd/go drops lines that have it.
const emptyGoMod = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY="

// readGoSum reads a go.sum file as cmd/go/internal/modfetch does, whose own function is internal to it.
// Of each line it says number, path, version, hash, and whether path and version are such as a database can have.
func readGoSum(in [][]byte) ([]string, bool) {
	out := []string{}
	for i, line := range bytes.Split(in[0], []byte("\n")) {
		f := strings.Fields(string(line))
		switch {
		case len(f) == 0:
		case len(f) != 3:
			return nil, false
		case f[2] == emptyGoMod:
			out = append(out, fmt.Sprintf("%d dropped", i+1))
		default:
			v := strings.TrimSuffix(f[1], "/go.mod")
			canonical := v != "" && v == module.CanonicalVersion(v)
			out = append(out, fmt.Sprintf("%d %s %s %s %v %v", i+1, f[0], f[1], f[2], module.CheckPath(f[0]) == nil, canonical))
		}
	}
	return out, true
}

// hashFiles takes names and contents in turn.
func hashFiles(in [][]byte) ([]string, bool) {
	var names []string
	contents := make(map[string][]byte)
	for i := 0; i < len(in); i += 2 {
		names = append(names, string(in[i]))
		contents[string(in[i])] = in[i+1]
	}
	h1, err := dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(contents[name])), nil
	})
	return []string{h1}, err == nil
}

// hashDir takes a folder, and the prefix of its names.
func hashDir(in [][]byte) ([]string, bool) {
	h1, err := dirhash.HashDir(string(in[0]), string(in[1]), dirhash.Hash1)
	return []string{h1}, err == nil
}
