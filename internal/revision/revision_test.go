package revision_test

import (
	"testing"

	"github.com/countersign-auth/countersign/internal/revision"
)

func TestKept(t *testing.T) {
	t.Parallel()
	var k revision.Kept[string, string]
	expect := func(revision int64, want string) {
		t.Helper()
		if got, ok := k.Of("a", revision); got != want || ok != (want != "") {
			t.Errorf("Of(%d) = %q, %t, want %q", revision, got, ok, want)
		}
	}
	expect(0, "")
	k.Keep("a", 0, "zero")
	expect(0, "zero")
	expect(1, "")
	k.Keep("a", 2, "two")
	expect(1, "two")
	expect(2, "two")
	expect(3, "")
	k.Keep("a", 1, "one") // by somebody slow
	expect(2, "two")
	k.Keep("a", 2, "two again")
	expect(2, "two again")
}

func TestKeptIsBounded(t *testing.T) {
	t.Parallel()
	var k revision.Kept[int, int]
	const n = 5000
	for i := range n {
		k.Keep(i, 1, i)
		if got, ok := k.Of(i, 1); !ok || got != i {
			t.Fatalf("Of(%d) = %d, %t right after Keep", i, got, ok)
		}
	}
	kept := 0
	for i := range n {
		if got, ok := k.Of(i, 1); ok {
			kept++
			if got != i {
				t.Errorf("Of(%d) = %d", i, got)
			}
		}
	}
	if kept != 1024 {
		t.Errorf("%d are kept, want 1024", kept)
	}
}
