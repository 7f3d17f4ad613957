package userfile_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/userfile"
)

// all reads a file to its end.
func all(t testing.TB, r *userfile.Reader) []userfile.Line {
	t.Helper()
	var lines []userfile.Line
	for {
		line, err := r.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatalf("Next: %v", err)
		}
		lines = append(lines, line)
	}
}

func read(t testing.TB, f userfile.Format, text string) []userfile.Line {
	t.Helper()
	r, err := userfile.NewReader(strings.NewReader(text), f)
	if err != nil {
		t.Fatalf("NewReader(%.100q): %v", text, err)
	}
	return all(t, r)
}

// told is a line as these tests compare it: its number, and the user as JSON or
// the type of refusal.
func told(t testing.TB, lines []userfile.Line) []string {
	t.Helper()
	var list []string
	for _, l := range lines {
		what, err := countersign.EncodeJSON(l.User)
		if err != nil {
			t.Fatal(err)
		}
		if l.Refused != nil {
			what = []byte(l.Refused.Type)
		}
		list = append(list, fmt.Sprintf("%d %s", l.Number, what))
	}
	return list
}

func TestCSV(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", userfile.MaxLine)
	tests := []struct {
		name, text string
		want       []string
	}{
		{"every column", "email,phone_number,first_name,middle_name,last_name,external_id,roles,trusted_metadata,untrusted_metadata,create_user_as_pending,email_verified,phone_number_verified\n" +
			`a@b.example,+15005550006,Ada,King,"Lovelace, Countess",e-1,"editor; admin;","{""n"":1.10}",{},true,1,FALSE` + "\n", []string{
			`2 {"email":"a@b.example","phone_number":"+15005550006","name":{"first_name":"Ada","middle_name":"King","last_name":"Lovelace, Countess"},"external_id":"e-1","roles":["editor","admin"],"trusted_metadata":{"n":1.10},"create_user_as_pending":true,"email_verified":true}`,
		}},
		{"another order, spaces, a byte order mark, CR LF, no last break", "\ufeff Email , external_id\r\n a@b.example ,\r\n\r\n,x", []string{`2 {"email":"a@b.example"}`, `4 {"external_id":"x"}`}},
		{"a record of two lines", "email,first_name\na@b.example,\"A\nB\"\nc@d.example,C\n", []string{
			`2 {"email":"a@b.example","name":{"first_name":"A\nB","middle_name":"","last_name":""}}`,
			`4 {"email":"c@d.example","name":{"first_name":"C","middle_name":"","last_name":""}}`,
		}},
		{"one bad line harms no other", "email,email_verified,trusted_metadata\na,b\n\"a\"b,,\na\"b,,\n,yes,\n,,[]\n,,\"{\"\n\xff,,\nc@d.example,,\n", []string{
			"2 invalid_csv", "3 invalid_csv", "4 invalid_csv", "5 invalid_field", "6 metadata_invalid_format", "7 metadata_invalid_format", "8 invalid_field", `9 {"email":"c@d.example"}`,
		}},
		{"a line that is too long", "email\n" + long + "y\n\"" + long + "\n\"\n" + long + "\na@b.example\n", []string{
			"2 line_too_long", "3 line_too_long", "5 {\"email\":\"" + long + "\"}", `6 {"email":"a@b.example"}`,
		}},
		{"a long quote that is left open", "email\na@b.example\n\"" + long + "\nc@d.example\n", []string{`2 {"email":"a@b.example"}`, "3 line_too_long"}},
		{"a short quote that is left open", "email\n\"a\nb\n", []string{"2 invalid_csv"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, told(t, read(t, userfile.CSV, tt.text))); diff != "" {
				t.Errorf("lines (-want +got):\n%.2000s", diff)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]userfile.HeaderError{
		"":                     {Problem: "the file is empty; its first line must name the columns"},
		"emial\n":              {Problem: `there is no column "emial"`, Nearest: "email"},
		"email,phone\n":        {Problem: `there is no column "phone"`, Nearest: "phone_number"},
		"email,firstName\n":    {Problem: `there is no column "firstName"`, Nearest: "first_name"},
		"email,shoe_size\n":    {Problem: `there is no column "shoe_size"`},
		"email,\n":             {Problem: `there is no column ""`},
		"email;first_name\n":   {Problem: "the columns of the first line are not separated by commas"},
		"email,Email\n":        {Problem: "the column email stands twice in the first line"},
		"first_name,roles\n":   {Problem: "the first line names neither email nor phone_number, and a user needs one of them"},
		"\"email\nx@y.example": {Problem: "the first line is not CSV: extraneous or missing \" in quoted-field"},
	} {
		_, err := userfile.NewReader(strings.NewReader(text), userfile.CSV)
		got, ok := errors.AsType[*userfile.HeaderError](err)
		if !ok {
			t.Errorf("NewReader(%q) = %v, want %v", text, err, want)
		} else if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("NewReader(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestJSONLines(t *testing.T) {
	t.Parallel()
	text := `{"email":"a@b.example","first_name":"Ada","roles":["editor"],"trusted_metadata":{"n":1.10,"s":"<"},"email_verified":true}
{"phone_number":"+15005550006","name":{"first_name":"Ada","last_name":"L"},"untrusted_metadata":null,"attributes":{"ip_address":"x"},"create_user_as_pending":true}

{"emial":"a@b.example"}
{"email":"a@b.example","name":{"given":"A"}}
{"email":1}
{"email":"a@b.example","roles":"editor"}
{"email":"a@b.example","trusted_metadata":[1]}
["email"]
null
{"email":"a@b.example"} {}
{"email":"` + strings.Repeat("x", userfile.MaxLine) + `"}
{"external_id":"last"}`
	want := []string{
		`1 {"email":"a@b.example","name":{"first_name":"Ada","middle_name":"","last_name":""},"roles":["editor"],"trusted_metadata":{"n":1.10,"s":"<"},"email_verified":true}`,
		`2 {"phone_number":"+15005550006","name":{"first_name":"Ada","middle_name":"","last_name":"L"},"create_user_as_pending":true}`,
		"4 unknown_field", "5 unknown_field", "6 invalid_field", "7 invalid_field", "8 metadata_invalid_format", "9 invalid_json", "10 invalid_json", "11 invalid_json", "12 line_too_long",
		`13 {"external_id":"last"}`,
	}
	lines := read(t, userfile.JSONLines, text)
	if diff := cmp.Diff(want, told(t, lines)); diff != "" {
		t.Errorf("lines (-want +got):\n%.2000s", diff)
	}
	if got := lines[2].Refused.Message; got != `There is no member "emial". Did you mean email?` {
		t.Errorf("message %q", got)
	}
	for _, l := range lines {
		if l.Refused != nil && strings.Contains(l.Refused.Message, "b.example") {
			t.Errorf("the message %q repeats what stands in the line", l.Refused.Message)
		}
	}
}

// TestResume holds that a reader that goes on reads what the first would have.
func TestResume(t *testing.T) {
	t.Parallel()
	for f, text := range map[userfile.Format]string{
		userfile.CSV:       "\ufeffemail,first_name\r\na,A\r\n\r\nb,\"B\r\nB\"\r\nc\r\nd,D",
		userfile.JSONLines: "{\"email\":\"a\"}\n\n{\"email\":1}\n{\"email\":\"b\"}",
	} {
		whole := read(t, f, text)
		for i, line := range whole {
			file := strings.NewReader(text)
			r, err := userfile.NewReader(file, f)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Resume(file, line.End); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(told(t, whole[i+1:]), told(t, all(t, r))); diff != "" {
				t.Errorf("%s, behind line %d (-want +got):\n%s", f, line.Number, diff)
			}
		}
	}
}

type failing struct{ io.Reader }

var errRead = errors.New("the disk is gone")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errRead
	}
	return n, err
}

func TestReadError(t *testing.T) {
	t.Parallel()
	if _, err := userfile.NewReader(failing{strings.NewReader("email\na\n")}, userfile.CSV); !errors.Is(err, errRead) {
		t.Errorf("NewReader = %v, want %v", err, errRead)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"mail": "email", "e-mail": "email", "Phone": "phone_number", "lastname": "last_name", "external": "external_id",
		"untrusted": "untrusted_metadata", "verified": "email_verified", "colour": "", "x": "", "": "",
	} {
		if got := userfile.Nearest(word, userfile.Columns()); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// BenchmarkCSV reads a usual line.
func BenchmarkCSV(b *testing.B) {
	line := `ada@example.com,Ada,"Lovelace, Countess",employee-1,"{""plan"":""pro""}",true` + "\n"
	text := "email,first_name,last_name,external_id,trusted_metadata,email_verified\n" + strings.Repeat(line, b.N)
	b.SetBytes(int64(len(line)))
	r, err := userfile.NewReader(strings.NewReader(text), userfile.CSV)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if l, err := r.Next(); err != nil || l.Refused != nil {
			b.Fatal(l, err)
		}
	}
}
