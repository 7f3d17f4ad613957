package sdk_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
)

func TestEnvironmentDefaults(t *testing.T) {
	t.Parallel()
	for _, vertical := range verticals {
		for _, kind := range environments.EnvironmentTypes() {
			got := newEnvironmentOf(t, vertical, kind).Environment
			prefix := map[environments.EnvironmentType]string{environments.EnvironmentTypeLive: "project-live-", environments.EnvironmentTypeTest: "project-test-"}[kind]
			if len(got.ProjectID) <= len(prefix) || got.ProjectID[:len(prefix)] != prefix {
				t.Errorf("project_id of a %s environment = %q, want %s…", kind, got.ProjectID, prefix)
			}
			if got.EnvironmentSlug == "" || got.OAuthCallbackID == "" || got.CreatedAt.IsZero() {
				t.Errorf("created %+v, want a slug, an OAuth callback ID and a moment", got)
			}
			want := environments.Environment{
				Name: "Suite", Type: kind, UserLockThreshold: 10, UserLockTTL: 3600,
				ProjectSlug: got.ProjectSlug, EnvironmentSlug: got.EnvironmentSlug, ProjectID: got.ProjectID,
				OAuthCallbackID: got.OAuthCallbackID, CreatedAt: got.CreatedAt,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("defaults (-want +got):\n%s", diff)
			}
		}
	}
}

// settingsRequest says something other than the default of every setting.
func settingsRequest(project string) environments.CreateRequest {
	return environments.CreateRequest{
		ProjectSlug: project, Name: "Suite", Type: environments.EnvironmentTypeTest, EnvironmentSlug: ptr("suite-slug"),
		CrossOrgPasswordsEnabled: ptr(true), UserImpersonationEnabled: ptr(true),
		ZeroDowntimeSessionMigrationURL: ptr("https://example.com/migration"),
		UserLockSelfServeEnabled:        ptr(true), UserLockThreshold: ptr(5), UserLockTTL: ptr(600),
		IDPAuthorizationURL: ptr("https://example.com/idp"), IDPDynamicClientRegistrationEnabled: ptr(true),
		IDPDynamicClientRegistrationAccessTokenTemplateContent: ptr(`{"field": {{ user.user_id }} }`),
	}
}

func TestEnvironmentSettingsAreEchoedAndKept(t *testing.T) {
	t.Parallel()
	project := newProject(t, projects.VerticalB2B)
	request := settingsRequest(project.ProjectSlug)
	created, err := manage().Environments.Create(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	e := created.Environment
	want := environments.Environment{
		EnvironmentSlug: "suite-slug", ProjectSlug: project.ProjectSlug, Name: "Suite", Type: environments.EnvironmentTypeTest,
		CrossOrgPasswordsEnabled: true, UserImpersonationEnabled: true, ZeroDowntimeSessionMigrationURL: "https://example.com/migration",
		UserLockSelfServeEnabled: true, UserLockThreshold: 5, UserLockTTL: 600,
		IDPAuthorizationURL: "https://example.com/idp", IDPDynamicClientRegistrationEnabled: true,
		IDPDynamicClientRegistrationAccessTokenTemplateContent: `{"field": {{ user.user_id }} }`, // verbatim: it is no JSON yet
		ProjectID: e.ProjectID, OAuthCallbackID: e.OAuthCallbackID, CreatedAt: e.CreatedAt,
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	got, err := manage().Environments.Get(t.Context(), environments.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Environment); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	_, err = manage().Environments.Create(t.Context(), request)
	wantRefusal(t, "the same slug again", err, refusal{400, "environment_slug_already_used"})
}

func TestEnvironmentPatchChangesWhatItNames(t *testing.T) {
	t.Parallel()
	created, err := manage().Environments.Create(t.Context(), settingsRequest(newProject(t, projects.VerticalB2B).ProjectSlug))
	if err != nil {
		t.Fatal(err)
	}
	want := created.Environment
	for _, step := range []struct {
		name    string
		request environments.UpdateRequest
		expect  func()
	}{
		{"only the name", environments.UpdateRequest{Name: ptr("Renamed")}, func() { want.Name = "Renamed" }},
		{"false", environments.UpdateRequest{CrossOrgPasswordsEnabled: ptr(false)}, func() { want.CrossOrgPasswordsEnabled = false }},
		{"empty text", environments.UpdateRequest{IDPAuthorizationURL: ptr("")}, func() { want.IDPAuthorizationURL = "" }},
		{"what a create cannot set", environments.UpdateRequest{UseCustomDomainInMagicLinkEmails: ptr(true)}, func() { want.UseCustomDomainInMagicLinkEmails = true }},
		{"nothing", environments.UpdateRequest{}, func() {}},
	} {
		step.expect()
		step.request.ProjectSlug, step.request.EnvironmentSlug = want.ProjectSlug, want.EnvironmentSlug
		updated, err := manage().Environments.Update(t.Context(), step.request)
		if err != nil {
			t.Fatalf("patch with %s: %v", step.name, err)
		}
		got, err := manage().Environments.Get(t.Context(), environments.GetRequest{ProjectSlug: want.ProjectSlug, EnvironmentSlug: want.EnvironmentSlug})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, updated.Environment); diff != "" {
			t.Errorf("patch with %s (-want +got):\n%s", step.name, diff)
		}
		if diff := cmp.Diff(want, got.Environment); diff != "" {
			t.Errorf("read after a patch with %s (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestEnvironmentSettingsAreChecked(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	for kind, request := range map[string]environments.UpdateRequest{
		"invalid_user_lock_threshold": {UserLockThreshold: ptr(-1)},
		"invalid_user_lock_ttl":       {UserLockTTL: ptr(1)},
		"invalid_userinfo_url":        {ZeroDowntimeSessionMigrationURL: ptr("nonsense")},
		"invalid_authorization_url":   {IDPAuthorizationURL: ptr("nonsense")},
	} {
		request.ProjectSlug, request.EnvironmentSlug = e.ProjectSlug, e.EnvironmentSlug
		_, err := manage().Environments.Update(t.Context(), request)
		wantRefusal(t, "update", err, refusal{400, kind})
	}
}

// An empty slug is what Terraform sends for none.
func TestEnvironmentsMayShareAName(t *testing.T) {
	t.Parallel()
	project := newProject(t, projects.VerticalConsumer)
	slugs := map[string]bool{}
	for range 3 {
		created, err := manage().Environments.Create(t.Context(), environments.CreateRequest{
			ProjectSlug: project.ProjectSlug, Name: "Twin", Type: environments.EnvironmentTypeTest, EnvironmentSlug: ptr(""),
		})
		if err != nil {
			t.Fatal(err)
		}
		slugs[created.Environment.EnvironmentSlug] = true
	}
	if len(slugs) != 3 || slugs[""] {
		t.Errorf("three environments of one name have the slugs %v", slugs)
	}
}

func TestEnvironmentLiveIsOneAndStays(t *testing.T) {
	t.Parallel()
	e := newEnvironmentOf(t, projects.VerticalConsumer, environments.EnvironmentTypeLive)
	_, err := manage().Environments.Create(t.Context(), environments.CreateRequest{ProjectSlug: e.ProjectSlug, Name: "Second", Type: environments.EnvironmentTypeLive})
	wantRefusal(t, "a second live one", err, refusal{400, "live_environment_already_exists"})
	_, err = manage().Environments.Delete(t.Context(), environments.DeleteRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	wantRefusal(t, "delete the live one", err, refusal{400, "cannot_delete_live_environment"})
}

func TestEnvironmentDelete(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	client := e.client()
	answer, err := manage().Environments.Delete(t.Context(), environments.DeleteRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	if err != nil || answer.StatusCode != http.StatusOK || answer.RequestID == "" {
		t.Fatalf("delete = %+v, %v", answer, err)
	}
	_, err = manage().Environments.Get(t.Context(), environments.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	wantRefusal(t, "get", err, refusal{404, "environment_not_found"})
	_, err = manage().Environments.Update(t.Context(), environments.UpdateRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	wantRefusal(t, "update", err, refusal{404, "environment_not_found"})
	_, err = manage().Environments.Delete(t.Context(), environments.DeleteRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	wantRefusal(t, "delete again", err, refusal{404, "environment_not_found"})
	_, err = client.Users.Create(t.Context(), newUserParams())
	wantRefusal(t, "its secret", err, refusal{401, "unauthorized_credentials"})
}

func TestEnvironmentMetricsCountUsers(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	if _, err := e.client().Users.Create(t.Context(), newUserParams()); err != nil {
		t.Fatal(err)
	}
	got, err := manage().Environments.GetMetrics(t.Context(), environments.GetMetricsRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	if want := (environments.Metrics{UserCount: 1}); err != nil || got.Metrics != want {
		t.Errorf("metrics = %+v, %v, want %+v", got, err, want)
	}
}
