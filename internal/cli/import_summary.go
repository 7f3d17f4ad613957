package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/countersign-auth/countersign"
)

// tally counts the lines of an import.
type tally struct {
	Lines        int64            `json:"lines"`
	Created      int64            `json:"created"` // in a dry run: would be sent
	AlreadyThere int64            `json:"already_there"`
	Refused      map[string]int64 `json:"refused"` // by error type
}

func newTally() tally { return tally{Refused: map[string]int64{}} }

// alreadyThere are the refusals that say only that somebody is known.
var alreadyThere = []string{
	countersign.ErrDuplicateEmail.Type,
	countersign.ErrDuplicatePhoneNumber.Type,
	countersign.ErrDuplicateUserExternalID.Type,
}

// count counts a line by the error type that it met, "" for none.
func (t *tally) count(errorType string) {
	t.Lines++
	switch {
	case errorType == "":
		t.Created++
	case slices.Contains(alreadyThere, errorType):
		t.AlreadyThere++
	default:
		t.Refused[errorType]++
	}
}

func (t *tally) refused() (n int64) {
	for count := range maps.Values(t.Refused) {
		n += count
	}
	return n
}

// summary is the answer of an import.
type summary struct {
	Lines         int64            `json:"lines"`
	Created       int64            `json:"created"`
	AlreadyThere  int64            `json:"already_there"`
	Refused       int64            `json:"refused"`
	RefusedByType map[string]int64 `json:"refused_by_type"`
	Report        *string          `json:"report"`        // nil if it would tell of nothing
	Fit           *int64           `json:"fit,omitempty"` // of a dry run: lines that would be sent
}

func (i *importer) summary(dryRun bool) summary {
	s := summary{
		Lines: i.tally.Lines, Created: i.tally.Created, AlreadyThere: i.tally.AlreadyThere,
		Refused: i.tally.refused(), RefusedByType: i.tally.Refused,
	}
	if dryRun {
		s.Created, s.Fit = 0, &i.tally.Created
	}
	if s.Refused+s.AlreadyThere > 0 {
		s.Report = &i.report.path
	}
	return s
}

func (s summary) write(t *text) {
	t.field("lines", number(s.Lines))
	if s.Fit != nil {
		t.field("fit to send", number(*s.Fit))
	} else {
		t.field("created", number(s.Created))
		t.field("already there", number(s.AlreadyThere))
	}
	t.field("refused", number(s.Refused))
	for _, errorType := range slices.Sorted(maps.Keys(s.RefusedByType)) {
		t.field("  "+errorType, number(s.RefusedByType[errorType]))
	}
	if s.Report != nil {
		t.field("report", *s.Report)
	}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// plural is a number with one or the other of two words behind it.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
