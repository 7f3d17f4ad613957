package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/countersign-auth/countersign"
)

// maxInput bounds every file and every standard input that a command reads.
const maxInput = 1 << 20

// settings is where values come from when a flag does not say them.
type settings struct {
	lookup    func(name string) (string, bool)
	stdin     io.Reader
	stdinUsed bool
}

// value is a variable's text; one that is set to nothing is not set.
func (s *settings) value(name string) string {
	text, _ := s.lookup(name)
	return text
}

// given reports whether the secret setting of that name is in the environment,
// in either of its forms.
func (s *settings) given(name string) bool {
	return s.value(name) != "" || s.value(name+"_FILE") != ""
}

// secret reads a secret setting. It has three forms, the first that is given
// wins: path, from a flag, where "-" is standard input; the variable name, which
// holds the secret itself; the variable name_FILE, which holds a path. Both
// variables at once are a usage error: nobody could tell which was meant. White
// space around a secret is no part of it. No form at all is "".
func (s *settings) secret(name, path string) (countersign.Bearer, error) {
	source := path
	if path == "" {
		held, file := s.value(name), s.value(name+"_FILE")
		if held != "" && file != "" {
			return "", usage(name+" and "+name+"_FILE are both set", "unset one of them")
		}
		if held != "" {
			return countersign.Bearer(strings.TrimSpace(held)), nil
		}
		if file == "" {
			return "", nil
		}
		path, source = file, name+"_FILE ("+file+")"
	}
	text, err := s.read(path)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		if path == "-" {
			source = "standard input"
		}
		return "", failed(source+" is empty", "")
	}
	return countersign.Bearer(secret), nil
}

// read reads a whole file of at most maxInput bytes; "-" is standard input,
// which can be had once.
func (s *settings) read(path string) ([]byte, error) {
	if path == "-" {
		stdin, err := s.takeStdin()
		if err != nil {
			return nil, err
		}
		return readAll(stdin, "standard input")
	}
	f, err := os.Open(path)
	if err != nil && strings.HasPrefix(path, "eyJ") && strings.Count(path, ".") == 2 {
		// The argument is not repeated: it is a token (RFC 7519 begins with {").
		return nil, usage("there is no such file; what was given looks like a token itself",
			"every process of the machine can read arguments; put it into a file, pipe it (-) or set the variable")
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readAll(f, path)
}

// takeStdin is standard input, for whoever asks first.
func (s *settings) takeStdin() (io.Reader, error) {
	if s.stdinUsed {
		return nil, usage("standard input (-) is asked for twice", "give one of the two as a file or in the environment")
	}
	s.stdinUsed = true
	return s.stdin, nil
}

func readAll(r io.Reader, name string) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(text) > maxInput {
		return nil, fmt.Errorf("read %s: more than %d bytes", name, maxInput)
	}
	return text, nil
}

// resolve answers kong with the variable of a flag that was not given.
func (s *settings) resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if text := s.value(name); text != "" {
			return text, nil
		}
	}
	return nil, nil
}

// takeEnvs keeps the variables' names on the flags, for help and resolve, and
// takes them from where kong would look them up by itself.
func takeEnvs(node *kong.Node) {
	for _, flag := range node.Flags {
		flag.Tag.Envs = nil
	}
	for _, child := range node.Children {
		takeEnvs(child)
	}
}
