// Verifies an export of the audit log, and proofs of its records, with the code of Go's checksum database
// (golang.org/x/mod/sumdb/note and tlog), which Behalf's authors did not write.
//
// Usage: sumdb EXPORT VERIFIER-KEY [PROOF …]
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// folder reads tiles as C2SP tlog-tiles names them: unlike the checksum database, without their height.
type folder string

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
		bytes, err := os.ReadFile(filepath.Join(string(f), "tile", path))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func main() {
	export, key := folder(os.Args[1]), os.Args[2]
	verifier, err := note.NewVerifier(key)
	check(err)
	text, err := os.ReadFile(filepath.Join(string(export), "checkpoint"))
	check(err)
	tree := open(text, verifier)
	hashes := tlog.TileHashReader(tree, export)
	for index := int64(0); index < tree.N; index++ {
		stored, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		check(err)
		if stored[0] != tlog.RecordHash(entry(export, index, tree.N)) {
			log.Fatalf("entry %d is not what was hashed", index)
		}
	}
	for _, name := range os.Args[3:] {
		text, err := os.ReadFile(name)
		check(err)
		checkProof(text, verifier)
	}
	fmt.Printf("%d entries and %d proofs verified\n", tree.N, len(os.Args)-3)
}

// open verifies the signature of a checkpoint.
func open(text []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(text, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		log.Fatalf("the checkpoint is of %s", lines[0])
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: root}
}

func entry(export folder, index, size int64) []byte {
	tile := tlog.Tile{H: height, L: -1, N: index / 256, W: 256}
	if tile.N == size/256 {
		tile.W = int(size % 256)
	}
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/data/", height))
	bundle, err := os.ReadFile(filepath.Join(string(export), "tile", "entries", path))
	check(err)
	for skip := index % 256; skip > 0; skip-- {
		bundle = bundle[2+binary.BigEndian.Uint16(bundle):]
	}
	return bundle[2 : 2+binary.BigEndian.Uint16(bundle)]
}

// checkProof verifies a C2SP tlog-proof. Behalf puts the entry, four lines, at the beginning of its extra data.
func checkProof(text []byte, verifier note.Verifier) {
	head, checkpoint, _ := bytes.Cut(text, []byte("\n\n"))
	tree := open(checkpoint, verifier)
	lines := strings.Split(string(head), "\n")
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	check(err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check(err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		proof = append(proof, hash)
	}
	record := bytes.Join(bytes.SplitAfterN(extra, []byte("\n"), 5)[:4], nil)
	check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(record)))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
