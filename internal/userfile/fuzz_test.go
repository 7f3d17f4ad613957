package userfile_test

import (
	"encoding/csv"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/userfile"
)

// wellPlaced holds that lines stand where they say: each behind the other, its
// number the one that an editor shows, its end where the next is read from.
func wellPlaced(t *testing.T, f userfile.Format, text string, lines []userfile.Line) {
	t.Helper()
	var last userfile.Position
	for i, l := range lines {
		if l.End.Offset <= last.Offset || l.End.Offset > int64(len(text)) || l.Number <= last.Line || l.End.Line != int64(strings.Count(text[:l.End.Offset], "\n")) {
			t.Fatalf("line %d of %q ends at %v, the one before at %v", l.Number, text, l.End, last)
		}
		last = l.End
		if i != len(lines)/2 {
			continue
		}
		file := strings.NewReader(text)
		r, err := userfile.NewReader(file, f)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Resume(file, l.End); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(told(t, lines[i+1:]), told(t, all(t, r))); diff != "" {
			t.Errorf("behind line %d of %q (-want +got):\n%s", l.Number, text, diff)
		}
	}
}

// FuzzCSV holds that what encoding/csv takes for a file of two columns is read as
// it reads it, and that nothing else confuses the places of lines.
func FuzzCSV(f *testing.F) {
	for _, text := range []string{"a,b\n", "\"a,\n\"\"\",b\r\n\n c,", "\"a\"b,c\n\"d\n", "a\"\n\"\r\"\n", "a,\"b\"\r", ",\xff\n", ",\n\"\"\r\r\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const header = "email,external_id\n"
		lines := read(t, userfile.CSV, header+text)
		wellPlaced(t, userfile.CSV, header+text, lines)

		r := csv.NewReader(strings.NewReader(text))
		r.FieldsPerRecord = 2
		var want []string
		for {
			fields, err := r.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
			want = append(want, strings.TrimSpace(fields[0])+"\x00"+strings.TrimSpace(fields[1]))
		}
		var got []string
		for _, l := range lines {
			if l.Refused != nil && l.Refused.Message == "The line is not valid UTF-8." {
				return
			}
			if l.Refused != nil {
				t.Fatalf("%q: line %d is refused: %v", text, l.Number, l.Refused)
			}
			got = append(got, l.User.Email+"\x00"+l.User.ExternalID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	})
}

// FuzzJSONLines holds that a user that was read and written is read as the same.
func FuzzJSONLines(f *testing.F) {
	for _, text := range []string{
		`{"email":"a@b.example","name":{"first_name":"A"},"roles":["x"],"trusted_metadata":{"n":1.10}}`,
		"{}\r\n\n{\"first_name\":\"\\u0000\"}", `{"Email":"a"}`, "null\n[]\n{", `{"email":"a","email":"b"}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := read(t, userfile.JSONLines, text)
		wellPlaced(t, userfile.JSONLines, text, lines)
		for _, l := range lines {
			if l.Refused != nil {
				continue
			}
			written, err := countersign.EncodeJSON(l.User)
			if err != nil {
				t.Fatal(err)
			}
			if len(written) > userfile.MaxLine {
				return
			}
			again := read(t, userfile.JSONLines, string(written))
			if got := told(t, again); len(got) != 1 || got[0] != "1 "+string(written) {
				t.Errorf("%s is read as %q", written, got)
			}
		}
	})
}
