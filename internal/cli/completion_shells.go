package cli

import (
	"fmt"
	"strings"
)

// bashCompletion finds the command in the words so far, then offers what may
// follow it. A "case" per flag with a closed list or a file comes before.
func bashCompletion(places []place) string {
	var b strings.Builder
	b.WriteString(`# bash completion for countersign
_countersign() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at= words= files= i
  # bash takes = for a word of its own: --type=e is three words.
  if [ "$cur" = = ]; then cur=; elif [ "$prev" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at ${COMP_WORDS[i]}" in
`)
	fmt.Fprintf(&b, "    %s) at=\"$at ${COMP_WORDS[i]}\" ;;\n", casePattern(places))
	b.WriteString("    esac\n  done\n  case \"$at $prev\" in\n")
	writeValues(&b, places,
		func(pattern, values string) string {
			return fmt.Sprintf("  %s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n", pattern, values)
		},
		func(pattern string) string {
			return fmt.Sprintf("  %s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", pattern)
		},
		func(pattern string) string { return fmt.Sprintf("  %s) return ;;\n", pattern) })
	b.WriteString("  esac\n  case \"$at\" in\n")
	for _, p := range places {
		files := ""
		if p.file {
			files = "files=-f "
		}
		fmt.Fprintf(&b, "  '%s') %swords='%s' ;;\n", at(p), files, strings.TrimSpace(texts(p.commands)+" "+texts(p.flags)))
	}
	b.WriteString(`  esac
  COMPREPLY=($(compgen $files -W "$words" -- "$cur"))
}
complete -o filenames -F _countersign countersign
`)
	return b.String()
}

// zshCompletion does the same with descriptions.
func zshCompletion(places []place) string {
	var b strings.Builder
	b.WriteString(`#compdef countersign
_countersign() {
  local at= files= i
  local -a words_
  for ((i = 2; i < CURRENT; i++)); do
    case "$at ${words[i]}" in
`)
	fmt.Fprintf(&b, "    %s) at=\"$at ${words[i]}\" ;;\n", casePattern(places))
	b.WriteString("    esac\n  done\n  case \"$at ${words[CURRENT-1]}\" in\n")
	writeValues(&b, places,
		func(pattern, values string) string {
			return fmt.Sprintf("  %s) compadd -- %s; return ;;\n", pattern, values)
		},
		func(pattern string) string { return fmt.Sprintf("  %s) _files; return ;;\n", pattern) },
		func(pattern string) string { return fmt.Sprintf("  %s) return ;;\n", pattern) })
	b.WriteString("  esac\n  case \"$at\" in\n")
	for _, p := range places {
		fmt.Fprintf(&b, "  '%s') words_=(", at(p))
		for _, list := range [][]word{p.commands, p.flags} {
			for _, w := range list {
				fmt.Fprintf(&b, "\n    '%s:%s'", w.text, w.help)
			}
		}
		b.WriteString(")")
		if p.file {
			b.WriteString("\n    files=1")
		}
		b.WriteString(" ;;\n")
	}
	b.WriteString(`  esac
  _describe countersign words_
  if [ -n "$files" ]; then _files; fi
}
if [ "${funcstack[1]}" = _countersign ]; then _countersign "$@"; else compdef _countersign countersign; fi
`)
	return b.String()
}

// fishCompletion is one line a word, under the condition of its place.
func fishCompletion(places []place) string {
	var b strings.Builder
	b.WriteString(`# fish completion for countersign
function __countersign_at
  set -l at
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
`)
	for _, p := range places {
		if p.path != "" {
			fmt.Fprintf(&b, "      case '%s'\n        set at \"$at $word\"\n", at(p))
		}
	}
	b.WriteString("    end\n  end\n  test \"$at\" = \"$argv[1]\"\nend\ncomplete -c countersign -f\n")
	for _, p := range places {
		if p.file {
			fmt.Fprintf(&b, "complete -c countersign -n \"__countersign_at '%s'\" -F\n", at(p))
		}
		for _, w := range p.commands {
			fmt.Fprintf(&b, "complete -c countersign -n \"__countersign_at '%s'\" -a %s -d '%s'\n", at(p), w.text, w.help)
		}
		for _, w := range p.flags {
			fmt.Fprintf(&b, "complete -c countersign -n \"__countersign_at '%s'\" -l %s%s -d '%s'\n", at(p), strings.TrimPrefix(w.text, "--"), fishValue(w), w.help)
		}
	}
	return b.String()
}

func fishValue(w word) string {
	switch {
	case len(w.values) > 0:
		return fmt.Sprintf(" -x -a '%s'", strings.Join(w.values, " "))
	case w.file:
		return " -r -F"
	case w.takes:
		return " -x"
	default:
		return ""
	}
}

// at is how the scripts write a place: each word with a space before it.
func at(p place) string {
	if p.path == "" {
		return ""
	}
	return " " + p.path
}

// casePattern matches every command's path.
func casePattern(places []place) string {
	var paths []string
	for _, p := range places {
		if p.path != "" {
			paths = append(paths, "'"+at(p)+"'")
		}
	}
	return strings.Join(paths, "|")
}

// writeValues writes a case for each flag that takes a value: a closed list, a
// file, or something that nobody can guess.
func writeValues(b *strings.Builder, places []place, list func(pattern, values string) string, file, other func(pattern string) string) {
	for _, p := range places {
		for _, w := range p.flags {
			pattern := "'" + at(p) + " " + w.text + "'"
			switch {
			case len(w.values) > 0:
				b.WriteString(list(pattern, strings.Join(w.values, " ")))
			case w.file:
				b.WriteString(file(pattern))
			case w.takes:
				b.WriteString(other(pattern))
			}
		}
	}
}
