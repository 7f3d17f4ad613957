package operator_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/operator"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

type rig struct {
	*operator.Service
	now time.Time
}

// each runs a test on both engines, with a clock that is moved by hand.
func each(t *testing.T, test func(t *testing.T, r *rig)) {
	storetest.Each(t, func(t *testing.T, database string) {
		r := &rig{now: time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)}
		r.Service = &operator.Service{Store: storetest.Open(t, database, func() time.Time { return r.now })}
		test(t, r)
	})
}

func (r *rig) link(t *testing.T, name string, role countersign.OperatorRole) operator.Link {
	t.Helper()
	link, err := r.NewLink(t.Context(), countersign.System(), name, role)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func (r *rig) signIn(t *testing.T, link operator.Link) countersign.Bearer {
	t.Helper()
	session, _, err := r.SignIn(t.Context(), countersign.RequestID{}, link.Token)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// refused holds that a session is none.
func (r *rig) refused(t *testing.T, session countersign.Bearer, when string) {
	t.Helper()
	if _, err := r.Check(t.Context(), session); !errors.Is(err, operator.ErrNoSession) {
		t.Errorf("Check %s = %v, want ErrNoSession", when, err)
	}
}

// TestSignIn follows an operator from the link to the end of the session.
func TestSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		link := r.link(t, "Ada", "")
		if got := link.ExpiresAt.Sub(r.now); got != operator.LinkLifetime {
			t.Errorf("the link lives for %v", got)
		}
		session := r.signIn(t, link)
		o, err := r.Check(t.Context(), session)
		if err != nil || o.Name != "Ada" || o.Role != countersign.OperatorOwner || !o.SeenAt.Equal(r.now) {
			t.Errorf("Check = %+v, %v", o, err)
		}
		if _, _, err := r.SignIn(t.Context(), countersign.RequestID{}, link.Token); !errors.Is(err, operator.ErrNoLink) {
			t.Errorf("the link signed in twice: %v", err)
		}
		r.refused(t, link.Token, "of the link")
		r.refused(t, session+"x", "of another secret")
		r.refused(t, "", "of nothing")
		r.refused(t, "\x00.\x00", "of bytes that are no text")
		r.now = r.now.Add(operator.SessionLifetime)
		r.refused(t, session, "after its time")
	})
}

// TestLinkIsUsedOnce signs in with one link from many sides at once.
func TestLinkIsUsedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		link := r.link(t, "Ada", "")
		outcomes := make(chan error)
		for range 8 {
			go func() {
				_, _, err := r.SignIn(t.Context(), countersign.RequestID{}, link.Token)
				outcomes <- err
			}()
		}
		in := 0
		for range 8 {
			switch err := <-outcomes; {
			case err == nil:
				in++
			case !errors.Is(err, operator.ErrNoLink):
				t.Errorf("SignIn = %v", err)
			}
		}
		if in != 1 {
			t.Errorf("the link signed in %d times", in)
		}
	})
}

func TestLinksExpire(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		link := r.link(t, "Ada", "")
		for _, token := range []countersign.Bearer{"", "x", "x.y", link.Token + "x", countersign.Bearer(strings.Repeat("a", 300) + ".b")} {
			if _, _, err := r.SignIn(t.Context(), countersign.RequestID{}, token); !errors.Is(err, operator.ErrNoLink) {
				t.Errorf("SignIn(%q) = %v, want ErrNoLink", token.Reveal(), err)
			}
		}
		r.now = r.now.Add(operator.LinkLifetime)
		if _, _, err := r.SignIn(t.Context(), countersign.RequestID{}, link.Token); !errors.Is(err, operator.ErrNoLink) {
			t.Errorf("a link of fifteen minutes ago: %v", err)
		}
	})
}

// TestRevocable ends sessions in each way there is.
func TestRevocable(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		ctx := t.Context()
		ended := r.signIn(t, r.link(t, "Ada", countersign.OperatorEditor))
		if err := r.SignOut(ctx, countersign.System(), ended); err != nil {
			t.Fatal(err)
		}
		r.refused(t, ended, "after signing out")
		if err := r.SignOut(ctx, countersign.System(), ended); err != nil {
			t.Errorf("signing out twice: %v", err)
		}

		unused := r.link(t, "Ada", "")
		if unused.Operator.Role != countersign.OperatorEditor {
			t.Errorf("the role became %s", unused.Operator.Role)
		}
		ref := unused.Operator.ID.String()
		one, two := r.signIn(t, r.link(t, "Ada", "")), r.signIn(t, r.link(t, "Ada", ""))
		if list, err := r.List(ctx); err != nil || len(list) != 1 || list[0].Sessions != 2 {
			t.Errorf("List = %+v, %v", list, err)
		}
		if err := r.EndSessions(ctx, countersign.System(), ref); err != nil {
			t.Fatal(err)
		}
		r.refused(t, one, "after all were ended")
		r.refused(t, two, "after all were ended")
		if _, _, err := r.SignIn(ctx, countersign.RequestID{}, unused.Token); !errors.Is(err, operator.ErrNoLink) {
			t.Errorf("a link from before: %v", err)
		}

		three := r.signIn(t, r.link(t, "Ada", ""))
		if _, err := r.SetRole(ctx, countersign.System(), ref, countersign.OperatorViewer); err != nil {
			t.Fatal(err)
		}
		if o, err := r.Check(ctx, three); err != nil || o.Role != countersign.OperatorViewer {
			t.Errorf("Check = %+v, %v", o, err)
		}
		if err := r.Remove(ctx, countersign.System(), ref); err != nil {
			t.Fatal(err)
		}
		r.refused(t, three, "of one who was removed")
		for name, err := range map[string]error{
			"Remove":      r.Remove(ctx, countersign.System(), ref),
			"EndSessions": r.EndSessions(ctx, countersign.System(), "nobody"),
		} {
			if !errors.Is(err, operator.ErrNotFound) {
				t.Errorf("%s of nobody = %v", name, err)
			}
		}
	})
}

func TestBounds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		for _, name := range []string{"", " ", "a\nb", "\xff", strings.Repeat("a", 129)} {
			if _, err := r.NewLink(t.Context(), countersign.System(), name, ""); !errors.Is(err, countersign.ErrInvalidArgument) {
				t.Errorf("NewLink(%q) = %v", name, err)
			}
		}
		if _, err := r.NewLink(t.Context(), countersign.System(), "Ada", "root"); !errors.Is(err, countersign.ErrInvalidArgument) {
			t.Errorf("a role that there is not: %v", err)
		}
		for i := range 100 {
			r.link(t, strings.Repeat("a", i+1), countersign.OperatorViewer)
		}
		if _, err := r.NewLink(t.Context(), countersign.System(), "one more", ""); !errors.Is(err, countersign.ErrInvalidArgument) {
			t.Errorf("the operator after a hundred: %v", err)
		}
	})
}

// TestNothingInTheClear looks for tokens in what is recorded.
func TestNothingInTheClear(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		link := r.link(t, "Ada", "")
		session := r.signIn(t, link)
		err := r.Store.View(t.Context(), func(tx *store.Tx) error {
			events, err := tx.Events(t.Context(), countersign.EnvironmentID{}, countersign.EventID{}, 100)
			for _, e := range events {
				for _, token := range []countersign.Bearer{link.Token, session} {
					_, secret, _ := strings.Cut(token.Reveal(), ".")
					if strings.Contains(string(e.Detail)+e.Object+e.Actor.ID, secret) {
						t.Errorf("%s tells a token", e.Action)
					}
				}
			}
			if len(events) != 3 {
				t.Errorf("%d events, want those of the operator, the link and the sign-in", len(events))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
