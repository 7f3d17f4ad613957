package wire

import "github.com/countersign-auth/countersign/internal/trust"

// KeySetHealth is how the keys of an issuer are. This server's addition to the
// contract.
type KeySetHealth struct {
	URL         string       `json:"jwks_url"`
	State       string       `json:"state" openapi:"enum=never_fetched|fresh|stale|expired"`
	FetchedAt   *Moment      `json:"fetched_at"`
	FreshUntil  *Moment      `json:"fresh_until"`
	NextRefresh *Moment      `json:"next_refresh_at"`
	LastError   *string      `json:"last_error"`
	LastErrorAt *Moment      `json:"last_error_at"`
	KeyIDs      []string     `json:"key_ids"`
	Skipped     []SkippedKey `json:"skipped_keys"`
}

// SkippedKey is a key that is not used, and why.
type SkippedKey struct {
	KeyID  string `json:"key_id" doc:"Empty if it has none."`
	Index  int    `json:"index" openapi:"minimum=0" doc:"Its place in the set."`
	Reason string `json:"reason"`
}

// NewKeySetHealth shapes the health of a source, for operators.
func NewKeySetHealth(h trust.SourceHealth) KeySetHealth {
	w := KeySetHealth{
		URL: h.URL, State: string(h.State), FetchedAt: moment(h.FetchedAt), FreshUntil: moment(h.FreshUntil),
		NextRefresh: moment(h.NextRefresh), LastErrorAt: moment(h.LastErrorAt),
		KeyIDs:  each(h.Keys, func(k trust.Key) string { return k.ID }),
		Skipped: each(h.Skipped, func(k trust.SkippedKey) SkippedKey { return SkippedKey{k.KeyID, k.Index, k.Why} }),
	}
	if h.LastError != nil {
		text := h.LastError.Error()
		w.LastError = &text
	}
	return w
}
