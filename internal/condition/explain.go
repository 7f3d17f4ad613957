package condition

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/operators"

	"github.com/countersign-auth/countersign/internal/spelling"
)

// Bounds of what an error shows.
const (
	maxIssues = 3
	maxShown  = 160 // bytes of one issue
)

// explain says in few words what the library found.
func explain(issues *cel.Issues) error {
	var messages, lines []string
	for _, found := range issues.Errors() {
		message := show(translate(found.Message))
		if message == "" || len(lines) == maxIssues || slices.Contains(messages, message) {
			continue
		}
		messages = append(messages, message)
		lines = append(lines, issue(found.Location, message))
	}
	if len(lines) == 0 {
		return errors.New("this expression cannot be compiled")
	}
	return errors.New(strings.Join(lines, "\n"))
}

// issue is one line about what stands at a place, columns counted from one.
func issue(at common.Location, message string) string {
	message = show(message)
	if at == nil || at.Line() < 1 || at.Column() < 0 {
		return message
	}
	return fmt.Sprintf("line %d, column %d: %s", at.Line(), at.Column()+1, message)
}

// translate puts a message of the library into the words of the language: no
// mangled operators, no lists of dozens of tokens, no options in Go. It is "" for
// what only follows from another.
func translate(message string) string {
	if rest, ok := strings.CutPrefix(message, "found no matching overload for '"); ok {
		name, operands, _ := strings.Cut(rest, "' applied to '")
		if operator, ok := operators.FindReverse(name); ok && operator != "" {
			name = operator
		}
		return fmt.Sprintf("'%s' does not go with %s", name, strings.TrimSuffix(operands, "'"))
	}
	switch {
	case strings.Contains(message, "error recovery"):
		return ""
	case strings.Contains(message, "recursion"):
		return fmt.Sprintf("nested deeper than %d", maxDepth)
	case strings.Contains(message, "expression count exceeds"), strings.Contains(message, "node limit"):
		return fmt.Sprintf("more than %d parts, those of all, exists, exists_one, map and filter counted too", maxNodes)
	}
	message, _, _ = strings.Cut(message, " expecting ")
	message, _, _ = strings.Cut(message, " (did you mean")
	message, _, _ = strings.Cut(message, " (enable with")
	return wording.Replace(message)
}

var wording = strings.NewReplacer(
	"Syntax error: ", "",
	"mismatched input", "unexpected", "extraneous input", "unexpected", "token recognition error at:", "unexpected",
	"no viable alternative at input", "unexpected",
	"'<EOF>'", "end",
)

// maxMeant bounds the names of which one may be meant by another, in bytes.
const maxMeant = 32

// undeclared names what nothing is called, and what may be meant.
func undeclared(name string) error {
	known := slices.Concat(names, macros, ours)
	for _, function := range functions {
		if !strings.ContainsAny(function, "_@!") { // no operator
			known = append(known, function)
		}
	}
	best, distance := "", max(1, len(name)/3)+1
	for _, k := range known {
		if len(name) > maxMeant || len(k) > maxMeant {
			continue
		}
		if d := spelling.Distance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return fmt.Errorf("undeclared '%s'", name)
	}
	return fmt.Errorf("undeclared '%s'; did you mean '%s'?", name, best)
}

// show cuts s to about maxShown bytes and replaces what could forge a line or turn
// the reader's text around.
func show(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if len(s) <= maxShown {
		return s
	}
	end := maxShown
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// reasonOf is the reason that the library's text of an error at evaluation
// stands for. The text is all there is: its types are its own.
func reasonOf(message string) error {
	switch {
	case message == ErrNoSuchKey.Error(), strings.HasPrefix(message, "no such key"), strings.HasPrefix(message, "index"), strings.HasPrefix(message, "no such attribute"):
		return ErrNoSuchKey
	case message == ErrType.Error(), strings.HasPrefix(message, "no such overload"), strings.HasPrefix(message, "type conversion error"),
		strings.HasPrefix(message, "got '"), strings.HasPrefix(message, "unsupported"):
		return ErrType
	}
	return ErrFailed
}
