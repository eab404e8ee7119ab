// Command go-reader checks an export of a channel, and prints its entries,
// from the pages in spec/ and Go's standard library alone. It shares no code
// with the node, so that two readings of the same pages can be compared.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const usage = `Usage:
  go-reader verify OUT [--party CODE="eight words"]… [--json]
  go-reader verify --batch LIST
  go-reader show OUT

verify checks the export in folder OUT. Exit 0: valid or consistent_only;
1: forged; 2: could not be asked so. With --batch, each line of the file LIST
is {"dir": …, "words": {CODE: …}}; the answers are one JSON object on a line
each, in that order, and the exit is 0 when all exports could be read.
show prints one line for each entry, in joint order, and its body.
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// options are the arguments after the verb.
type options struct {
	dir   string
	words map[string]string
	json  bool
}

func readOptions(args []string) (o options, err error) {
	o.words = map[string]string{}
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "--json":
			o.json = true
		case a == "--party" || strings.HasPrefix(a, "--party="):
			value, inline := strings.CutPrefix(a, "--party=")
			if !inline {
				if i++; i == len(args) {
					return o, errors.New(`--party needs CODE="eight words"`)
				}
				value = args[i]
			}
			code, words, ok := strings.Cut(value, "=")
			if !ok || code == "" {
				return o, errors.New(`--party needs CODE="eight words"`)
			}
			o.words[code] = words
		case strings.HasPrefix(a, "-"):
			return o, fmt.Errorf("%s is not an option here", visible(a))
		case o.dir != "":
			return o, errors.New("only one export can be read at a time")
		default:
			o.dir = a
		}
	}
	if o.dir == "" {
		return o, errors.New("name the folder of the export")
	}
	return o, nil
}

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || (args[0] != "verify" && args[0] != "show") {
		fmt.Fprint(stderr, usage)
		return 2
	}
	if len(args) == 3 && args[0] == "verify" && args[1] == "--batch" {
		return batch(args[2], stdout, stderr)
	}
	o, err := readOptions(args[1:])
	if err == nil {
		var info os.FileInfo
		if info, err = os.Stat(o.dir); err == nil && !info.IsDir() {
			err = errors.New(visible(o.dir) + " is not a folder; name the folder that holds the file `export`")
		}
	}
	var res *Result
	if err == nil {
		res, err = verify(o.dir, o.words)
	}
	if err != nil {
		fmt.Fprintln(stderr, "go-reader:", visible(err.Error()))
		return 2
	}
	out := bufio.NewWriter(stdout)
	defer out.Flush()
	switch {
	case args[0] == "show" && res.record == nil:
		fmt.Fprintln(stderr, "go-reader: the export is forged; nothing of it is shown.", faultText(res.FirstFault))
	case args[0] == "show":
		show(out, res)
	case o.json:
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		if err := e.Encode(res); err != nil {
			fmt.Fprintln(stderr, "go-reader:", err)
			return 2
		}
	default:
		report(out, res)
	}
	if res.Verdict == "forged" {
		return 1
	}
	return 0
}

// batch answers for every export of a list.
func batch(path string, stdout, stderr io.Writer) int {
	list, err := os.Open(path)
	if err != nil {
		fmt.Fprintln(stderr, "go-reader:", visible(err.Error()))
		return 2
	}
	defer list.Close()
	out := bufio.NewWriter(stdout)
	defer out.Flush()
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	questions := json.NewDecoder(bufio.NewReader(list))
	for questions.More() {
		var q struct {
			Dir   string            `json:"dir"`
			Words map[string]string `json:"words"`
		}
		err := questions.Decode(&q)
		var res *Result
		if err == nil {
			res, err = verify(q.Dir, q.Words)
		}
		if err == nil {
			err = answers.Encode(res)
		}
		if err != nil {
			fmt.Fprintln(stderr, "go-reader:", visible(err.Error()))
			return 2
		}
	}
	return 0
}
