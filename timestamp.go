package countersign

import "time"

// Timestamp is a moment as answers and JWTs show it: RFC 3339, UTC, in whole
// seconds.
func Timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
