package eventstream_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestTwoNodesDeliverEachEventOnce lets two nodes on one database deliver as
// fast as they can while things happen.
func TestTwoNodesDeliverEachEventOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.Postgres(t))
	r.stream(r.loki())
	nodes := []*node{r.node, r.newNode()}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for _, n := range nodes {
		wg.Go(func() {
			for {
				if err := n.Deliver(t.Context()); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	var want []string
	for i := range 300 {
		object := fmt.Sprint(i)
		r.happen(object)
		r.clock.Advance(100 * time.Millisecond)
		want = append(want, object)
	}
	close(stop)
	wg.Wait()
	r.deliver()
	r.wantTook("two nodes", strings.Join(want, " "))
	for i, n := range nodes {
		if !strings.Contains(n.scrape(), `outcome="delivered"`) {
			t.Errorf("node %d delivered nothing", i)
		}
	}
}

// TestLeaseOfAHangingNodeExpires lets a node hang in a request until its lease is
// over: another one delivers meanwhile, and what the first one sent is sent
// twice, but no later event is lost or sent before an earlier one.
func TestLeaseOfAHangingNodeExpires(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.Postgres(t))
	r.stream(r.loki())
	hanging, release := make(chan struct{}), make(chan struct{})
	r.sink.before = func(n int) {
		if n == 1 {
			close(hanging)
			<-release
		}
	}
	r.happen("a", "b")
	r.clock.Advance(6 * time.Second)
	done := make(chan error, 1)
	go func() { done <- r.Deliver(t.Context()) }()
	<-hanging

	second := r.newNode()
	deliver := func() {
		t.Helper()
		if err := second.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	deliver()
	r.wantTook("while the lease stands", "")
	r.clock.Advance(time.Minute)
	deliver()
	r.wantTook("when it is over", "a b")
	r.happen("c")
	r.clock.Advance(6 * time.Second)
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	deliver()
	r.pass()
	got := strings.Fields(r.sink.took())
	slices.Sort(got)
	if fmt.Sprint(got) != "[a a b b c]" {
		t.Errorf("in the end: delivered %q", r.sink.took())
	}
}

// TestChangeTakesTheLease disables a stream and enables it again while a batch is
// under way: how that went says nothing about the stream as it is now.
func TestChangeTakesTheLease(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		r := newRig(t, database)
		d := r.loki()
		r.stream(d)
		hanging, release := make(chan struct{}), make(chan struct{})
		r.sink.before = func(n int) {
			if n == 1 {
				close(hanging)
				<-release
			}
		}
		r.happen("a")
		r.clock.Advance(6 * time.Second)
		done := make(chan error, 1)
		go func() { done <- r.Deliver(t.Context()) }()
		<-hanging
		if err := r.Disable(t.Context(), system, r.env.ID, d.Type); err != nil {
			t.Fatal(err)
		}
		r.enable(d.Type)
		close(release)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		r.happen("b")
		r.deliver()
		r.wantTook("enabled again", "a b")
	})
}
