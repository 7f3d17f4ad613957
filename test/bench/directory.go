package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// importBatch is how many users one request brings.
const importBatch = 500

// The parts of names of which a directory is made.
var (
	firstNames = []string{"Ada", "Grace", "Edsger", "Barbara", "Donald", "Margaret", "Alan", "Radia", "Tony", "Frances"}
	lastNames  = []string{"Lovelace", "Hopper", "Dijkstra", "Liskov", "Knuth", "Hamilton", "Turing", "Perlman", "Hoare", "Allen"}
)

// benchDirectory measures the rows B1 and B2: searches in an environment of a few
// users and in one of many.
func benchDirectory(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("directory", flag.ExitOnError)
	small := flags.Int("small", 10_000, "users in the small environment")
	large := flags.Int("large", 1_000_000, "users in the large environment")
	repeat := flags.Int("repeat", 200, "runs of each search")
	engines := flags.String("engines", "sqlite,postgres", "databases, as a comma list")
	if err := flags.Parse(args); err != nil {
		return err
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "row\tsearch\tengine\tusers\tp50 ms\tmax ms\tCPU-ms\tratio\tbudget\tmet?\t")
	err := onEach(ctx, *engines, func(b *engineBench) error {
		for _, e := range []struct {
			env   *environment
			users int
		}{{b.rs256, *small}, {b.es256, *large}} {
			begin := time.Now()
			if err := b.fill(ctx, e.env, e.users); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "%s: %d users imported in %v\n", b.engine, e.users, time.Since(begin).Round(time.Millisecond))
		}
		return b.searches(ctx, t, *small, *large, *repeat)
	})
	return errors.Join(err, t.Flush())
}

// person is a user of a directory, by number.
func person(i int) (email, first, last string) {
	first, last = firstNames[i%len(firstNames)], lastNames[i/7%len(lastNames)]
	return fmt.Sprintf("%s.%s.%d@company%d.example", strings.ToLower(first), strings.ToLower(last), i, i%997), first, last
}

// fill imports users. A batch that the server had no time for is sent again: who
// is there already does no harm.
func (b *engineBench) fill(ctx context.Context, e *environment, users int) error {
	const senders, tries = 2, 5
	var next atomic.Int64
	failed := make([]error, senders)
	var group sync.WaitGroup
	for s := range senders {
		group.Go(func() {
			for failed[s] == nil {
				from := int(next.Add(1)-1) * importBatch
				if from >= users {
					return
				}
				var body bytes.Buffer
				body.WriteString(`{"users":[`)
				for i := from; i < min(users, from+importBatch); i++ {
					if i > from {
						body.WriteByte(',')
					}
					email, first, last := person(i)
					fmt.Fprintf(&body, `{"email":%q,"external_id":"crm-%d","name":{"first_name":%q,"last_name":%q},"trusted_metadata":{"plan":"pro"}}`, email, i, first, last)
				}
				body.WriteString(`]}`)
				for range tries {
					if failed[s] = e.call(b, "/v1/users/import", body.Bytes()).send(ctx, http.DefaultTransport); failed[s] == nil {
						break
					}
				}
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}

// searches times each search in both environments, one request after another.
func (b *engineBench) searches(ctx context.Context, w *tabwriter.Writer, small, large, repeat int) error {
	middle, _, _ := person(small / 2)
	for _, s := range []struct{ row, name, query string }{
		{"B1", "email_address", filter("email_address", `[`+strconv.Quote(middle)+`]`)},
		{"B1", "user_id, external", filter("user_id", `["crm-77"]`)},
		{"B1", "5 email_addresses", filter("email_address", emails(5))},
		{"B2", "email_address_fuzzy, in most", filter("email_address_fuzzy", `"company"`)},
		{"B2", "email_address_fuzzy, in few", filter("email_address_fuzzy", `"company77.ex"`)},
		{"B2", "email_address_fuzzy, in one", filter("email_address_fuzzy", `"dijkstra.12@"`)},
		{"B2", "email_address_fuzzy, in none", filter("email_address_fuzzy", `"nobody@nowhere"`)},
		{"B2", "full_name_fuzzy, in a tenth", filter("full_name_fuzzy", `"lovel"`)},
		{"B2", "full_name_fuzzy, in none", filter("full_name_fuzzy", `"zuse"`)},
		{"B2", "full_name_fuzzy and status", `{"query":{"operator":"AND","operands":[{"filter_name":"full_name_fuzzy","filter_value":"lovel"},{"filter_name":"status","filter_value":"pending"}]}}`},
		{"", "no filter", `{}`},
		{"", "status, in none", filter("status", `"pending"`)},
	} {
		var base float64
		for _, e := range []struct {
			env   *environment
			users int
		}{{b.rs256, small}, {b.es256, large}} {
			runs := repeat
			if s.row == "B1" { // so short that a few would be lost between two ticks of the clock
				runs *= 10
			}
			took, cpuMS, err := b.search(ctx, e.env, s.query, runs)
			if err != nil {
				return err
			}
			line := fmt.Sprintf("%s\t%s\t%s\t%d\t%.2f\t%.2f\t%.2f", s.row, s.name, b.engine, e.users, ms(took[len(took)/2]), ms(took[len(took)-1]), cpuMS)
			switch {
			case e.users == small:
				base = cpuMS
				line += "\t\t\t"
			case s.row == "B1":
				line += fmt.Sprintf("\t%.2f\t1.30\t%s", cpuMS/base, met(cpuMS <= 1.3*base))
			case s.row == "B2":
				line += fmt.Sprintf("\t\t50 ms\t%s", met(took[len(took)/2] <= 50*time.Millisecond))
			default:
				line += "\t\t\t"
			}
			_, _ = fmt.Fprintln(w, line+"\t")
		}
	}
	return nil
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

func filter(name, value string) string {
	return fmt.Sprintf(`{"query":{"operator":"AND","operands":[{"filter_name":%q,"filter_value":%s}]}}`, name, value)
}

func emails(n int) string {
	list := make([]string, n)
	for i := range list {
		email, _, _ := person(i * 100)
		list[i] = strconv.Quote(email)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// search runs one search several times: the times it took, sorted, and the CPU
// time of the server and the database for each.
func (b *engineBench) search(ctx context.Context, e *environment, query string, repeat int) (took []time.Duration, cpuMS float64, err error) {
	account := func() (time.Duration, error) { return b.account(b.server) }
	ask := func() error { return e.call(b, "/v1/users/search", []byte(query)).send(ctx, http.DefaultTransport) }
	for range 3 {
		if err := ask(); err != nil {
			return nil, 0, err
		}
	}
	before, err := account()
	if err != nil {
		return nil, 0, err
	}
	for range repeat {
		begin := time.Now()
		if err := ask(); err != nil {
			return nil, 0, err
		}
		took = append(took, time.Since(begin))
	}
	after, err := account()
	slices.Sort(took)
	return took, ms(after-before) / float64(repeat), err
}
