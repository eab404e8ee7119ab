package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Plain text of entries, safe for terminals.

// visible writes out what a terminal would act on or hide: control, format
// and bidirectional characters, and bytes that are no text.
func visible(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c == unicode.ReplacementChar || !(unicode.IsGraphic(c) || c == ' ') || unicode.Is(unicode.Cf, c) || (unicode.IsSpace(c) && c != ' ') {
			fmt.Fprintf(&b, `\u{%x}`, c)
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// diagnostic writes a value as CBOR diagnostic text (RFC 8949, section 8).
func diagnostic(b *strings.Builder, v *Value) {
	switch v.T {
	case tUint:
		b.WriteString(strconv.FormatUint(v.N, 10))
	case tNeg:
		n, _ := v.integer()
		b.WriteString(strconv.FormatInt(n, 10))
	case tBytes:
		b.WriteString("h'" + hex.EncodeToString(v.B) + "'")
	case tText:
		s := strings.ReplaceAll(string(v.B), `\`, `\\`)
		b.WriteString(`"` + visible(strings.ReplaceAll(s, `"`, `\"`)) + `"`)
	case tArray:
		b.WriteByte('[')
		for i := range v.A {
			if i > 0 {
				b.WriteString(", ")
			}
			diagnostic(b, &v.A[i])
		}
		b.WriteByte(']')
	case tMap:
		b.WriteByte('{')
		for i := range v.A {
			if i > 0 && i%2 == 0 {
				b.WriteString(", ")
			}
			diagnostic(b, &v.A[i])
			if i%2 == 0 {
				b.WriteString(": ")
			}
		}
		b.WriteByte('}')
	default:
		b.WriteString([...]string{"false", "true", "null"}[v.T-tFalse])
	}
}

// moment writes a time, as RFC 3339 where the years allow it.
func moment(ms int64) string {
	if ms < 0 || ms > 253402300799999 {
		return strconv.FormatInt(ms, 10) + "ms"
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// show prints all entries in joint order.
func show(w io.Writer, res *Result) {
	r := res.record
	r.walk(func(l *Log, k uint64) {
		e := &l.Entries[k]
		at := "-"
		if e.Kind >= 0 && e.Clause != clauseShape {
			at = moment(e.Written)
		}
		kind, ok := kindWords[e.Kind]
		if !ok {
			kind = "unknown"
		}
		state := ""
		switch {
		case e.Erased:
			state = " erased"
		case e.Clause != clauseNone:
			state = " void:" + clauseWords[e.Clause]
		case e.Waiting:
			state = " waiting"
		case e.NotYet:
			state = " not-yet-understood"
		}
		fmt.Fprintf(w, "%s %s %s %s.%d%s\n", at, res.codes[l.Party], kind, l.Text, k, state)
		if body := bodyText(l.entry(k), e); body != "" {
			fmt.Fprintf(w, "    %s\n", body)
		}
	})
}

// bodyText is the body of a spoken entry, the payload of a machine entry, or
// all of an entry that could only be read as a value.
func bodyText(b []byte, e *Entry) string {
	v, err := decodeV1(b)
	if err != nil {
		return ""
	}
	var out strings.Builder
	switch {
	case e.spoken() && len(v.A) == 18:
		diagnostic(&out, &v.A[9])
		if !v.A[10].null() {
			out.WriteString(" extras ")
			diagnostic(&out, &v.A[10])
		}
	case e.Kind >= 32 && len(v.A) == 5:
		diagnostic(&out, &v.A[4])
	default:
		diagnostic(&out, &v)
	}
	return out.String()
}
