// Package spelling guesses which name was meant by one that does not exist.
package spelling

import "strings"

// maxWord bounds what is guessed about, in bytes: nobody misspells longer names.
const maxWord = 64

// Nearest is the name that a misspelled one was probably meant to be, "" if none
// is near.
func Nearest(word string, names []string) string {
	if len(word) > maxWord {
		return ""
	}
	plain := strings.NewReplacer("_", "", "-", "", " ", "")
	word = plain.Replace(strings.ToLower(word))
	best, least := "", 0
	for _, name := range names {
		bare := plain.Replace(strings.ToLower(name))
		d := Distance(word, bare)
		if len(word) > 2 && (strings.Contains(bare, word) || strings.Contains(word, bare)) {
			d = min(d, 1)
		}
		if best == "" || d < least {
			best, least = name, d
		}
	}
	if least > len(word)/2 {
		return ""
	}
	return best
}

// Distance is how many bytes must be put in, taken out or replaced to make b of a
// (Levenshtein 1966).
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
