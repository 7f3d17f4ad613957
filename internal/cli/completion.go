package cli

import (
	"strings"

	"github.com/alecthomas/kong"
)

// completionCommand prints a script that is made of the grammar and needs
// nothing at run time: it never starts this binary.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help teaches the command.
func (completionCommand) Help() string {
	return `Makes Tab complete commands, flags and their values.

    countersign completion bash > /etc/bash_completion.d/countersign
    countersign completion zsh > "${fpath[1]}/_countersign"
    countersign completion fish > ~/.config/fish/completions/countersign.fish

Print it anew after an update.`
}

// Run prints the script.
func (c *completionCommand) Run(kctx *kong.Context, a *app) error {
	words := completionWords(kctx.Model.Node)
	var script string
	switch c.Shell {
	case "bash":
		script = bashCompletion(words)
	case "zsh":
		script = zshCompletion(words)
	default:
		script = fishCompletion(words)
	}
	_, err := a.stdout.Write([]byte(script))
	return err
}

// place is a command, "" for the program itself, and what may follow it.
type place struct {
	path     string // "profile key add"
	commands []word
	flags    []word
	file     bool // an argument is a file
}

// word is one completion.
type word struct {
	text   string
	help   string
	values []string // of a flag with a closed list
	file   bool     // a flag that takes a file
	takes  bool     // a flag that takes any value
}

// completionWords walks the grammar, the program itself first.
func completionWords(node *kong.Node) []place {
	at := place{path: node.Path()}
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			at.flags = append(at.flags, flagWords(flag)...)
		}
	}
	for _, arg := range node.Positional {
		at.file = at.file || arg.Tag.PlaceHolder == "FILE"
		if arg.Enum != "" {
			for _, value := range arg.EnumSlice() {
				at.commands = append(at.commands, word{text: value})
			}
		}
	}
	places := []place{at}
	for _, child := range node.Children {
		if child.Hidden {
			continue
		}
		places[0].commands = append(places[0].commands, word{text: child.Name, help: oneLine(child.Help)})
		places = append(places, completionWords(child)...)
	}
	return places
}

func flagWords(flag *kong.Flag) []word {
	w := word{text: "--" + flag.Name, help: oneLine(flag.Help)}
	if !flag.IsBool() {
		w.takes = true
		w.file = flag.PlaceHolder == "FILE"
		for _, value := range flag.EnumSlice() {
			if value != "" {
				w.values = append(w.values, value)
			}
		}
	}
	if flag.Tag.Negatable == "" {
		return []word{w}
	}
	return []word{w, {text: "--no-" + flag.Name, help: w.help}}
}

// oneLine is the first sentence of a help text, without what shells quote.
func oneLine(help string) string {
	first, _, _ := strings.Cut(help, ". ")
	first, _, _ = strings.Cut(first, ";")
	return strings.Trim(strings.NewReplacer("'", "", "\"", "", "`", "", "$", "", "\\", "", ":", " -", "[", "(", "]", ")").Replace(first), ".")
}

// texts are the words without their help.
func texts(words []word) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = w.text
	}
	return strings.Join(list, " ")
}
