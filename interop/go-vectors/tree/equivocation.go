package main

import "bytes"

// null, text, bytes, integers and arrays in deterministic CBOR are all a proof needs.
func cborHead(major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return []byte{major | byte(n)}
	case n < 1<<8:
		return []byte{major | 24, byte(n)}
	case n < 1<<16:
		return []byte{major | 25, byte(n >> 8), byte(n)}
	case n < 1<<32:
		return []byte{major | 26, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
	return []byte{major | 27, byte(n >> 56), byte(n >> 48), byte(n >> 40), byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

func cbor(value any) []byte {
	switch v := value.(type) {
	case nil:
		return []byte{0xf6}
	case uint64:
		return cborHead(0, v)
	case int:
		return cborHead(0, uint64(v))
	case string:
		return append(cborHead(3, uint64(len(v))), v...)
	case []byte:
		return append(cborHead(2, uint64(len(v))), v...)
	case hash:
		return cbor(v[:])
	case []hash:
		all := cborHead(4, uint64(len(v)))
		for _, h := range v {
			all = append(all, cbor(h)...)
		}
		return all
	case []any:
		all := cborHead(4, uint64(len(v)))
		for _, item := range v {
			all = append(all, cbor(item)...)
		}
		return all
	}
	panic("no such value in a proof")
}

func equivocationVectors() {
	party := leafHash([]byte("party"))
	logKey, logPQ := newSigner(origin, 0, 1), newSigner(origin, 1, 2)
	receipt, receiptPQ := newSigner(cosigner, 2, 3), newSigner(cosigner, 3, 4)

	// The honest tree, and one that differs from leaf 2 on.
	honest, forked := leaves(9), leaves(9)
	forked[2] = leafHash([]byte("forked"))
	at := func(d []hash, n int) checkpoint { return checkpoint{origin, uint64(n), mth(d[:n])} }
	claim := func(s signer, c checkpoint, time uint64) []any {
		return []any{s.what, c.size, c.root, time, s.sign(c, time)}
	}
	// The next log of the party; its entry 0 names the first log at size 5 with the honest root.
	naming := "detente/exampleexample/altair/ordinary/2-00112233aabbccdd"
	entry := []byte("salt of 16 bytesa generation entry that names the log")
	namingLeaves := append([]hash{leafHash(entry)}, leaves(3)...)
	namingLog := newSigner(naming, 0, 1)
	namingAt := checkpoint{naming, 4, mth(namingLeaves)}
	named := at(honest, 5)
	generation := func(c checkpoint, leaf []byte, signature []byte) []any {
		return []any{4, c.size, c.root, []any{naming, leaf, namingAt.size, namingAt.root, path(0, namingLeaves), signature}}
	}
	namingSignature := namingLog.sign(namingAt, 0)

	// proof joins two claims, the lower by (size, root) first.
	proof := func(a, b []any, root, path any) []byte {
		sa, sb := cbor(a[1]), cbor(b[1])
		ra, rb := a[2].(hash), b[2].(hash)
		if bytes.Compare(sa, sb) > 0 || bytes.Equal(sa, sb) && bytes.Compare(ra[:], rb[:]) > 0 {
			a, b = b, a
		}
		return append([]byte{1}, cbor([]any{origin, party, a, b, root, path})...)
	}
	swapped := func(a, b []any, root, path any) []byte {
		return append([]byte{1}, cbor([]any{origin, party, b, a, root, path})...)
	}
	early, late := claim(logKey, at(honest, 5), 0), claim(logKey, at(forked, 9), 0)
	r, p := at(forked, 5).root, subproof(5, forked, true)
	one, two := claim(logKey, at(honest, 5), 0), claim(logKey, at(forked, 5), 0)
	const time = 1_800_000_000

	for _, v := range []struct {
		name, fault string
		proof       []byte
	}{
		{"one_size_two_roots", "", proof(one, two, nil, nil)},
		{"later_tree_begins_otherwise", "", proof(early, late, r, p)},
		{"ed25519_and_mldsa_over_two_roots", "", proof(one, claim(logPQ, at(forked, 5), 0), nil, nil)},
		{"two_receipts", "", proof(claim(receipt, at(honest, 5), time), claim(receipt, at(forked, 5), time+1), nil, nil)},
		{"two_mldsa_receipts", "", proof(claim(receiptPQ, at(honest, 5), time), claim(receiptPQ, at(forked, 9), time+1), r, p)},
		{"generation_entry_and_line", "", proof(generation(named, entry, namingSignature), late, r, p)},
		{"generation_entry_of_same_size", "", proof(generation(named, entry, namingSignature), two, nil, nil)},

		{"same_root", "contradiction", proof(one, claim(logPQ, at(honest, 5), 0), nil, nil)},
		{"claims_in_wrong_order", "contradiction", swapped(early, late, r, p)},
		{"sizes_differ_without_path", "contradiction", proof(early, late, nil, nil)},
		{"same_size_with_path", "contradiction", proof(one, two, r, []hash{})},
		{"later_tree_grew_honestly", "contradiction", proof(early, claim(logKey, at(honest, 9), 0), at(honest, 5).root, subproof(5, honest, true))},
		{"path_too_long", "contradiction", proof(early, late, r, append(append([]hash{}, p...), r))},
		{"path_to_another_root", "contradiction", proof(early, claim(logKey, at(honest, 9), 0), r, p)},
		{"signature_of_nobody", "claim", proof(one, claim(newSigner(origin, 0, 9), at(forked, 5), 0), nil, nil)},
		{"signature_over_other_root", "claim", proof(one, []any{0, uint64(5), at(forked, 5).root, uint64(0), logKey.sign(at(honest, 5), 0)}, nil, nil)},
		{"log_line_with_time", "claim", proof(one, []any{0, uint64(5), at(forked, 5).root, uint64(7), logKey.sign(at(forked, 5), 0)}, nil, nil)},
		{"receipt_with_time_zero", "claim", proof(one, claim(receipt, at(forked, 5), 0), nil, nil)},
		{"receipt_shown_as_log_line", "claim", proof(one, []any{0, uint64(5), at(forked, 5).root, uint64(0), receipt.sign(at(forked, 5), time)}, nil, nil)},
		{"generation_entry_not_in_its_log", "generation", proof(generation(named, append([]byte{}, "another entry"...), namingSignature), two, nil, nil)},
		{"generation_entry_names_another_root", "generation", proof(generation(at(forked, 5), entry, namingSignature), one, nil, nil)},
		{"generation_entry_log_unsigned", "claim", proof(generation(named, entry, make([]byte, 64)), two, nil, nil)},

		{"size_zero", "bytes", proof([]any{0, uint64(0), at(honest, 5).root, uint64(0), make([]byte, 64)}, two, nil, nil)},
		{"version_2", "bytes", append([]byte{2}, proof(one, two, nil, nil)[1:]...)},
		{"trailing_byte", "bytes", append(proof(one, two, nil, nil), 0)},
		{"cut", "bytes", proof(one, two, nil, nil)[:100]},
		{"empty", "bytes", nil},
		{"root_without_path", "bytes", proof(early, late, r, nil)},
		{"unknown_claim", "bytes", proof(one, []any{5, uint64(5), at(forked, 5).root, uint64(0), make([]byte, 64)}, nil, nil)},
		{"signature_of_63_bytes", "bytes", proof(one, []any{0, uint64(5), at(forked, 5).root, uint64(0), make([]byte, 63)}, nil, nil)},
		{"path_of_42_hashes", "bytes", proof(early, late, r, make([]hash, 42))},
		{"size_above_limit", "bytes", proof(one, []any{0, uint64(1<<40 + 1), at(forked, 5).root, uint64(0), make([]byte, 64)}, r, p)},
	} {
		var fault any
		if v.fault != "" {
			fault = v.fault
		}
		write("equivocation_"+v.name, fields{
			"kind": "equivocation", "fault": fault, "proof": hexOf(v.proof), "log": origin, "party": hexOf(party[:]),
			"cosigner": cosigner, "own_logs": []string{origin, naming},
			"generation_entry": fields{"leaf": hexOf(entry), "size": named.size, "root": hexOf(named.root[:])},
		})
	}
}
