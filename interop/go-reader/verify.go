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
}

// verify runs all checks. words maps party codes to eight words.
func verify(dir string, words map[string]string) (*Result, error) {
	res := &Result{Verdict: "forged", Logs: []LogResult{}}
	x, fault, err := openExport(dir)
	if err != nil {
		return nil, err
	}
	for _, l := range x.Logs {
		res.Entries += l.Size
	}
	if fault == nil {
		res.codes = x.codes()
		for code := range words {
			if !contains(res.codes, code) {
				return nil, fmt.Errorf("no party of this channel has the code %s; its parties are %s", code, strings.Join(res.codes, ", "))
			}
		}
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
	return res, nil
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
	out := LogResult{l.Text, l.Signed, map[string]uint64{}, l.PostQuant}
	for i, n := range l.Cosigned {
		if i != l.Party {
			out.Cosigned[codes[i]] = n
		}
	}
	return out
}

// checkWords compares the words given with the root keys of the export.
func (x *Export) checkWords(res *Result, words map[string]string) *Fault {
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
		fmt.Fprintln(w, "noted:", visible(n))
	}
}
