package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// users N FILE writes a CSV file of N users, so long that 250 of them fill a batch.
func users(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: users N FILE")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var b strings.Builder
	b.WriteString("email,first_name,external_id,untrusted_metadata\n")
	padding := strings.Repeat("x", 3600)
	for i := range n {
		fmt.Fprintf(&b, "person%d@example.com,Person %d,employee-%d,\"{\"\"padding\"\":\"\"%s\"\"}\"\n", i, i, i, padding)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o600))
}

// await FILE PATTERN waits until a file says something.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE PATTERN")
	}
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	for range 1200 {
		if text, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && pattern.Match(text) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s does not say %s", args[0], args[1])
}
