// Answers what Go's own parsers make of an input: one JSON question a line on stdin, one JSON answer a line on stdout.
// The questions come from test/differential.test.ts, which holds the answers against those of the TypeScript core.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
)

// A question: the name of an operation, and its inputs (base64 in JSON).
type question struct {
	Op string   `json:"op"`
	In [][]byte `json:"in"`
}

// An answer: whether Go takes the input, and what it reads in it.
type answer struct {
	OK  bool     `json:"ok"`
	Out []string `json:"out"`
}

// An operation gives what it read, and false where it refuses the input.
type operation func(in [][]byte) (out []string, ok bool)

var operations = map[string]operation{
	"path":            escapePath,
	"unescapePath":    unescapePath,
	"version":         canonicalVersion,
	"escapeVersion":   escapeVersion,
	"unescapeVersion": unescapeVersion,
	"compare":         compareVersions,
	"glob":            matchGlob,
	"patterns":        matchPatterns,
	"gosum":           readGoSum,
	"h1":              hashFiles,
	"hashDir":         hashDir,
	"hashZip":         hashZipBytes,
	"hashZipFile":     hashZipFile,
	"checkZip":        checkZip,
	"characters":      describeCharacters,
	"tilePath":        parseTilePath,
	"verifierKey":     newVerifier,
	"note":            openNote,
	"sign":            signNote,
	"treeHead":        parseTree,
	"lookup":          parseRecord,
	"record":          formatRecord,
	"recordHash":      recordHash,
	"treeHash":        treeHash,
	"proveRecord":     proveRecord,
	"proveTree":       proveTree,
	"checkRecord":     checkRecord,
	"checkTree":       checkTree,
	"bulk":            openBulk,
	"client":          askDatabase,
}

func main() {
	log.SetFlags(0)
	questions := json.NewDecoder(bufio.NewReader(os.Stdin))
	writer := bufio.NewWriter(os.Stdout)
	answers := json.NewEncoder(writer)
	for questions.More() {
		var q question
		if err := questions.Decode(&q); err != nil {
			log.Fatal(err)
		}
		op := operations[q.Op]
		if op == nil {
			log.Fatalf("no operation %q", q.Op)
		}
		out, ok := op(q.In)
		if out == nil {
			out = []string{}
		}
		if err := answers.Encode(answer{ok, out}); err != nil {
			log.Fatal(err)
		}
	}
	if err := writer.Flush(); err != nil {
		log.Fatal(err)
	}
}
