// Package operator knows who administers the workspace on the dashboard: how
// operators sign in, and what is kept of that. It refuses to know what they do
// there.
package operator

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// How long passes live.
const (
	LinkLifetime    = 15 * time.Minute
	SessionLifetime = 12 * time.Hour
)

// Bounds of operators.
const (
	maxOperators = 100
	maxName      = 128 // characters
)

// The errors of passes. They say no more than that: whoever holds a wrong one is
// nobody.
var (
	ErrNoLink    = errors.New("the link was used before, has expired or never was one")
	ErrNoSession = errors.New("the operator is not signed in")
	ErrNotFound  = errors.New("there is no such operator")
)

// Service makes operators, signs them in and out, and removes them.
type Service struct {
	Store *store.Store
}

// Link is what signs an operator in, once.
type Link struct {
	Operator  countersign.Operator
	Token     countersign.Bearer
	ExpiresAt time.Time
}

// NewLink makes a link for the operator of a name, whom it makes if there is none.
// With a role that is the operator's from now on; with "" it stays, and is owner of
// one who is made. Errors: ErrInvalidArgument.
func (s *Service) NewLink(ctx context.Context, actor countersign.Actor, name string, role countersign.OperatorRole) (link Link, err error) {
	if err := checkName(name); err != nil {
		return link, err
	}
	if role != "" && !role.Valid() {
		return link, countersign.ErrInvalidArgument.Saying("role must be viewer, editor or owner.")
	}
	id, made := countersign.NewID[countersign.OperatorID](countersign.Live), newPass()
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		o, err := tx.OperatorByName(ctx, name)
		switch {
		case errors.Is(err, store.ErrNotFound):
			if o, err = create(ctx, tx, id, name, role); err != nil {
				return err
			}
		case err != nil:
			return err
		case role != "" && role != o.Role:
			o.Role = role
			if err := tx.PutOperator(ctx, o); err != nil {
				return err
			}
		}
		link = Link{Operator: o, Token: made.token, ExpiresAt: tx.Now.Add(LinkLifetime)}
		if err := tx.InsertOperatorPass(ctx, store.PassLink, made.kept(o.ID, tx.Now, LinkLifetime)); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "operator.link_created", o.ID.String(), map[string]any{"name": o.Name, "role": o.Role})
	})
	return link, err
}

func create(ctx context.Context, tx *store.Tx, id countersign.OperatorID, name string, role countersign.OperatorRole) (o countersign.Operator, err error) {
	list, err := tx.Operators(ctx)
	if err != nil {
		return o, err
	}
	if len(list) >= maxOperators {
		return o, countersign.ErrInvalidArgument.Saying("The workspace may have %d operators.", maxOperators)
	}
	if role == "" {
		role = countersign.OperatorOwner
	}
	o = countersign.Operator{ID: id, Name: name, Role: role, CreatedAt: tx.Now}
	if err := tx.PutOperator(ctx, o); err != nil {
		return o, err
	}
	return o, tx.Record(ctx, countersign.EnvironmentID{}, "operator.created", id.String(), map[string]any{"name": name, "role": role})
}

func checkName(name string) error {
	if strings.TrimSpace(name) == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) {
		return countersign.ErrInvalidArgument.Saying("An operator's name must have 1 to %d characters and no control characters.", maxName)
	}
	return nil
}

// SignIn exchanges the token of a link, which works no second time, for that of a
// session. ErrNoLink.
func (s *Service) SignIn(ctx context.Context, request countersign.RequestID, link countersign.Bearer) (session countersign.Bearer, o countersign.Operator, err error) {
	given, ok := parse(link)
	if !ok {
		return "", o, ErrNoLink
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		o, err = check(ctx, tx, store.PassLink, given)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return "", o, ErrNoLink
	}
	if err != nil {
		return "", o, err
	}
	made := newPass()
	actor := countersign.Actor{Kind: countersign.ActorOperator, ID: o.ID.String(), RequestID: request}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		if o, err = check(ctx, tx, store.PassLink, given); err != nil {
			return err
		}
		if err := tx.DeleteOperatorPass(ctx, store.PassLink, given.id); err != nil {
			return err
		}
		o.SeenAt = tx.Now
		if err := tx.PutOperator(ctx, o); err != nil {
			return err
		}
		if err := tx.InsertOperatorPass(ctx, store.PassSession, made.kept(o.ID, tx.Now, SessionLifetime)); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "operator.signed_in", o.ID.String(), nil)
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNoLink
	}
	return made.token, o, err
}

// Check is the operator of a session. It reads the database every time: who is
// removed or signed out is refused from the next request on. ErrNoSession.
func (s *Service) Check(ctx context.Context, session countersign.Bearer) (o countersign.Operator, err error) {
	given, ok := parse(session)
	if !ok {
		return o, ErrNoSession
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		o, err = check(ctx, tx, store.PassSession, given)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNoSession
	}
	return o, err
}

// check is the operator of a pass; store.ErrNotFound if the secret is not its own.
func check(ctx context.Context, tx *store.Tx, kind store.PassKind, given parsed) (countersign.Operator, error) {
	pass, err := tx.OperatorPass(ctx, kind, given.id)
	if err != nil {
		return countersign.Operator{}, err
	}
	if subtle.ConstantTimeCompare(pass.Hash, given.hash) != 1 {
		return countersign.Operator{}, store.ErrNotFound
	}
	return tx.Operator(ctx, pass.OperatorID)
}

// SignOut ends a session. One that is over already is none.
func (s *Service) SignOut(ctx context.Context, actor countersign.Actor, session countersign.Bearer) error {
	given, ok := parse(session)
	if !ok {
		return nil
	}
	err := s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		o, err := check(ctx, tx, store.PassSession, given)
		if err != nil {
			return err
		}
		if err := tx.DeleteOperatorPass(ctx, store.PassSession, given.id); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "operator.signed_out", o.ID.String(), nil)
	})
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return err
}

// Listed is an operator with the number of sessions.
type Listed struct {
	countersign.Operator
	Sessions int
}

// List is all operators, by name.
func (s *Service) List(ctx context.Context) (list []Listed, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		operators, err := tx.Operators(ctx)
		if err != nil {
			return err
		}
		sessions, err := tx.CountOperatorSessions(ctx)
		for _, o := range operators {
			list = append(list, Listed{o, sessions[o.ID]})
		}
		return err
	})
	return list, err
}

// Find is an operator by the text of the ID; ErrNotFound.
func (s *Service) Find(ctx context.Context, ref string) (o countersign.Operator, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		o, err = find(ctx, tx, ref)
		return err
	})
	return o, err
}

func find(ctx context.Context, tx *store.Tx, ref string) (o countersign.Operator, err error) {
	id, err := countersign.ParseID[countersign.OperatorID](ref)
	if err == nil {
		o, err = tx.Operator(ctx, id)
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, countersign.ErrMalformedID) {
		err = ErrNotFound
	}
	return o, err
}

// SetRole gives an operator another role. Errors: ErrNotFound, ErrInvalidArgument.
func (s *Service) SetRole(ctx context.Context, actor countersign.Actor, ref string, role countersign.OperatorRole) (o countersign.Operator, err error) {
	if !role.Valid() {
		return o, countersign.ErrInvalidArgument.Saying("role must be viewer, editor or owner.")
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		if o, err = find(ctx, tx, ref); err != nil {
			return err
		}
		before := o.Role
		o.Role = role
		if err := tx.PutOperator(ctx, o); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "operator.updated", o.ID.String(), map[string]any{"before": before, "after": role})
	})
	return o, err
}

// EndSessions ends all sessions of an operator, and the links that were not used;
// ErrNotFound.
func (s *Service) EndSessions(ctx context.Context, actor countersign.Actor, ref string) error {
	return s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		o, err := find(ctx, tx, ref)
		if err != nil {
			return err
		}
		if err := tx.DeleteOperatorPasses(ctx, o.ID); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "operator.sessions_revoked", o.ID.String(), nil)
	})
}

// Remove removes an operator, who is signed out by it; ErrNotFound.
func (s *Service) Remove(ctx context.Context, actor countersign.Actor, ref string) error {
	return s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		o, err := find(ctx, tx, ref)
		if err != nil {
			return err
		}
		if err := tx.DeleteOperator(ctx, o.ID); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "operator.deleted", o.ID.String(), map[string]any{"name": o.Name})
	})
}

// pass is a new link or session: an ID to find it by, and a secret.
type pass struct {
	id    string
	token countersign.Bearer // ID and secret
	hash  []byte
}

func newPass() pass {
	id, secret := rand.Text(), rand.Text()+rand.Text() // 130 bits and 260
	return pass{id: id, token: countersign.Bearer(id + "." + secret), hash: hash(secret)}
}

func (p pass) kept(operator countersign.OperatorID, now time.Time, lifetime time.Duration) countersign.OperatorPass {
	return countersign.OperatorPass{ID: p.id, OperatorID: operator, Hash: p.hash, CreatedAt: now, ExpiresAt: now.Add(lifetime)}
}

// parsed is a pass as somebody presents it.
type parsed struct {
	id   string
	hash []byte
}

// parse reads a token. What no database would take as text is none.
func parse(token countersign.Bearer) (parsed, bool) {
	const most = 256 // bytes, far above those of ours
	id, secret, ok := strings.Cut(token.Reveal(), ".")
	notOurs := func(r rune) bool { return r <= ' ' || r > '~' }
	if !ok || len(token) > most || strings.ContainsFunc(id, notOurs) {
		return parsed{}, false
	}
	return parsed{id, hash(secret)}, true
}

func hash(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// SignInPath is the page of the dashboard that a link opens. The page asks before
// it uses the link, which programs that only look at addresses would use up.
func SignInPath(link countersign.Bearer) countersign.Bearer {
	return "/dashboard/sign-in?link=" + link
}
