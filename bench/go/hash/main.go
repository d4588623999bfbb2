// Hash prints the h1 of a module zip, by x/mod's own dirhash.HashZip: what the go command has of it, and nothing else.
//
//	hash [-repeat N] FILE
//
// With -repeat it is hashed so many times in one process, and each time is printed after the h1, in milliseconds.
package main

import (
	"flag"
	"fmt"
	"log"
	"time"

	"golang.org/x/mod/sumdb/dirhash"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("hash: ")
	repeat := flag.Int("repeat", 0, "hash it `N` times, and print the times")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("want [-repeat N] FILE")
	}
	file := flag.Arg(0)
	h1 := hash(file)
	fmt.Printf("%s  %s\n", h1, file)
	for range *repeat {
		start := time.Now()
		if hash(file) != h1 {
			log.Fatal("another h1 than before")
		}
		fmt.Println(float64(time.Since(start).Microseconds()) / 1000)
	}
}

func hash(file string) string {
	h1, err := dirhash.HashZip(file, dirhash.Hash1)
	if err != nil {
		log.Fatal(err)
	}
	return h1
}
