// Command tlog reads what we publish with stock libraries, so that tests can ask somebody else.
//
//	tlog tree DIR VKEY             checks a folder of tiles and its checkpoint; prints size and root
//	tlog witnessed FILE VKEY...    checks the cosignatures of a checkpoint; prints who signed
//	tlog note FILE VKEY...         checks the plain signatures of a note; prints who signed
//	tlog proofs                    reads proofs as lines of JSON, answers "ok" or "refused" a line
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	cosigned "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("tlog tree|witnessed|note|proofs")
	}
	switch arguments[0] {
	case "tree":
		return checkTree(arguments[1], arguments[2])
	case "witnessed":
		return checkNote(arguments[1], arguments[2:], cosigned.NewVerifierForCosignatureV1)
	case "note":
		return checkNote(arguments[1], arguments[2:], note.NewVerifier)
	case "proofs":
		return answerProofs()
	}
	return fmt.Errorf("unknown: %s", arguments[0])
}

// folder gives the tile library our files.
type folder string

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, 0, len(tiles))
	for _, tile := range tiles {
		// The library writes the height into the path, the specification does not.
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), filepath.FromSlash(path)))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

func checkTree(place, key string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(place, "checkpoint"))
	if err != nil {
		return err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	var size int64
	var root string
	lines := strings.Split(opened.Text, "\n")
	if _, err := fmt.Sscan(lines[1], &size); err != nil {
		return err
	}
	root = lines[2]
	hash, err := tlog.ParseHash(root)
	if err != nil {
		return err
	}
	tree := tlog.Tree{N: size, Hash: hash}
	reader := tlog.TileHashReader(tree, folder(place))
	if err := checkEntries(place, size, reader); err != nil {
		return err
	}
	fmt.Printf("%s %d %s\n", lines[0], size, root)
	return nil
}

func checkEntries(place string, size int64, reader tlog.HashReader) error {
	for first := int64(0); first < size; first += 256 {
		width := min(256, size-first)
		tile := tlog.Tile{H: height, L: -1, N: first / 256, W: int(width)}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", height), "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(place, filepath.FromSlash(path)))
		if err != nil {
			return err
		}
		for index := first; index < first+width; index++ {
			length := int(binary.BigEndian.Uint16(data))
			want, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
			if err != nil {
				return err
			}
			if tlog.RecordHash(data[2:2+length]) != want[0] {
				return fmt.Errorf("entry %d is not the leaf", index)
			}
			data = data[2+length:]
		}
		if len(data) != 0 {
			return errors.New("bytes behind the last entry")
		}
	}
	return nil
}

func checkNote(file string, keys []string, read func(string) (note.Verifier, error)) error {
	var verifiers []note.Verifier
	for _, key := range keys {
		verifier, err := read(key)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, verifier)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	opened, err := note.Open(data, note.VerifierList(verifiers...))
	if err != nil {
		return err
	}
	for _, one := range opened.Sigs {
		fmt.Println(one.Name)
	}
	return nil
}

type claim struct {
	Kind     string   `json:"kind"`
	Index    uint64   `json:"index"`
	Old      uint64   `json:"old"`
	Size     uint64   `json:"size"`
	LeafHash string   `json:"leafHash"`
	OldRoot  string   `json:"oldRoot"`
	Root     string   `json:"root"`
	Proof    []string `json:"proof"`
}

func answerProofs() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	answers := bufio.NewWriter(os.Stdout)
	defer answers.Flush()
	for lines.Scan() {
		var one claim
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return err
		}
		verdict := "ok"
		if one.holds() != nil {
			verdict = "refused"
		}
		fmt.Fprintln(answers, verdict)
	}
	return lines.Err()
}

func (c claim) holds() error {
	hashes := make([][]byte, 0, len(c.Proof))
	for _, text := range c.Proof {
		hashes = append(hashes, bytesOf(text))
	}
	if c.Kind == "inclusion" {
		hasher := rfc6962.DefaultHasher
		return proof.VerifyInclusion(hasher, c.Index, c.Size, bytesOf(c.LeafHash), hashes, bytesOf(c.Root))
	}
	hasher := rfc6962.DefaultHasher
	return proof.VerifyConsistency(hasher, c.Old, c.Size, hashes, bytesOf(c.OldRoot), bytesOf(c.Root))
}

func bytesOf(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return data
}
