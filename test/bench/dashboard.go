package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/trust"
)

// benchDashboard measures the row D1: how long the server takes for each page of the
// dashboard, and for what its forms filter by, of an environment with many of
// everything.
func benchDashboard(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("dashboard", flag.ExitOnError)
	scale := flags.Float64("scale", 1, "of 1,000,000 users, 5,000,000 sessions and 10,000,000 verdicts")
	repeat := flags.Int("repeat", 5, "visits of each page")
	engines := flags.String("engines", "sqlite,postgres", "databases, as a comma list")
	if err := flags.Parse(args); err != nil {
		return err
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "row\tengine\tp50 ms\tmax ms\tbudget\tmet?\tpage")
	err := onEach(ctx, *engines, func(b *engineBench) error {
		if err := b.gather(ctx, *scale); err != nil {
			return err
		}
		return b.visitAll(ctx, t, *repeat)
	})
	return errors.Join(err, t.Flush())
}

// database is the server's --database.
func (b *engineBench) database() string {
	return b.serverArgs[slices.Index(b.serverArgs, "--database")+1]
}

// gather fills the environment of ES256. Sessions and verdicts are stored by the
// server's own code while it is stopped, or ten million would take a day.
func (b *engineBench) gather(ctx context.Context, scale float64) error {
	users, sessions, verdicts := int(1e6*scale), int(5e6*scale), int(10e6*scale)
	tell := func(what string, n int, begin time.Time) {
		fmt.Fprintf(os.Stderr, "%s: %d %s in %v\n", b.engine, n, what, time.Since(begin).Round(time.Second))
	}
	begin := time.Now()
	if err := b.fill(ctx, b.es256, users); err != nil {
		return err
	}
	tell("users", users, begin)
	if err := b.server.stop(); err != nil {
		return err
	}
	people, err := b.people(ctx)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Config{Database: b.database(), Now: time.Now})
	if err != nil {
		return err
	}
	env, err1 := countersign.ParseID[countersign.EnvironmentID](b.es256.project)
	profile, err2 := countersign.ParseID[countersign.ProfileID](b.es256.profile)
	err = errors.Join(err1, err2)
	c := crowd{env, profile, people}
	for _, part := range []struct {
		what string
		n    int
		fill func(context.Context, *store.Store, int) error
	}{{"sessions", sessions, c.fillSessions}, {"verdicts", verdicts, c.fillVerdicts}} {
		if err == nil {
			begin = time.Now()
			err = part.fill(ctx, s, part.n)
			tell(part.what, part.n, begin)
		}
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	b.server, err = startProcess(ctx, strings.TrimPrefix(b.server.url, "http://"), b.serverEnv, b.binary, b.serverArgs...)
	return err
}

// people are the IDs of all users.
func (b *engineBench) people(ctx context.Context) (list []countersign.PersonID, err error) {
	driver, source := "sqlite", b.database()
	if b.engine == "postgres" {
		driver = "pgx"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, `SELECT user_id FROM users`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id countersign.PersonID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		list = append(list, id)
	}
	return list, rows.Err()
}

const month = 30 * 24 * time.Hour

// crowd is who is in the environment.
type crowd struct {
	env     countersign.EnvironmentID
	profile countersign.ProfileID
	people  []countersign.PersonID
}

// fillSessions stores sessions of the last month, of which half are over.
func (c crowd) fillSessions(ctx context.Context, s *store.Store, n int) error {
	const batch = 5000
	now := time.Now()
	for from := 0; from < n; from += batch {
		err := s.Update(ctx, countersign.System(), func(tx *store.Tx) error {
			for i := from; i < min(n, from+batch); i++ {
				at := now.Add(-month + month*time.Duration(i)/time.Duration(n))
				session := countersign.Session{
					ID: countersign.NewOrderedID[countersign.SessionID](countersign.Test, at), PersonID: c.people[i/5%len(c.people)],
					StartedAt: at, LastAccessedAt: at, ExpiresAt: at.Add(month / 2), Nonce: make([]byte, 16),
					Factors: []countersign.Factor{{ProfileID: c.profile, TokenID: fmt.Sprint("token-", i), KeyID: "k1", LastAuthenticatedAt: at, CreatedAt: at, UpdatedAt: at}},
				}
				if err := tx.InsertSession(ctx, c.env, session); err != nil {
					return err
				}
			}
			return tx.Record(ctx, c.env, "bench.filled", c.env.String(), nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fillVerdicts stores verdicts of the last month: most accepted, some reasons
// frequent and one rare. Those of one person come together, or the index of people
// would be written all over, which takes hours and finds no differently.
func (c crowd) fillVerdicts(ctx context.Context, s *store.Store, n int) error {
	const batch = 5120
	now := time.Now()
	list := make([]countersign.Verdict, 0, batch)
	for i := range n {
		at := now.Add(-month + month*time.Duration(i)/time.Duration(n))
		v := countersign.Verdict{
			EnvironmentID: c.env, RequestID: countersign.NewOrderedID[countersign.RequestID](countersign.Test, at), At: at, ProfileID: c.profile,
			PersonID: c.people[i/10%len(c.people)], Address: "203.0.113.7",
			Facts: countersign.TokenFacts{Algorithm: "ES256", KeyID: "k1", Issuer: "https://idp.example.com", Audiences: []string{"countersign"}, ExpiresAt: at, ClaimNames: []string{"aud", "exp", "iss"}},
		}
		var reason trust.Reason
		switch {
		case i%100_003 == 7:
			reason = trust.AudienceMismatch
		case i%20 == 0:
			reason = trust.Expired
		case i%50 == 1:
			reason = trust.SignatureInvalid
		}
		if reason != "" {
			v.Reason, v.Step, v.PersonID = string(reason), string(trust.StepOf(reason)), countersign.PersonID{}
		}
		if list = append(list, v); len(list) == batch || i == n-1 {
			if err := s.SaveVerdicts(ctx, list, nil); err != nil {
				return err
			}
			list = list[:0]
		}
	}
	return nil
}

// visitAll signs an operator in and visits every page that can be reached by links,
// three of each kind, and those that only forms lead to.
func (b *engineBench) visitAll(ctx context.Context, w io.Writer, repeat int) error {
	link, err := b.manage(ctx, "/pwa/v3/operator_links", map[string]any{"name": "bench", "role": "owner"}, "path")
	if err != nil {
		return err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	v := visitor{client: &http.Client{Jar: jar}, server: b.server.url, base: "/dashboard/p/es256/e"}
	u, err := url.Parse(link)
	if err != nil {
		return err
	}
	if _, _, err := v.send(ctx, http.MethodPost, "/dashboard/sign-in", url.Values{"link": {u.Query().Get("link")}}); err != nil {
		return err
	}
	email, first, _ := person(4711)
	queue := []string{v.base, "/dashboard/projects", "/dashboard/operators"}
	for _, filtered := range []string{
		"/users?by=email&find=" + url.QueryEscape(email), "/users?by=email&find=nobody%40nowhere", "/users?by=name&find=" + first, "/users?by=name&find=zuse",
		"/users?by=id&find=crm-77", "/users?by=email_part&find=company77.ex", "/users?by=phone&find=4179", "/users?by=status&find=pending",
		"/verdicts?reason=expired", "/verdicts?reason=audience_mismatch", "/verdicts?reason=key_not_found", "/verdicts?reason=accepted",
		"/verdicts?profile=" + b.es256.profile, "/verdicts?profile=" + b.es256.profile + "&reason=audience_mismatch", "/verdicts?since=2020-01-01&until=2020-01-02",
		"/verdicts?since=" + time.Now().Add(-month/2).Format(time.DateOnly) + "&reason=audience_mismatch",
		"/sessions", "/events", "/revocations?profile=" + b.es256.profile,
	} {
		queue = append(queue, v.base+filtered)
	}
	kinds, seen := map[string]int{}, map[string]bool{}
	var visited []page
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		p, links, err := v.visit(ctx, path, repeat)
		if err != nil {
			return err
		}
		visited = append(visited, p)
		for _, link := range links {
			kind := variable.ReplaceAllString(link, "…")
			if (strings.HasPrefix(link, v.base) || kind == link) && kinds[kind] < 3 {
				kinds[kind]++
				queue = append(queue, link)
			}
		}
	}
	counted, err := v.timed(ctx, http.MethodPost, v.base+"/revocations", url.Values{"profile": {b.es256.profile}}, repeat) // without confirm, they are counted
	if err != nil {
		return err
	}
	visited = append(visited, counted)
	slices.SortFunc(visited, func(a, b page) int { return cmp.Compare(b.most, a.most) })
	for _, p := range visited {
		_, _ = fmt.Fprintf(w, "D1\t%s\t%.1f\t%.1f\t100\t%s\t%s\n", b.engine, ms(p.median), ms(p.most), met(p.most <= 100*time.Millisecond), strings.TrimPrefix(p.path, v.base))
	}
	return nil
}

// variable is what differs between addresses of one kind of page.
var variable = regexp.MustCompile(`[a-z-]+-(?:test|live)-[0-9a-f-]{36}|cursor=[^&]*|since=[^&]*|until=[^&]*`)

// page is one that was visited, and how long it took until the answer was there. The
// client is on the same machine, so that is the server's time.
type page struct {
	path         string
	median, most time.Duration
}

type visitor struct {
	client       *http.Client
	server, base string
}

var href = regexp.MustCompile(`href="(/dashboard[^"#]*)`)

func (v visitor) visit(ctx context.Context, path string, repeat int) (p page, links []string, err error) {
	if p, err = v.timed(ctx, http.MethodGet, path, nil, repeat); err != nil {
		return p, nil, err
	}
	text, _, err := v.send(ctx, http.MethodGet, path, nil)
	for _, m := range href.FindAllStringSubmatch(text, -1) {
		if link := html.UnescapeString(m[1]); !strings.Contains(link, "/assets/") {
			links = append(links, link)
		}
	}
	return p, links, err
}

func (v visitor) timed(ctx context.Context, method, path string, form url.Values, repeat int) (page, error) {
	var took []time.Duration
	for range repeat {
		_, t, err := v.send(ctx, method, path, form)
		if err != nil {
			return page{}, err
		}
		took = append(took, t)
	}
	slices.Sort(took)
	return page{path, took[len(took)/2], took[len(took)-1]}, nil
}

func (v visitor) send(ctx context.Context, method, path string, form url.Values) (text string, took time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, method, v.server+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", v.server)
	}
	begin := time.Now()
	answer, err := v.client.Do(r)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	took = time.Since(begin)
	if answer.StatusCode != http.StatusOK { // after redirections
		return "", took, fmt.Errorf("%s %s: %s", method, path, answer.Status)
	}
	return string(body), took, err
}
