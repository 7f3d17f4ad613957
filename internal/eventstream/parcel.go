package eventstream

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/countersign-auth/countersign"
)

// line is an event as the management API shows it.
type line struct {
	event countersign.Event
	text  []byte
}

// encode encodes the first of a list of events, as many as one batch takes.
func (s *Service) encode(list []countersign.Event) (lines []line, err error) {
	size := 0
	for _, e := range list {
		text, err := s.Encode(e)
		if err != nil {
			return nil, err
		}
		if size += len(text); size > batchBytes && len(lines) > 0 {
			break
		}
		lines = append(lines, line{e, text})
	}
	return lines, nil
}

// parcel is a batch as a destination takes it.
type parcel struct {
	lines  []line
	more   bool // there may be more to send behind it
	url    string
	header map[string]string
	body   []byte
}

func (s *Service) pack(env countersign.Environment, d countersign.Destination, lines []line) (p parcel, err error) {
	p.lines = lines
	if d.Type == countersign.Datadog {
		p.url, p.header = s.DatadogURL(d.Site), map[string]string{"DD-API-KEY": d.APIKey.Reveal()}
		p.body, err = datadogBody(env, lines)
		return p, err
	}
	basic := base64.StdEncoding.EncodeToString([]byte(d.Username + ":" + d.Password.Reveal()))
	p.url, p.header = lokiURL(d.Hostname), map[string]string{"Authorization": "Basic " + basic}
	p.body, err = lokiBody(env, lines)
	return p, err
}

// source is what we are called in other people's logs.
const source = "countersign"

// datadogBody is the body of POST /api/v2/logs: each log is the event with
// Datadog's reserved attributes beside its fields.
func datadogBody(env countersign.Environment, lines []line) ([]byte, error) {
	logs := make([]map[string]any, len(lines))
	for i, l := range lines {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(l.text, &fields); err != nil {
			return nil, fmt.Errorf("the event %s as JSON: %w", l.event.ID, err)
		}
		logs[i] = map[string]any{
			"ddsource": source, "service": source, "ddtags": "project:" + env.ProjectSlug + ",environment:" + env.Slug,
			"message": l.event.Action + " " + l.event.Object, "timestamp": l.event.At.UnixMilli(),
		}
		for name, value := range fields {
			logs[i][name] = value
		}
	}
	return json.Marshal(logs)
}

// lokiStream is what POST /loki/api/v1/push takes.
type lokiStream struct {
	Stream map[string]string `json:"stream"`
	Values [][2]string       `json:"values"` // nanoseconds and the line
}

func lokiBody(env countersign.Environment, lines []line) ([]byte, error) {
	stream := lokiStream{Stream: map[string]string{"job": source, "project": env.ProjectSlug, "environment": env.Slug}}
	for _, l := range lines {
		stream.Values = append(stream.Values, [2]string{strconv.FormatInt(l.event.At.UnixNano(), 10), string(l.text)})
	}
	return json.Marshal(map[string][]lokiStream{"streams": {stream}})
}
