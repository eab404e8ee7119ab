// Command tree writes the vectors of the transparency log, one file per case.
package main

import (
	"encoding/hex"
	"encoding/json"
	"log"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: go run . FOLDER")
	}
	out = os.Args[1]
	if err := os.MkdirAll(out, 0o755); err != nil {
		log.Fatal(err)
	}
	treeVectors()
	noteVectors()
	tileVectors()
	equivocationVectors()
}

var out string

// fields keeps a vector's values; encoding/json writes maps in key order.
type fields map[string]any

func write(name string, value fields) {
	text, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, name+".json"), append(text, '\n'), 0o644); err != nil {
		log.Fatal(err)
	}
}

func hexOf(bytes []byte) string { return hex.EncodeToString(bytes) }

func hexAll(hashes []hash) []string {
	all := []string{}
	for _, h := range hashes {
		all = append(all, hexOf(h[:]))
	}
	return all
}
