package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log"
	"strconv"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func parseTilePath(in [][]byte) ([]string, bool) {
	t, err := tlog.ParseTilePath(string(in[0]))
	return []string{fmt.Sprint(t.H), fmt.Sprint(t.L), fmt.Sprint(t.N), fmt.Sprint(t.W)}, err == nil
}

func newVerifier(in [][]byte) ([]string, bool) {
	v, err := note.NewVerifier(string(in[0]))
	if err != nil {
		return nil, false
	}
	return []string{v.Name(), fmt.Sprintf("%08x", v.KeyHash())}, true
}

// openNote takes a note and then verifier keys. It gives the text, then the signatures, the verified ones first.
func openNote(in [][]byte) ([]string, bool) {
	var known []note.Verifier
	for _, key := range in[1:] {
		v, err := note.NewVerifier(string(key))
		if err != nil {
			log.Fatal(err)
		}
		known = append(known, v)
	}
	n, err := note.Open(in[0], note.VerifierList(known...))
	if err != nil {
		return nil, false
	}
	out := []string{base64.StdEncoding.EncodeToString([]byte(n.Text))}
	for _, sig := range n.Sigs {
		out = append(out, fmt.Sprintf("verified %s %08x %s", sig.Name, sig.Hash, sig.Base64))
	}
	for _, sig := range n.UnverifiedSigs {
		out = append(out, fmt.Sprintf("unverified %s %08x %s", sig.Name, sig.Hash, sig.Base64))
	}
	return out, true
}

// signNote takes a signer key and a text, and says too whether the signed note can be opened by an empty list of keys
// as far as its form goes.
func signNote(in [][]byte) ([]string, bool) {
	s, err := note.NewSigner(string(in[0]))
	if err != nil {
		return nil, false
	}
	msg, err := note.Sign(&note.Note{Text: string(in[1])}, s)
	if err != nil {
		return nil, false
	}
	_, err = note.Open(msg, nil)
	_, wellFormed := err.(*note.UnverifiedNoteError)
	return []string{base64.StdEncoding.EncodeToString(msg), fmt.Sprint(wellFormed)}, true
}

func parseTree(in [][]byte) ([]string, bool) {
	t, err := tlog.ParseTree(in[0])
	return []string{fmt.Sprint(t.N), t.Hash.String()}, err == nil
}

func parseRecord(in [][]byte) ([]string, bool) {
	id, text, rest, err := tlog.ParseRecord(in[0])
	return []string{fmt.Sprint(id), base64.StdEncoding.EncodeToString(text), base64.StdEncoding.EncodeToString(rest)}, err == nil
}

func formatRecord(in [][]byte) ([]string, bool) {
	msg, err := tlog.FormatRecord(number(in[0]), in[1])
	return []string{base64.StdEncoding.EncodeToString(msg)}, err == nil
}

func recordHash(in [][]byte) ([]string, bool) {
	return []string{tlog.RecordHash(in[0]).String()}, true
}

// The tree that proofs are made in: record i is "i\n".
const treeSize = 700

type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		hashes[i] = s[x]
	}
	return hashes, nil
}

var tree = func() (s storage) {
	for i := range int64(treeSize) {
		hashes, err := tlog.StoredHashes(i, fmt.Appendf(nil, "%d\n", i), s)
		if err != nil {
			log.Fatal(err)
		}
		s = append(s, hashes...)
	}
	return s
}()

func treeHash(in [][]byte) ([]string, bool) {
	h, err := tlog.TreeHash(number(in[0]), tree)
	return []string{h.String()}, err == nil
}

func proveRecord(in [][]byte) ([]string, bool) {
	p, err := tlog.ProveRecord(number(in[0]), number(in[1]), tree)
	return hexOf(p), err == nil
}

func proveTree(in [][]byte) ([]string, bool) {
	p, err := tlog.ProveTree(number(in[0]), number(in[1]), tree)
	return hexOf(p), err == nil
}

// checkRecord takes proof, size, root, id and leaf.
func checkRecord(in [][]byte) ([]string, bool) {
	return nil, tlog.CheckRecord(hashes(in[0]), number(in[1]), tlog.Hash(in[2]), number(in[3]), tlog.Hash(in[4])) == nil
}

// checkTree takes proof, size, root, old size and old root.
func checkTree(in [][]byte) ([]string, bool) {
	return nil, tlog.CheckTree(hashes(in[0]), number(in[1]), tlog.Hash(in[2]), number(in[3]), tlog.Hash(in[4])) == nil
}

func number(text []byte) int64 {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	return n
}

func hashes(data []byte) (list []tlog.Hash) {
	for ; len(data) > 0; data = data[tlog.HashSize:] {
		list = append(list, tlog.Hash(data[:tlog.HashSize]))
	}
	return list
}

func hexOf(list []tlog.Hash) []string {
	text := ""
	for _, h := range list {
		text += hex.EncodeToString(h[:])
	}
	return []string{text}
}
