package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/eventstream"
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/store"
)

const (
	whyKeyset = "Without its keyset nobody can open the private keys in the database: a server refuses to start, and no session could be signed."
	doKeyset  = "Restore the keyset from its backup, or name the right one with --keyset or COUNTERSIGN_KEYSET."
)

// word looks for the keyset, and asks the database whether it is its own.
func (x *examination) word(ctx context.Context) {
	var sealed []byte
	err := x.reader.View(ctx, func(tx *store.Tx) (err error) {
		sealed, err = tx.WorkspaceFact(ctx, signing.KeysetFact)
		return err
	})
	empty := errors.Is(err, store.ErrNotFound)
	if err != nil && !empty {
		x.unread("keyset", err)
		return
	}
	text, where := []byte(x.Keyset.Reveal()), "COUNTERSIGN_KEYSET"
	if len(text) == 0 {
		where = x.KeysetFile
		if text, err = os.ReadFile(x.KeysetFile); errors.Is(err, fs.ErrNotExist) && empty {
			x.ok("keyset", "There is none yet; the first start makes it.")
			return
		}
		if err != nil {
			x.fault("keyset", "The keyset cannot be read: "+err.Error()+".", whyKeyset, doKeyset)
			return
		}
		x.keysetFile()
	}
	keyset, err := signing.ParseKeyset(text)
	if err != nil {
		x.fault("keyset", where+": "+err.Error()+".", whyKeyset, doKeyset)
		return
	}
	if empty {
		x.ok("keyset", "%s is a keyset; the database has nothing yet that it should open.", where)
		return
	}
	if err := keyset.CheckWord(sealed); err != nil {
		x.fault("keyset", where+" is not the keyset that this database began with.", whyKeyset, doKeyset)
		return
	}
	x.keyset = keyset
	x.ok("keyset", "%s opens the database.", where)
}

// keysetFile looks at who may read the keyset.
func (x *examination) keysetFile() {
	if info, err := os.Stat(x.KeysetFile); err == nil && info.Mode().Perm()&0o077 != 0 {
		x.warn("keyset", fmt.Sprintf("%s has mode %04o: others than its owner may use it.", x.KeysetFile, info.Mode().Perm()), "With the keyset and a copy of the database anybody can sign sessions.",
			"chmod 600 "+x.KeysetFile+"; if others had access, make new signing keys (countersign signing-key rotate) under care of who could have copied both.")
	}
}

// overdue is how long after a rotation was due its absence is a finding: a server
// looks every hour.
const overdue = 24 * time.Hour

// keys opens what each environment has sealed, and looks at when its signing keys
// were made.
func (x *examination) keys(ctx context.Context, environments []countersign.Environment) {
	now, opened := x.Now(), 0
	bad := tally{x: x, check: "signing keys"}
	late := tally{x: x, check: "signing keys"}
	for _, e := range environments {
		name := e.ProjectSlug + "/" + e.Slug
		var stored []countersign.SigningKey
		err := x.reader.View(ctx, func(tx *store.Tx) (err error) {
			stored, err = tx.SigningKeys(ctx, e.ID)
			return err
		})
		if err != nil {
			x.unread("signing keys", err)
			return
		}
		if len(stored) == 0 {
			bad.add(name + " has no signing key")
			continue
		}
		if newest := stored[len(stored)-1]; now.After(newest.ActivatesAt.Add(signing.Lifetime + overdue)) {
			late.add(fmt.Sprintf("%s signs with a key of %s", name, newest.ActivatesAt.Format(time.DateOnly)))
		} else if stored[0].ActivatesAt.After(now) {
			late.add(fmt.Sprintf("%s has only keys that begin to sign in the future, at %s the first", name, stored[0].ActivatesAt.Format(time.RFC3339)))
		}
		if x.keyset == nil {
			continue
		}
		if err := session.CheckTokenKey(x.keyset, e); err != nil {
			bad.add(name + ": " + err.Error())
		}
		for _, k := range stored {
			if err := signing.CheckKey(x.keyset, k); err != nil {
				bad.add(name + ": " + err.Error())
				continue
			}
			opened++
		}
	}
	bad.tell(x.fault, "Sessions of such an environment cannot be signed, or not be checked: its people cannot sign in.",
		"If the database was put together from several, or changed by hand, restore a backup. Otherwise countersign signing-key rotate makes a new key.")
	late.tell(x.warn, "A key is replaced every 180 days by the server itself, which looks every hour. It has not run, or it fails at it, or a clock is wrong.",
		"Start the server and look for \"maintain signing keys\" in its log; or countersign signing-key rotate.")
	switch {
	case len(environments) == 0:
		x.ok("signing keys", "There are no environments yet.")
	case x.keyset != nil && bad.n == 0:
		x.ok("signing keys", "All %s of %s open.", count(opened, "key"), count(len(environments), "environment"))
	}
}

// streams opens the destinations of event streams.
func (x *examination) streams(ctx context.Context, environments []countersign.Environment) {
	bad := tally{x: x, check: "event streams"}
	stuck := tally{x: x, check: "event streams"}
	n := 0
	for _, e := range environments {
		var streams []countersign.EventStream
		err := x.reader.View(ctx, func(tx *store.Tx) (err error) {
			streams, err = tx.EventStreams(ctx, e.ID)
			return err
		})
		if err != nil {
			x.unread("event streams", err)
			return
		}
		for _, s := range streams {
			n++
			name := fmt.Sprintf("%s/%s to %s", e.ProjectSlug, e.Slug, s.Type)
			if x.keyset != nil {
				if err := eventstream.CheckDestination(x.keyset, s); err != nil {
					bad.add(name + ": " + err.Error())
				}
			}
			if s.Failures > 0 {
				stuck.add(fmt.Sprintf("%s has failed %s: %s", name, count(s.Failures, "time"), s.LastError))
			}
		}
	}
	bad.tell(x.fault, "Its events are delivered to nobody.", "Set the stream up anew: PUT …/event_log_streaming/{destination_type} with the destination.")
	stuck.tell(x.warn, "Events wait until the destination takes them. None is lost, and who watches there sees none.", "Correct the destination, or its service; docs/operate.md, Streaming events.")
	if n > 0 && bad.n == 0 && stuck.n == 0 && x.keyset != nil {
		x.ok("event streams", "The destinations of %s open.", count(n, "stream"))
	}
}

// tally gathers what many environments have in common into one finding.
type tally struct {
	x     *examination
	check string
	n     int
	first []string
}

func (t *tally) add(what string) {
	if t.n++; len(t.first) < 3 {
		t.first = append(t.first, what)
	}
}

func (t *tally) tell(say func(check, what, why, do string), why, do string) {
	if t.n == 0 {
		return
	}
	what := strings.Join(t.first, "; ")
	if more := t.n - len(t.first); more > 0 {
		what += fmt.Sprintf("; and %d more", more)
	}
	say(t.check, what+".", why, do)
}
