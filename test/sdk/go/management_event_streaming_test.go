package sdk_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/eventlogstreaming"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
)

// streaming are the endpoints of one environment's stream, called by the names
// of what they do.
type streaming struct {
	t   *testing.T
	env *environment
}

// eachVertical runs a test in an environment of each vertical.
func eachVertical(t *testing.T, test func(t *testing.T, s streaming)) {
	t.Helper()
	for _, vertical := range []projects.Vertical{projects.VerticalConsumer, projects.VerticalB2B} {
		t.Run(string(vertical), func(t *testing.T) {
			t.Parallel()
			test(t, streaming{t, newEnvironmentOf(t, vertical, environments.EnvironmentTypeTest)})
		})
	}
}

const (
	datadog = eventlogstreaming.DestinationTypeDatadog
	loki    = eventlogstreaming.DestinationTypeGrafanaLoki
)

// configOf is a destination of a type; n tells one from another.
func configOf(typ eventlogstreaming.DestinationType, n string) *eventlogstreaming.DestinationConfig {
	if typ == datadog {
		site := map[string]eventlogstreaming.DatadogSite{"1": eventlogstreaming.DatadogSiteUs, "2": eventlogstreaming.DatadogSiteEu}[n]
		return &eventlogstreaming.DestinationConfig{Datadog: &eventlogstreaming.DatadogConfig{APIKey: "1234567890abcdef1234567890abcde" + n, Site: site}}
	}
	return &eventlogstreaming.DestinationConfig{GrafanaLoki: &eventlogstreaming.GrafanaLokiConfig{
		Hostname: "logs-" + n + ".example.com", Username: "user-" + n, Password: "test-password-1234567" + n,
	}}
}

// maskedOf is the same as a reader sees it.
func maskedOf(c *eventlogstreaming.DestinationConfig) *eventlogstreaming.DestinationConfigMasked {
	if d := c.Datadog; d != nil {
		return &eventlogstreaming.DestinationConfigMasked{Datadog: &eventlogstreaming.DatadogConfigMasked{
			APIKeyLastFour: d.APIKey[len(d.APIKey)-4:], Site: d.Site,
		}}
	}
	l := c.GrafanaLoki
	return &eventlogstreaming.DestinationConfigMasked{GrafanaLoki: &eventlogstreaming.GrafanaLokiConfigMasked{
		Hostname: l.Hostname, Username: l.Username, PasswordLastFour: l.Password[len(l.Password)-4:],
	}}
}

func (s streaming) create(typ eventlogstreaming.DestinationType, c *eventlogstreaming.DestinationConfig) (eventlogstreaming.EventLogStreaming, error) {
	answer, err := manage().EventLogStreaming.Create(s.t.Context(), eventlogstreaming.CreateRequest{
		ProjectSlug: s.env.ProjectSlug, EnvironmentSlug: s.env.EnvironmentSlug, DestinationType: typ, DestinationConfig: c,
	})
	if err != nil {
		return eventlogstreaming.EventLogStreaming{}, err
	}
	return answer.EventLogStreamingConfig, nil
}

func (s streaming) get(typ eventlogstreaming.DestinationType) (eventlogstreaming.EventLogStreamingMasked, error) {
	answer, err := manage().EventLogStreaming.Get(s.t.Context(), eventlogstreaming.GetRequest{
		ProjectSlug: s.env.ProjectSlug, EnvironmentSlug: s.env.EnvironmentSlug, DestinationType: typ,
	})
	if err != nil {
		return eventlogstreaming.EventLogStreamingMasked{}, err
	}
	return answer.EventLogStreamingConfig, nil
}

func (s streaming) update(typ eventlogstreaming.DestinationType, c *eventlogstreaming.DestinationConfig) (eventlogstreaming.EventLogStreaming, error) {
	answer, err := manage().EventLogStreaming.Update(s.t.Context(), eventlogstreaming.UpdateRequest{
		ProjectSlug: s.env.ProjectSlug, EnvironmentSlug: s.env.EnvironmentSlug, DestinationType: typ, DestinationConfig: c,
	})
	if err != nil {
		return eventlogstreaming.EventLogStreaming{}, err
	}
	return answer.EventLogStreamingConfig, nil
}

func (s streaming) enable(typ eventlogstreaming.DestinationType) error {
	answer, err := manage().EventLogStreaming.Enable(s.t.Context(), eventlogstreaming.EnableRequest{
		ProjectSlug: s.env.ProjectSlug, EnvironmentSlug: s.env.EnvironmentSlug, DestinationType: typ,
	})
	if err == nil && answer.RequestID == "" {
		s.t.Error("enable: no request_id")
	}
	return err
}

func (s streaming) disable(typ eventlogstreaming.DestinationType) error {
	_, err := manage().EventLogStreaming.Disable(context.WithoutCancel(s.t.Context()), eventlogstreaming.DisableRequest{
		ProjectSlug: s.env.ProjectSlug, EnvironmentSlug: s.env.EnvironmentSlug, DestinationType: typ,
	})
	return err
}

func (s streaming) remove(typ eventlogstreaming.DestinationType) error {
	_, err := manage().EventLogStreaming.Delete(s.t.Context(), eventlogstreaming.DeleteRequest{
		ProjectSlug: s.env.ProjectSlug, EnvironmentSlug: s.env.EnvironmentSlug, DestinationType: typ,
	})
	return err
}

func TestEventStreamCreate(t *testing.T) {
	t.Parallel()
	for _, typ := range []eventlogstreaming.DestinationType{datadog, loki} {
		eachVertical(t, func(t *testing.T, s streaming) {
			config := configOf(typ, "1")
			want := eventlogstreaming.EventLogStreaming{
				DestinationType: typ, DestinationConfig: config, StreamingStatus: eventlogstreaming.StreamingStatusDisabled,
			}
			created, err := s.create(typ, config)
			if diff := cmp.Diff(want, created); err != nil || diff != "" {
				t.Errorf("create: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestEventStreamGetIsMasked(t *testing.T) {
	t.Parallel()
	for _, typ := range []eventlogstreaming.DestinationType{datadog, loki} {
		eachVertical(t, func(t *testing.T, s streaming) {
			if _, err := s.create(typ, configOf(typ, "1")); err != nil {
				t.Fatal(err)
			}
			want := eventlogstreaming.EventLogStreamingMasked{
				DestinationType: typ, DestinationConfig: maskedOf(configOf(typ, "1")), StreamingStatus: eventlogstreaming.StreamingStatusDisabled,
			}
			got, err := s.get(typ)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("get: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestEventStreamUpdate(t *testing.T) {
	t.Parallel()
	for _, typ := range []eventlogstreaming.DestinationType{datadog, loki} {
		eachVertical(t, func(t *testing.T, s streaming) {
			if _, err := s.create(typ, configOf(typ, "1")); err != nil {
				t.Fatal(err)
			}
			want := eventlogstreaming.EventLogStreaming{
				DestinationType: typ, DestinationConfig: configOf(typ, "2"), StreamingStatus: eventlogstreaming.StreamingStatusDisabled,
			}
			updated, err := s.update(typ, configOf(typ, "2"))
			if diff := cmp.Diff(want, updated); err != nil || diff != "" {
				t.Errorf("update: %v (-want +got):\n%s", err, diff)
			}
			got, err := s.get(typ)
			if diff := cmp.Diff(maskedOf(configOf(typ, "2")), got.DestinationConfig); err != nil || diff != "" {
				t.Errorf("get: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// The stream is disabled again long before an event has settled: nothing leaves.
func TestEventStreamStatusFollows(t *testing.T) {
	t.Parallel()
	for _, typ := range []eventlogstreaming.DestinationType{datadog, loki} {
		eachVertical(t, func(t *testing.T, s streaming) {
			if _, err := s.create(typ, configOf(typ, "1")); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.disable(typ) })
			for _, step := range []struct {
				do   func(eventlogstreaming.DestinationType) error
				want eventlogstreaming.StreamingStatus
			}{
				{s.enable, eventlogstreaming.StreamingStatusActive},
				{s.enable, eventlogstreaming.StreamingStatusActive},
				{s.disable, eventlogstreaming.StreamingStatusDisabled},
				{s.disable, eventlogstreaming.StreamingStatusDisabled},
			} {
				if err := step.do(typ); err != nil {
					t.Fatal(err)
				}
				if got, err := s.get(typ); err != nil || got.StreamingStatus != step.want {
					t.Errorf("get = %+v, %v, want %s", got, err, step.want)
				}
			}
		})
	}
}

func TestEventStreamDelete(t *testing.T) {
	t.Parallel()
	for _, typ := range []eventlogstreaming.DestinationType{datadog, loki} {
		eachVertical(t, func(t *testing.T, s streaming) {
			if _, err := s.create(typ, configOf(typ, "1")); err != nil {
				t.Fatal(err)
			}
			if err := s.remove(typ); err != nil {
				t.Fatal(err)
			}
			s.wantNotFound(typ)
			if _, err := s.create(typ, configOf(typ, "2")); err != nil {
				t.Errorf("create again: %v", err)
			}
		})
	}
}

// wantNotFound tries every operation on a stream that is not there.
func (s streaming) wantNotFound(typ eventlogstreaming.DestinationType) {
	s.t.Helper()
	notFound := refusal{404, "event_log_streaming_not_found"}
	_, err := s.get(typ)
	wantRefusal(s.t, "get", err, notFound)
	_, err = s.update(typ, configOf(typ, "2"))
	wantRefusal(s.t, "update", err, notFound)
	wantRefusal(s.t, "enable", s.enable(typ), notFound)
	wantRefusal(s.t, "disable", s.disable(typ), notFound)
	wantRefusal(s.t, "delete", s.remove(typ), notFound)
}

func TestEventStreamThatIsNotThere(t *testing.T) {
	t.Parallel()
	eachVertical(t, func(_ *testing.T, s streaming) {
		s.wantNotFound(datadog)
		s.wantNotFound(loki)
	})
}

func TestEventStreamOfTheOtherType(t *testing.T) {
	t.Parallel()
	for typ, other := range map[eventlogstreaming.DestinationType]eventlogstreaming.DestinationType{datadog: loki, loki: datadog} {
		eachVertical(t, func(t *testing.T, s streaming) {
			if _, err := s.create(typ, configOf(typ, "1")); err != nil {
				t.Fatal(err)
			}
			s.wantNotFound(other)
			got, err := s.get(typ)
			if diff := cmp.Diff(maskedOf(configOf(typ, "1")), got.DestinationConfig); err != nil || diff != "" {
				t.Errorf("get: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestEventStreamIsOnlyOne(t *testing.T) {
	t.Parallel()
	eachVertical(t, func(t *testing.T, s streaming) {
		if _, err := s.create(datadog, configOf(datadog, "1")); err != nil {
			t.Fatal(err)
		}
		for _, typ := range []eventlogstreaming.DestinationType{datadog, loki} {
			_, err := s.create(typ, configOf(typ, "2"))
			wantRefusal(t, "a second one, of "+string(typ), err, refusal{400, "event_log_streaming_too_many_destinations"})
		}
	})
}

func TestEventStreamRefusals(t *testing.T) {
	t.Parallel()
	eachVertical(t, func(t *testing.T, s streaming) {
		bad := configOf(datadog, "1")
		bad.Datadog.APIKey = "not-hexadecimal"
		_, err := s.create(datadog, bad)
		wantRefusal(t, "a bad key", err, refusal{400, "event_log_streaming_bad_datadog_config"})
		bad = configOf(loki, "1")
		bad.GrafanaLoki.Hostname = "no host"
		_, err = s.create(loki, bad)
		wantRefusal(t, "a bad hostname", err, refusal{400, "event_log_streaming_bad_grafana_loki_config"})
		_, err = s.create("SPLUNK", configOf(loki, "1"))
		wantRefusal(t, "a bad type", err, refusal{400, "event_log_streaming_invalid_destination_type"})
		s.env.EnvironmentSlug = "nonexistent"
		_, err = s.create(loki, configOf(loki, "1"))
		wantRefusal(t, "no such environment", err, refusal{404, "environment_not_found"})
	})
}
