package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/cli"
)

// directory is a server that takes imports, and refuses by what an address says.
type directory struct {
	*server
	mu      sync.Mutex
	got     map[string]int // addresses, how often
	batches []int          // their sizes
	largest int            // body, in bytes
	before  func(batch int, w http.ResponseWriter) (answered bool)
}

func newDirectory(t *testing.T) *directory {
	t.Helper()
	d := &directory{server: newServer(t, 200, "{}"), got: map[string]int{}}
	d.Close()
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *directory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v1/debug/whoami" {
		_, _ = io.WriteString(w, `{"project_id":"project-test-1","name":"Acme"}`)
		return
	}
	raw, _ := io.ReadAll(r.Body)
	var body struct{ Users []struct{ Email string } }
	if err := json.Unmarshal(raw, &body); err != nil || r.URL.Path != "/v1/users/import" {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.batches = append(d.batches, len(body.Users))
	d.largest = max(d.largest, len(raw))
	if d.before != nil && d.before(len(d.batches), w) {
		return
	}
	results := []map[string]string{}
	for _, u := range body.Users {
		d.got[u.Email]++
		result := map[string]string{"user_id": "user-test-1", "error_type": "", "error_message": ""}
		for word, errorType := range map[string]string{"twice": "duplicate_email", "wrong": "invalid_email"} {
			if strings.Contains(u.Email, word) {
				result = map[string]string{"user_id": "", "error_type": errorType, "error_message": "m"}
			}
		}
		results = append(results, result)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"results": results})
}

// people is a CSV file of n users; line i+2 is person i. Each of odd is put in the
// place of a line.
func people(t *testing.T, n int, odd map[int]string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("email,external_id\n")
	for i := range n {
		if line, ok := odd[i+2]; ok {
			b.WriteString(line + "\n")
		} else {
			fmt.Fprintf(&b, "person%d@example.com,e-%d\n", i, i)
		}
	}
	return file(t, "users.csv", b.String())
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// left are the files beside one.
func left(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestImport(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	path := people(t, 1201, map[int]string{3: "twice@example.com,x", 700: "wrong@example.com,e-wrong", 701: "one,two,three", 1202: "wrong,"})
	got := run(t, command{args: []string{"user", "import", path}, env: d.env()})
	want := result{
		cli.ExitFailed,
		"lines            1201\ncreated          1197\nalready there    1\nrefused          3\n  invalid_csv    1\n  invalid_email  2\nreport           " + path + ".refused.jsonl\n",
		"Importing " + path + " into project-test-1 (Acme).\ncountersign: 3 lines were refused\n  hint: correct those that " + path + ".refused.jsonl tells of, and import the file again: who is there already is passed over\n",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	const report = `{"line":3,"error_type":"duplicate_email","error_message":"m","email":"twice@example.com","external_id":"x"}
{"line":700,"error_type":"invalid_email","error_message":"m","email":"wrong@example.com","external_id":"e-wrong"}
{"line":701,"error_type":"invalid_csv","error_message":"The line has 3 fields, the first line of the file 2."}
{"line":1202,"error_type":"invalid_email","error_message":"m","email":"wrong"}
`
	if diff := cmp.Diff(report, content(t, path+".refused.jsonl")); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"users.csv", "users.csv.refused.jsonl"}, left(t, path)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if slices.Sort(d.batches); !slices.Equal(d.batches, []int{201, 499, 500}) {
		t.Errorf("batches of %v", d.batches)
	}
}

// TestImportAgain holds that people who are there already are no failure.
func TestImportAgain(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	path := people(t, 2, map[int]string{2: "twice@example.com,"})
	got := run(t, command{args: []string{"user", "import", path, "--json", "--quiet"}, env: d.env()})
	want := result{stdout: `{
  "lines": 2,
  "created": 1,
  "already_there": 1,
  "refused": 0,
  "refused_by_type": {},
  "report": "` + path + `.refused.jsonl"
}
`}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

// TestImportInterrupted interrupts an import while batches are under way, and
// goes on.
func TestImportInterrupted(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	path := people(t, 4000, map[int]string{3: "wrong@example.com,", 3900: "wrong@example.com,"})
	ctx, interrupt := context.WithCancel(t.Context())
	d.before = func(batch int, _ http.ResponseWriter) bool {
		if batch == 2 {
			interrupt()
		}
		return false
	}
	env := d.env()
	var stderr bytes.Buffer
	code := cli.Main(ctx, cli.Process{
		Args: []string{"user", "import", path}, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &stderr,
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Now:       func() time.Time { return now },
	})
	if code != cli.ExitFailed || !strings.Contains(stderr.String(), "\ncountersign: interrupted; ") || !strings.HasSuffix(stderr.String(), "  hint: run the same command again to go on from there\n") {
		t.Fatalf("exit code %d, stderr %q", code, stderr.String())
	}
	var checkpoint struct {
		Position struct{ Line int64 }
		Counts   struct{ Created int64 }
	}
	if err := json.Unmarshal([]byte(content(t, path+".countersign-import")), &checkpoint); err != nil {
		t.Fatal(err)
	}
	if done := int64(len(d.got)); checkpoint.Counts.Created != done-1 || checkpoint.Position.Line != done+1 || done == 4000 {
		t.Errorf("checkpoint %+v, the server has %d", checkpoint, done)
	}
	d.before = nil
	got := run(t, command{args: []string{"user", "import", path}, env: env})
	if got.code != cli.ExitFailed || !strings.Contains(got.stdout, "created          3998\n") || !strings.Contains(got.stderr, fmt.Sprintf("Going on behind line %d, where", checkpoint.Position.Line)) {
		t.Errorf("exit code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
	}
	if n := d.got["wrong@example.com"]; n != 2 || len(d.got) != 3999 || slices.Max(slices.Collect(maps.Values(d.got))) != 2 {
		t.Errorf("the server got %d addresses, the odd one %d times", len(d.got), n)
	}
	if report := content(t, path+".refused.jsonl"); strings.Count(report, "\n") != 2 {
		t.Errorf("report %q", report)
	}
	if names := left(t, path); len(names) != 2 {
		t.Errorf("left behind: %v", names)
	}
}

// TestImportTriesAgain holds what is tried again, and what is not.
func TestImportTriesAgain(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	path := people(t, 1, nil)
	d.before = func(batch int, w http.ResponseWriter) bool {
		switch batch {
		case 1, 2:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader([]int{429, 503}[batch-1])
			_, _ = fmt.Fprintf(w, `{"error_type":"too_many_requests","error_message":"m%d"}`, batch)
		case 3:
			panic(http.ErrAbortHandler)
		}
		return batch < 3
	}
	got := run(t, command{args: []string{"user", "import", path}, env: d.env()})
	if got.code != 0 || d.got["person0@example.com"] != 1 || strings.Count(got.stderr, "; trying again in ") != 3 {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
	d.before = func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(401)
		_, _ = io.WriteString(w, `{"error_type":"unauthorized_credentials","error_message":"m"}`)
		return true
	}
	sent := len(d.batches)
	got = run(t, command{args: []string{"user", "import", path}, env: d.env()})
	if got.code != 1 || len(d.batches) != sent+1 || !strings.Contains(got.stderr, "countersign: unauthorized_credentials: m\n  hint: check COUNTERSIGN_PROJECT_ID") ||
		!strings.Contains(got.stderr, "; then run the same command again to go on from there\n") {
		t.Errorf("exit code %d, %d batches, stderr %q", got.code, len(d.batches)-sent, got.stderr)
	}
}

// TestImportCheckpoint holds that a checkpoint is good for what it was made of
// alone.
func TestImportCheckpoint(t *testing.T) {
	t.Parallel()
	const good = `{"version":1,"project_id":"project-test-1","size":42,"sha256_64k":"SHA","format":"csv","position":{"offset":18,"line":1},"counts":{"lines":7,"created":7,"already_there":0,"refused":{}},"report":"REPORT","report_size":0}`
	tests := []struct {
		name     string
		old, new string // in good
		args     []string
		code     int
		want     string // within stderr, or stdout if code is 0
	}{
		{"of this import", "", "", nil, 0, "created        8\n"},
		{"begun again", "", "", []string{"--restart"}, 0, "created        1\n"},
		{"another file", `"size":42`, `"size":1`, nil, 1, "is not the file any more"},
		{"another beginning", `"SHA"`, `"0"`, nil, 1, "hint: add --restart to begin again"},
		{"another format", `"csv"`, `"jsonl"`, nil, 1, "is not the file any more"},
		{"another environment", "project-test-1", "project-test-2", nil, 1, "is of an import into project-test-2, not project-test-1"},
		{"another report", "", "", []string{"--report", "/elsewhere"}, 2, "the interrupted import reports to"},
		{"a report that lost lines", `"report_size":0`, `"report_size":1`, nil, 1, "has lost lines"},
		{"another version", `"version":1`, `"version":2`, nil, 1, "is not what an import of this version left"},
		{"no JSON", `{`, ``, nil, 1, "hint: add --restart"},
		{"no JSON, begun again", `{`, ``, []string{"--restart"}, 0, "created        1\n"},
		{"a dry run between", "", "", []string{"--dry-run"}, 2, "hint: finish that import first, or give another --report"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectory(t)
			path := people(t, 1, nil)
			text := strings.NewReplacer("SHA", "ce7b486197e11627262a1d6ad708fc45de246d5c4f9b639553de9bdf2ba58472", "REPORT", path+".refused.jsonl").Replace(strings.Replace(good, tt.old, tt.new, 1))
			if err := os.WriteFile(path+".countersign-import", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			got := run(t, command{args: append([]string{"user", "import", path}, tt.args...), env: d.env()})
			out := got.stderr
			if tt.code == 0 {
				out = got.stdout
			}
			if got.code != tt.code || !strings.Contains(out, tt.want) || (tt.code == 0) != (len(d.batches) == 1) {
				t.Errorf("exit code %d, %d batches, stdout %q, stderr %q; want %d and %q", got.code, len(d.batches), got.stdout, got.stderr, tt.code, tt.want)
			}
		})
	}
}

func TestImportDryRun(t *testing.T) {
	t.Parallel()
	path := file(t, "users.jsonl", `{"email":"ada@example.com","roles":["nobody knows"]}
{"email":"no address"}
{"first_name":"Ada"}
{"phone_number":"123"}
{"email":"b@example.com","external_id":"a b"}
{"email":"c@example.com","trusted_metadata":{"long":"`+strings.Repeat("x", 5000)+`"}}
`)
	got := run(t, command{args: []string{"user", "import", path, "--dry-run", "--json"}})
	if got.code != 1 || !strings.Contains(got.stdout, `"created": 0`) || !strings.Contains(got.stdout, `"fit": 1`) || !strings.Contains(got.stderr, "5 lines were refused") {
		t.Errorf("exit code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
	}
	var types []string
	for line := range strings.Lines(content(t, path+".refused.jsonl")) {
		var r struct {
			Type string `json:"error_type"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		types = append(types, r.Type)
	}
	want := []string{"invalid_email", "invalid_create_user_request", "invalid_phone_number", "invalid_argument", "metadata_too_large"}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Errorf("error types (-want +got):\n%s", diff)
	}
	if names := left(t, path); len(names) != 2 {
		t.Errorf("left behind: %v", names)
	}
}

// TestImportStdin pipes lines that are too large for 500 of them to be sent at
// once.
func TestImportStdin(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	var lines strings.Builder
	for i := range 60 {
		fmt.Fprintf(&lines, `{"email":"p%d@example.com","trusted_metadata":{"t":"%s"}}`+"\n", i, strings.Repeat("x", 60<<10))
	}
	report := filepath.Join(t.TempDir(), "report")
	got := run(t, command{args: []string{"user", "import", "-", "--format", "jsonl", "--report", report, "--quiet"}, env: d.env(), stdin: strings.NewReader(lines.String())})
	if got.code != 0 || got.stderr != "" || len(d.got) != 60 || d.largest > 900<<10+100 || len(d.batches) < 4 {
		t.Errorf("exit code %d, stderr %q, %d users in %d batches, the largest of %d bytes", got.code, got.stderr, len(d.got), len(d.batches), d.largest)
	}
	if _, err := os.Stat(report); !os.IsNotExist(err) {
		t.Errorf("an empty report is left: %v", err)
	}
}

func TestImportRefusals(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	path := people(t, 1, nil)
	misspelled := file(t, "misspelled.csv", "emial\nx\n")
	tests := []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"an unknown column", []string{misspelled}, 2, []string{`misspelled.csv: there is no column "emial"`, "hint: did you mean email? the columns are email, phone_number, first_name"}},
		{"no format", []string{"-"}, 2, []string{"hint: add --format csv or --format jsonl"}},
		{"no file", []string{path + "x", "--format", "csv"}, 1, []string{"no such file"}},
		{"a report in the place of the file", []string{path, "--report", path}, 2, []string{"the report would replace the file of users"}},
		{"standard input twice", []string{"-", "--format", "csv", "--secret-file", "-"}, 2, []string{"standard input (-) is asked for twice"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, command{args: append([]string{"user", "import"}, tt.args...), env: d.env(), stdin: strings.NewReader("email\n")})
			for _, want := range tt.want {
				if got.code != tt.code || !strings.Contains(got.stderr, want) {
					t.Errorf("exit code %d, stderr %q; want %d and %q", got.code, got.stderr, tt.code, want)
				}
			}
		})
	}
	t.Cleanup(func() {
		if len(d.batches) > 0 || len(left(t, path)) != 1 {
			t.Errorf("%d batches were sent, %v is left", len(d.batches), left(t, path))
		}
	})
}

// TestImportProgress moves the clock by a second with each look at it.
func TestImportProgress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		stderr interface {
			io.Writer
			String() string
		}
		want, never string
	}{
		{"a bar", &screen{}, "\r\x1b[K[###########.............] 49%  500 lines, ", "\n[#"},
		{"lines", &bytes.Buffer{}, "% ", "\r"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectory(t)
			env := d.env()
			clock := now
			var mu sync.Mutex
			lines := 1000
			if tt.name == "lines" {
				lines = 10_000
			}
			code := cli.Main(t.Context(), cli.Process{
				Args: []string{"user", "import", people(t, lines, nil)}, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: tt.stderr,
				LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
				Now:       func() time.Time { mu.Lock(); defer mu.Unlock(); clock = clock.Add(time.Second); return clock },
			})
			got := tt.stderr.String()
			if code != 0 || !strings.Contains(got, tt.want) || !strings.Contains(got, "s left") || strings.Contains(got, tt.never) {
				t.Errorf("exit code %d, stderr %q", code, got)
			}
		})
	}
}

// TestImportNothingDone holds that an import that came nowhere leaves nothing.
func TestImportNothingDone(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	d.before = func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"error_type":"invalid_consumer_endpoint","error_message":"m"}`)
		return true
	}
	path := people(t, 1, nil)
	got := run(t, command{args: []string{"user", "import", path, "--report", "/dev/null"}, env: d.env()})
	if names := left(t, path); got.code != 1 || len(names) != 1 || !strings.Contains(got.stderr, "vertical CONSUMER; then run the same command again") {
		t.Errorf("exit code %d, stderr %q, %v is left", got.code, got.stderr, names)
	}
	if _, err := os.Stat("/dev/null"); err != nil {
		t.Error(err)
	}
}
