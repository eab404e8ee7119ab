package main

import (
	"fmt"
	"io"
	"strings"
)

// Result is the verdict, in the form of `--json`.
type Result struct {
	Verdict    string      `json:"verdict"`
	Entries    uint64      `json:"entries"`
	Logs       []LogResult `json:"logs"`
	FirstFault *Fault      `json:"first_fault"`
	Void       []VoidEntry `json:"void"`
	NotYet     []Place     `json:"not_yet_understood"`
	CheckWrong []Place     `json:"check_failed"`
	Waiting    int         `json:"waiting"`
	Erased     int         `json:"erased"`
	Releases   Releases    `json:"releases"`
	Noted      []Fallen    `json:"noted"`
	record     *Record
	tally      *Tally
	codes      []string
	unchecked  []string // codes whose words were not given
}

// LogResult says how far a log is signed and by whom.
type LogResult struct {
	Log         string            `json:"log"`
	Signed      uint64            `json:"signed"`
	Cosigned    map[string]uint64 `json:"cosigned"`
	PostQuantum uint64            `json:"post_quantum"`
	CosignedPQ  map[string]uint64 `json:"cosigned_post_quantum"`
}

// Place is where an entry stands.
type Place struct {
	Log   string `json:"log"`
	Index uint64 `json:"index"`
}

// VoidEntry is an entry and the first clause it breaks.
type VoidEntry struct {
	Place
	Clause string `json:"clause"`
}

// Releases counts the valid spoken entries by what is shown of their release.
type Releases struct {
	Shown    int `json:"shown"`
	NotShown int `json:"not_shown"`
	NotAsked int `json:"not_asked"`
}

// Fallen is a receipt that bears an earlier time than one for a smaller size.
type Fallen struct {
	Log  string `json:"log"`
	By   string `json:"by"`
	Size uint64 `json:"size"`
	From uint64 `json:"from_s"`
	To   uint64 `json:"to_s"`
}

// verify runs all checks. words maps party codes to eight words.
func verify(dir string, words map[string]string) (*Result, error) {
	res := &Result{Verdict: "forged", Logs: []LogResult{}, Void: []VoidEntry{}, NotYet: []Place{}, CheckWrong: []Place{}, Noted: []Fallen{}}
	x, fault, err := openExport(dir)
	if err != nil {
		return nil, err
	}
	for _, l := range x.Logs {
		res.Entries += l.Size
	}
	if fault == nil {
		res.codes = x.codes()
	}
	for i := 0; fault == nil && i < len(x.Logs); i++ {
		if fault = x.checkLog(x.Logs[i]); fault == nil {
			res.Logs = append(res.Logs, x.logResult(x.Logs[i], res.codes))
		}
	}
	if fault == nil {
		fault = x.checkAttached()
	}
	if fault == nil {
		fault = x.checkWords(res, words)
	}
	if res.FirstFault = fault; fault != nil {
		return res, nil
	}
	res.Verdict = "valid"
	if len(res.unchecked) > 0 {
		res.Verdict = "consistent_only"
	}
	res.record = newRecord(x)
	res.tally = res.record.judge()
	res.list()
	return res, nil
}

// list puts what the entries are into the form of `--json`.
func (res *Result) list() {
	t := res.tally
	res.Waiting, res.Erased = t.Waiting, t.Erased
	res.Releases = Releases{t.Shown, t.NotShown, t.NotAsked}
	for _, l := range res.record.Logs {
		for k := range l.Entries {
			at := Place{l.Text, uint64(k)}
			e := &l.Entries[k]
			switch {
			case e.Erased || e.Waiting:
			case e.Clause != clauseNone:
				res.Void = append(res.Void, VoidEntry{at, clauseWords[e.Clause]})
			case e.NotYet:
				res.NotYet = append(res.NotYet, at)
			}
			if e.CheckWrong {
				res.CheckWrong = append(res.CheckWrong, at)
			}
		}
	}
	for _, f := range t.Noted {
		res.Noted = append(res.Noted, Fallen{f.log, res.codes[f.party], f.size, f.from, f.to})
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// codes gives a label to each party: its newest code, told apart where two
// parties bear the same one.
func (x *Export) codes() []string {
	out := make([]string, len(x.charter.Parties))
	count := map[string]int{}
	for i, p := range x.charter.Parties {
		out[i] = x.newestCredential(p).Code
		count[out[i]]++
	}
	for i, p := range x.charter.Parties {
		if count[out[i]] > 1 {
			out[i] += "~" + nameText(p)[:4]
		}
	}
	return out
}

func (x *Export) logResult(l *Log, codes []string) LogResult {
	out := LogResult{l.Text, l.Signed, map[string]uint64{}, l.PostQuant, map[string]uint64{}}
	for i, n := range l.Cosigned {
		if i != l.Party {
			out.Cosigned[codes[i]], out.CosignedPQ[codes[i]] = n, l.CosignedPQ[i]
		}
	}
	return out
}

// checkWords compares the words given with the root keys of the export. Words of
// a code that nobody bears are those of another party.
func (x *Export) checkWords(res *Result, words map[string]string) *Fault {
	for code := range words {
		if !contains(res.codes, code) {
			return &Fault{What: "words"}
		}
	}
	for i, p := range x.charter.Parties {
		given, ok := words[res.codes[i]]
		if !ok {
			res.unchecked = append(res.unchecked, res.codes[i])
			continue
		}
		if w, ok := readWords(given); !ok || w != eightWords(x.newestCredential(p).Root) {
			return &Fault{What: "words"}
		}
	}
	return nil
}

func faultText(f *Fault) string {
	where := "the words given"
	if f.Log != nil {
		where = visible(*f.Log)
	}
	if f.Index != nil {
		return fmt.Sprintf("First fault: %s at %s, index %d.", f.What, where, *f.Index)
	}
	return fmt.Sprintf("First fault: %s at %s.", f.What, where)
}

// report prints a result for people.
func report(w io.Writer, res *Result) {
	fmt.Fprintf(w, "%s: %d entries in %d logs\n", res.Verdict, res.Entries, len(res.Logs))
	if res.FirstFault != nil {
		fmt.Fprintln(w, faultText(res.FirstFault))
		return
	}
	if len(res.unchecked) > 0 {
		fmt.Fprintln(w, "Consistent under these root keys, which you must compare:")
		for i, p := range res.record.charter.Parties {
			if contains(res.unchecked, res.codes[i]) {
				var said []string
				for _, n := range eightWords(res.record.newestCredential(p).Root) {
					said = append(said, wordList[n])
				}
				fmt.Fprintf(w, "  %s: %s\n", res.codes[i], strings.Join(said, " "))
			}
		}
	}
	for _, l := range res.Logs {
		fmt.Fprintf(w, "%s\n  signed %d, ML-DSA %d", l.Log, l.Signed, l.PostQuantum)
		for _, c := range res.codes {
			if n, ok := l.Cosigned[c]; ok {
				fmt.Fprintf(w, ", cosigned by %s %d", c, n)
			}
		}
		fmt.Fprintln(w)
	}
	t := res.tally
	fmt.Fprintf(w, "void %d, not yet understood %d, waiting %d, erased %d, checks of what was seen that fail %d\n",
		t.Void, t.NotYet, t.Waiting, t.Erased, t.CheckWrong)
	for c, n := range t.ByClause {
		if n > 0 {
			fmt.Fprintf(w, "  void by %s: %d\n", clauseWords[c], n)
		}
	}
	fmt.Fprintf(w, "releases shown %d, not asked for %d, not shown %d\n", t.Shown, t.NotAsked, t.NotShown)
	for _, n := range t.Noted {
		fmt.Fprintf(w, "noted: %s: the receipt of %s at size %d is older than one for a smaller size\n", n.log, res.codes[n.party], n.size)
	}
}
