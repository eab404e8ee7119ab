package main

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Client data of a passkey, in the detail of crypto.md, section 9.2: names
// distinct in every object, at most 8 deep, no half of a surrogate pair. The
// library's decoder is lax in each of these.

const (
	maxClientData = 1024
	maxJSONDepth  = 8
)

// jsonScan walks JSON that json.Valid has taken.
type jsonScan struct {
	b   []byte
	pos int
}

func (s *jsonScan) space() {
	for s.pos < len(s.b) && strings.IndexByte(" \t\r\n", s.b[s.pos]) >= 0 {
		s.pos++
	}
}

// text reads a string, with its escapes resolved.
func (s *jsonScan) text() (string, bool) {
	begin := s.pos
	for s.pos++; s.b[s.pos] != '"'; s.pos++ {
		if s.b[s.pos] == '\\' {
			s.pos++
		}
	}
	s.pos++
	raw := s.b[begin:s.pos]
	var out string
	if json.Unmarshal(raw, &out) != nil {
		return "", false
	}
	// The decoder writes U+FFFD for half a pair: count those that stand there.
	halves := strings.Count(out, "\ufffd") - strings.Count(string(raw), "\ufffd")
	written := 0
	for i := 0; i+5 < len(raw); i++ {
		if raw[i] == '\\' {
			if strings.EqualFold(string(raw[i:i+6]), `\ufffd`) {
				written++
			}
			i++
		}
	}
	return out, halves == written
}

// value walks one value; members gets the raw values of the outermost object.
func (s *jsonScan) value(depth int, members map[string]string) bool {
	s.space()
	switch s.b[s.pos] {
	case '"':
		_, ok := s.text()
		return ok
	case '{', '[':
		object := s.b[s.pos] == '{'
		if depth > maxJSONDepth {
			return false
		}
		if members == nil {
			members = map[string]string{}
		}
		s.pos++
		for s.space(); s.b[s.pos] != '}' && s.b[s.pos] != ']'; s.space() {
			if s.b[s.pos] == ',' {
				s.pos++
				s.space()
			}
			name := ""
			if object {
				var ok bool
				if name, ok = s.text(); !ok {
					return false
				}
				if _, twice := members[name]; twice {
					return false
				}
				s.space()
				s.pos++ // the colon
				s.space()
			}
			begin := s.pos
			if !s.value(depth+1, nil) {
				return false
			}
			if object {
				members[name] = string(s.b[begin:s.pos])
			}
		}
		s.pos++
	default:
		for s.pos < len(s.b) && strings.IndexByte(",]} \t\r\n", s.b[s.pos]) < 0 {
			s.pos++
		}
	}
	return true
}

// goodClientData reads the JSON object a browser signs.
func goodClientData(b []byte, challenge string, origins []string) bool {
	if len(b) > maxClientData || !utf8.Valid(b) || !json.Valid(b) {
		return false
	}
	s := jsonScan{b: b}
	s.space()
	if b[s.pos] != '{' {
		return false
	}
	members := map[string]string{}
	if !s.value(1, members) {
		return false
	}
	text := func(name string) string {
		var out *string
		if json.Unmarshal([]byte(members[name]), &out) != nil || out == nil {
			return ""
		}
		return *out
	}
	if _, top := members["topOrigin"]; top {
		return false
	}
	if cross, ok := members["crossOrigin"]; ok && cross != "false" {
		return false
	}
	if text("type") != "webauthn.get" || text("challenge") != challenge {
		return false
	}
	origin := text("origin")
	return origin != "" && contains(origins, origin)
}
