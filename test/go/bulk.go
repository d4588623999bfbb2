package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A check of bulk proofs, written from docs/bulk.md alone, of x/mod's hashes and signatures.

type refused struct{}

func require(ok bool) {
	if !ok {
		panic(refused{})
	}
}

// A reader takes lines and counted bytes off the front.
type reader []byte

func (r *reader) line() string {
	line, rest, found := bytes.Cut(*r, []byte("\n"))
	require(found)
	*r = rest
	return string(line)
}

func (r *reader) take(n int64) []byte {
	require(n <= int64(len(*r)))
	taken := (*r)[:n]
	*r = (*r)[n:]
	return taken
}

func (r *reader) count(word string) int64 {
	text, found := strings.CutPrefix(r.line(), word+" ")
	require(found)
	return count(text)
}

func count(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	require(err == nil && n >= 0 && n < 1<<53 && strconv.FormatInt(n, 10) == text)
	return n
}

func openTree(msg []byte, key note.Verifier) tlog.Tree {
	n, err := note.Open(msg, note.VerifierList(key))
	require(err == nil)
	tree, err := tlog.ParseTree([]byte(n.Text))
	require(err == nil)
	return tree
}

var (
	missingLine = regexp.MustCompile(`^([^ ]+ [^ ]+) [45][0-9][0-9]$`)
	recordLine  = regexp.MustCompile(`(?m)^([^ \n]+ [^ \n]+?)(/go\.mod)? h1:`)
)

// openBulk takes a verifier key, a question, the note of the head that is known (or nothing), and an answer. It gives what
// came of it: "older"; "fork" and the hash that the new tree has at the known size; or "proved", the head, what is missing,
// and the number and text of the record of each of the others.
func openBulk(in [][]byte) (out []string, ok bool) {
	defer func() {
		if r := recover(); r != nil && r != (refused{}) {
			panic(r)
		}
	}()
	key, err := note.NewVerifier(string(in[0]))
	if err != nil {
		log.Fatal(err)
	}
	question, answer := reader(in[1]), reader(in[3])
	old := question.count("old")
	asked, open := map[string]bool{}, map[string]bool{}
	for len(question) > 0 {
		line := question.line()
		asked[line], open[line] = true, true
	}

	require(answer.line() == "gosumcheck/bulk@v1")
	msg := answer.take(answer.count("note"))
	var missing, texts []string
	var ids []int64
	for n := answer.count("missing"); n > 0; n-- {
		missing = append(missing, answer.line())
		require(missingLine.MatchString(missing[len(missing)-1]))
	}
	for n := answer.count("records"); n > 0; n-- {
		id, length, _ := strings.Cut(answer.line(), " ")
		ids, texts = append(ids, count(id)), append(texts, string(answer.take(count(length))))
		require(len(ids) < 2 || ids[len(ids)-2] < ids[len(ids)-1])
	}
	hashes := answer.count("hashes")
	require(len(answer)%tlog.HashSize == 0 && hashes == int64(len(answer)/tlog.HashSize))

	head := openTree(msg, key)
	if head.N < old {
		return []string{"older"}, true
	}
	require(len(ids) == 0 || ids[len(ids)-1] < head.N)

	// walk gives the hash of the leaves [lo, hi), and of those of them that the old tree has, where it has any.
	next := 0
	var walk func(lo, hi int64) (whole, begins tlog.Hash)
	walk = func(lo, hi int64) (whole, begins tlog.Hash) {
		holds := next < len(ids) && ids[next] < hi
		if !holds && !(lo < old && old < hi) {
			copy(whole[:], answer.take(tlog.HashSize))
			return whole, whole
		}
		if hi-lo == 1 {
			whole = tlog.RecordHash([]byte(texts[next]))
			next++
			return whole, whole
		}
		mid := lo + 1<<(bits.Len64(uint64(hi-lo-1))-1)
		left, leftBegins := walk(lo, mid)
		right, rightBegins := walk(mid, hi)
		whole = tlog.NodeHash(left, right)
		if old >= hi {
			return whole, whole
		}
		if old <= mid {
			return whole, leftBegins
		}
		return whole, tlog.NodeHash(left, rightBegins)
	}
	root := tlog.Hash(sha256.Sum256(nil))
	begins := root
	if head.N > 0 {
		root, begins = walk(0, head.N)
	}
	require(len(answer) == 0 && root == head.Hash)
	if old > 0 && begins != openTree(in[2], key).Hash {
		return []string{"fork", begins.String()}, true
	}

	place := func(key string) {
		require(open[key])
		delete(open, key)
	}
	for _, line := range missing {
		place(line[:len(line)-len(" 404")])
	}
	var found []string
	for i, text := range texts {
		keys := map[string]bool{}
		for _, match := range recordLine.FindAllStringSubmatch(text, -1) {
			if asked[match[1]] {
				keys[match[1]] = true
			}
		}
		require(len(keys) > 0)
		for key := range keys {
			place(key)
			found = append(found, fmt.Sprint(key, " ", ids[i], " ", base64.StdEncoding.EncodeToString([]byte(text))))
		}
	}
	require(len(open) == 0)
	slices.Sort(missing)
	slices.Sort(found)
	return slices.Concat([]string{"proved", fmt.Sprint(head.N), head.Hash.String()}, missing, found), true
}
