package cli

import (
	"fmt"
	"time"
)

// when is a timestamp of the API with its distance from now; text that is no
// timestamp stays as it is.
func (t *text) when(timestamp string) string {
	at, err := time.Parse(time.RFC3339, timestamp)
	if err != nil {
		return timestamp
	}
	return moment(at) + " (" + distance(at.Sub(t.now)) + ")"
}

// moment is a point in time, to the second, in UTC.
func moment(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

// distance is "in 4m12s", "4m12s ago" or "now".
func distance(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d == 0:
		return "now"
	case d < 0:
		return span(-d) + " ago"
	default:
		return "in " + span(d)
	}
}

// span is a length of time in at most two units.
func span(d time.Duration) string {
	switch seconds := int(d.Round(time.Second) / time.Second); {
	case seconds < 60:
		return fmt.Sprintf("%ds", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%dm%ds", seconds/60, seconds%60)
	case seconds < 48*3600:
		return fmt.Sprintf("%dh%dm", seconds/3600, seconds/60%60)
	default:
		return fmt.Sprintf("%dd%dh", seconds/86400, seconds/3600%24)
	}
}
