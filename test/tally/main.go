// Command tally reads the events of go test -json on standard input, prints each
// package's outcome and whatever failed, and appends "passed failed skipped" to
// the file that it is given. It exits with 1 if anything failed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(1)
	}
}

func run(totals string) error {
	var passed, failed, skipped int
	output := map[[2]string][]string{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text()) // what the compiler says
			continue
		}
		key := [2]string{e.Package, e.Test}
		switch e.Action {
		case "output":
			output[key] = append(output[key], e.Output)
		case "build-output":
			fmt.Print(e.Output)
		case "pass", "fail", "skip":
			if e.Action == "fail" || e.Action == "skip" && e.Test != "" {
				for _, text := range output[key] {
					fmt.Print(text)
				}
			}
			delete(output, key)
			if e.Test == "" {
				fmt.Printf("%s\t%s\t%.1fs\n", e.Action, e.Package, e.Elapsed)
				if e.Action == "fail" {
					failed++ // a package that fails to build or to end has no test to blame
				}
				continue
			}
			switch e.Action {
			case "pass":
				passed++
			case "fail":
				failed++
			case "skip":
				skipped++
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	file, err := os.OpenFile(totals, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(file, passed, failed, skipped); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d failed", failed)
	}
	return nil
}
