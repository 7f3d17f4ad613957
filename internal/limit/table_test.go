package limit_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/limit"
)

var start = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

func TestTake(t *testing.T) {
	t.Parallel()
	type take struct {
		at   time.Duration
		key  limit.Key
		wait time.Duration // 0 is a token
	}
	for _, test := range []struct {
		name  string
		rate  limit.Rate
		takes []take
	}{
		{"a burst, then one at a time", limit.Rate{PerSecond: 2, Burst: 3}, []take{
			{0, 1, 0},
			{0, 1, 0},
			{0, 1, 0},
			{0, 1, 500 * time.Millisecond},
			{400 * time.Millisecond, 1, 100 * time.Millisecond},
			{500 * time.Millisecond, 1, 0},
			{500 * time.Millisecond, 1, 500 * time.Millisecond},
		}},
		{"keys have buckets of their own", limit.Rate{PerSecond: 1, Burst: 1}, []take{{0, 1, 0}, {0, 2, 0}, {0, 1, time.Second}, {0, 2, time.Second}}},
		{"a full bucket holds no more than the burst", limit.Rate{PerSecond: 10, Burst: 2}, []take{
			{0, 1, 0}, {time.Hour, 1, 0}, {time.Hour, 1, 0}, {time.Hour, 1, 100 * time.Millisecond},
		}},
		{"a refusal takes nothing", limit.Rate{PerSecond: 1, Burst: 1}, []take{{0, 1, 0}, {0, 1, time.Second}, {0, 1, time.Second}, {time.Second, 1, 0}}},
		{"no burst is one", limit.Rate{PerSecond: 1}, []take{{0, 1, 0}, {0, 1, time.Second}}},
		{"less than one a second", limit.Rate{PerSecond: 0.5, Burst: 1}, []take{{0, 1, 0}, {0, 1, 2 * time.Second}}},
		{"the clock went back an hour", limit.Rate{PerSecond: 1, Burst: 2}, []take{
			{time.Hour, 1, 0}, {time.Hour, 1, 0}, {0, 1, time.Second}, {time.Second, 1, 0},
		}},
		{"off", limit.Rate{}, []take{{0, 1, 0}, {0, 1, 0}, {0, 1, 0}}},
	} {
		table := limit.NewTable(test.rate, 100)
		for i, take := range test.takes {
			wait, ok := table.Take(take.key, start.Add(take.at))
			if ok != (take.wait == 0) || wait != take.wait {
				t.Errorf("%s: take %d at %v = %v, %t; want %v", test.name, i, take.at, wait, ok, take.wait)
			}
		}
	}
}

// TestTakeIsATokenBucket holds that a table of random keys allows exactly what a
// bucket by the book allows.
func TestTakeIsATokenBucket(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		rate := limit.Rate{PerSecond: float64(1 + random.IntN(1000)), Burst: 1 + random.IntN(50)}
		interval := time.Second / time.Duration(rate.PerSecond)
		rate.PerSecond = float64(time.Second) / float64(interval) // without a rest
		type bucket struct {
			level time.Duration // tokens, in time
			at    time.Time
		}
		table, model := limit.NewTable(rate, 1<<12), map[limit.Key]*bucket{}
		now := start
		for range 2000 {
			now = now.Add(time.Duration(random.Int64N(int64(2 * interval))))
			key := limit.Key(1 + random.IntN(5))
			b := model[key]
			if b == nil {
				b = &bucket{level: interval * time.Duration(rate.Burst), at: now}
				model[key] = b
			}
			b.level = min(b.level+now.Sub(b.at), interval*time.Duration(rate.Burst))
			b.at = now
			want := b.level >= interval
			wait, ok := table.Take(key, now)
			if ok != want || !want && wait != interval-b.level {
				t.Fatalf("%+v: Take = %v, %t; the bucket has %v of %v", rate, wait, ok, b.level, interval)
			}
			if want {
				b.level -= interval
			}
		}
	}
}

// TestManyKeysForgetNobodyWhoIsLimited holds that a flood of new keys drives out
// one another, and not the one who has used up a bucket.
func TestManyKeysForgetNobodyWhoIsLimited(t *testing.T) {
	t.Parallel()
	table := limit.NewTable(limit.Rate{PerSecond: 1, Burst: 1000}, 64)
	for range 1000 {
		if _, ok := table.Take(1, start); !ok {
			t.Fatal("the bucket is smaller than its burst")
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		table.Take(limit.Key(random.Uint64()|1<<63), start)
	}
	if wait, ok := table.Take(1, start); ok || wait != time.Second {
		t.Errorf("after a flood of other keys, Take = %v, %t; want a second", wait, ok)
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	l := limit.NewLedger(64)
	if got := l.Owner(1, start); got != 0 {
		t.Errorf("Owner(unknown) = %d", got)
	}
	l.Accept(1, 10, start)
	l.Accept(0, 10, start)
	l.Accept(2, 0, start)
	for credential, want := range map[limit.Key]limit.Key{0: 0, 1: 10, 2: 0} {
		if got := l.Owner(credential, start); got != want {
			t.Errorf("Owner(%d) = %d, want %d", credential, got, want)
		}
	}
	if got := l.Owner(1, start.Add(10*time.Minute)); got != 0 {
		t.Errorf("Owner(after ten minutes) = %d", got)
	}
	l.Accept(1, 10, start.Add(6*time.Minute))
	if got := l.Owner(1, start.Add(12*time.Minute)); got != 10 {
		t.Errorf("Owner(accepted again) = %d", got)
	}
	l.Accept(1, 11, start.Add(6*time.Minute))
	if got := l.Owner(1, start.Add(6*time.Minute)); got != 11 {
		t.Errorf("Owner(accepted as another's) = %d", got)
	}
	l.Refuse(1)
	if got := l.Owner(1, start.Add(6*time.Minute)); got != 0 {
		t.Errorf("Owner(refused) = %d", got)
	}
	for i := range limit.Key(10_000) {
		l.Accept(100+i, 7, start.Add(time.Duration(i)))
	}
	if got := l.Owner(10_099, start.Add(time.Minute)); got != 7 {
		t.Errorf("Owner(the newest of many) = %d", got)
	}
}

func TestAllowedRequestsAllocateNothing(t *testing.T) {
	table, ledger := limit.NewTable(limit.Rate{PerSecond: 1e9, Burst: 1 << 20}, 1<<12), limit.NewLedger(1<<12)
	gate := limit.NewGate(limit.GateConfig{Places: 64, Queue: 64, Patience: time.Second})
	ledger.Accept(1, 2, start)
	if n := testing.AllocsPerRun(1000, func() {
		table.Take(1, start)
		ledger.Accept(1, ledger.Owner(1, start), start)
		pass, err := gate.Enter(t.Context(), 2, false)
		if err != nil {
			t.Fatal(err)
		}
		gate.Leave(pass)
	}); n != 0 {
		t.Errorf("an allowed request allocates %v times", n)
	}
}

func BenchmarkTake(b *testing.B) {
	table := limit.NewTable(limit.Rate{PerSecond: 1e9, Burst: 1 << 20}, 1<<16)
	b.ReportAllocs()
	key := limit.Key(1)
	for b.Loop() {
		key++
		table.Take(key, start)
	}
}

func BenchmarkOwner(b *testing.B) {
	ledger := limit.NewLedger(1 << 12)
	ledger.Accept(1, 2, start)
	b.ReportAllocs()
	for b.Loop() {
		ledger.Owner(1, start)
	}
}

func BenchmarkGate(b *testing.B) {
	gate := limit.NewGate(limit.GateConfig{Places: 256, Queue: 256, Patience: time.Second})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			pass, err := gate.Enter(b.Context(), 1, false)
			if err != nil {
				b.Fatal(err)
			}
			gate.Leave(pass)
		}
	})
}

// TestMemoryIsBounded holds that a million callers who were never seen before
// leave nothing behind.
func TestMemoryIsBounded(t *testing.T) {
	table, ledger := limit.NewTable(limit.Rate{PerSecond: 1, Burst: 5}, 1<<16), limit.NewLedger(1<<12)
	gate := limit.NewGate(limit.GateConfig{Places: 64, Queue: 64, Patience: time.Second})
	flood := func(n limit.Key) {
		for i := range n {
			key := 1<<40 + n<<20 + i
			table.Take(key, start)
			ledger.Owner(key, start)
			ledger.Refuse(key)
			ledger.Accept(key, key, start)
			pass, err := gate.Enter(t.Context(), key, true)
			if err != nil {
				t.Fatal(err)
			}
			gate.Leave(pass)
		}
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	flood(10_000) // what is kept of those who were here last
	before := heap()
	flood(1_000_000)
	if after := heap(); after > before+64<<10 {
		t.Errorf("a million callers left %d KiB", (after-before)>>10)
	}
	runtime.KeepAlive(table)
	runtime.KeepAlive(ledger)
	runtime.KeepAlive(gate)
}
