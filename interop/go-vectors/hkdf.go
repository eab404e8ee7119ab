package main

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

type hkdfCase struct {
	Name   string `json:"name"`
	Secret string `json:"secret"`
	Salt   string `json:"salt"`
	Info   string `json:"info"`
	Out    string `json:"out"`
}

func hkdfCases() file {
	var cases []hkdfCase
	for _, shape := range [][4]int{{32, 0, 0, 32}, {32, 32, 40, 32}, {1, 0, 1, 1}, {80, 80, 80, 82}, {32, 64, 10, 64}, {32, 65, 10, 255}} {
		name := fmt.Sprint("secret_", shape[0], "_salt_", shape[1], "_info_", shape[2], "_out_", shape[3])
		secret, salt, info := bytesOf("hkdf secret", shape[0]), bytesOf("hkdf salt", shape[1]), bytesOf("hkdf info", shape[2])
		out, err := hkdf.Key(sha256.New, secret, salt, string(info), shape[3])
		must(err)
		cases = append(cases, hkdfCase{name, hexOf(secret), hexOf(salt), hexOf(info), hexOf(out)})
	}
	return file{"HKDF-SHA-256, extract then expand: spec/crypto.md, section 3.", cases}
}
