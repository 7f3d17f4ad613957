package sdk_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/redirecturls"
)

// The URL types by short names.
const (
	login     = redirecturls.RedirectURLTypeLogin
	signup    = redirecturls.RedirectURLTypeSignup
	invite    = redirecturls.RedirectURLTypeInvite
	reset     = redirecturls.RedirectURLTypeResetPassword
	discovery = redirecturls.RedirectURLTypeDiscovery
)

const (
	firstURL  = "https://first.example.com/callback"
	secondURL = "https://second.example.com/callback"
)

func plain(types ...redirecturls.RedirectURLType) (list []redirecturls.URLType) {
	for _, typ := range types {
		list = append(list, redirecturls.URLType{Type: typ})
	}
	return list
}

func defaults(types ...redirecturls.RedirectURLType) (list []redirecturls.URLType) {
	for _, typ := range types {
		list = append(list, redirecturls.URLType{Type: typ, IsDefault: true})
	}
	return list
}

func (e *environment) tryRedirectURL(address string, types []redirecturls.URLType, doNotPromote *bool) (redirecturls.RedirectURL, error) {
	answer, err := manage().RedirectURLs.Create(e.t.Context(), redirecturls.CreateRequest{
		ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, URL: address, ValidTypes: types, DoNotPromoteDefaults: doNotPromote,
	})
	if err != nil {
		return redirecturls.RedirectURL{}, err
	}
	return answer.RedirectURL, nil
}

func (e *environment) addRedirectURL(address string, types ...redirecturls.URLType) redirecturls.RedirectURL {
	e.t.Helper()
	u, err := e.tryRedirectURL(address, types, nil)
	if err != nil {
		e.t.Fatalf("create %s: %v", address, err)
	}
	return u
}

func (e *environment) tryUpdateRedirectURL(address string, types []redirecturls.URLType, doNotPromote *bool) (redirecturls.RedirectURL, error) {
	answer, err := manage().RedirectURLs.Update(e.t.Context(), redirecturls.UpdateRequest{
		ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, URL: address, ValidTypes: types, DoNotPromoteDefaults: doNotPromote,
	})
	if err != nil {
		return redirecturls.RedirectURL{}, err
	}
	return answer.RedirectURL, nil
}

func (e *environment) updateRedirectURL(address string, types ...redirecturls.URLType) redirecturls.RedirectURL {
	e.t.Helper()
	u, err := e.tryUpdateRedirectURL(address, types, nil)
	if err != nil {
		e.t.Fatalf("update %s: %v", address, err)
	}
	return u
}

func (e *environment) deleteRedirectURL(address string, doNotPromote *bool) error {
	_, err := manage().RedirectURLs.Delete(e.t.Context(), redirecturls.DeleteRequest{
		ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, URL: address, DoNotPromoteDefaults: doNotPromote,
	})
	return err
}

func (e *environment) redirectURL(address string) (redirecturls.RedirectURL, error) {
	answer, err := manage().RedirectURLs.Get(e.t.Context(), redirecturls.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, URL: address})
	if err != nil {
		return redirecturls.RedirectURL{}, err
	}
	return answer.RedirectURL, nil
}

// expectRedirectURLs holds all URLs of an environment, one by one and together,
// against a list.
func (e *environment) expectRedirectURLs(what string, want ...redirecturls.RedirectURL) {
	e.t.Helper()
	all, err := manage().RedirectURLs.GetAll(e.t.Context(), redirecturls.GetAllRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	if err != nil {
		e.t.Fatalf("%s: %v", what, err)
	}
	if diff := cmp.Diff(want, all.RedirectURLs, cmpopts.EquateEmpty()); diff != "" {
		e.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
	for _, u := range want {
		got, err := e.redirectURL(u.URL)
		if err != nil {
			e.t.Fatalf("%s: get %s: %v", what, u.URL, err)
		}
		if diff := cmp.Diff(u, got, cmpopts.EquateEmpty()); diff != "" {
			e.t.Errorf("%s: get %s (-want +got):\n%s", what, u.URL, diff)
		}
	}
}

func TestRedirectURLsOfANewEnvironment(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(_ *testing.T, _ projects.Vertical, e *environment) { e.expectRedirectURLs("a new environment") })
}

func TestRedirectURLIsEchoedAndKept(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, _ projects.Vertical, e *environment) {
		want := redirecturls.RedirectURL{URL: firstURL, ValidTypes: append(defaults(discovery, login), defaults(invite, signup, reset)...)}
		if diff := cmp.Diff(want, e.addRedirectURL(firstURL, want.ValidTypes...)); diff != "" {
			t.Errorf("created (-want +got):\n%s", diff)
		}
		second := e.addRedirectURL(secondURL, plain(login)...)
		if diff := cmp.Diff(redirecturls.RedirectURL{URL: secondURL, ValidTypes: plain(login)}, second); diff != "" {
			t.Errorf("created (-want +got):\n%s", diff)
		}
		e.expectRedirectURLs("two", want, second)
	})
}

func TestRedirectURLCreatedAgainGetsMoreTypes(t *testing.T) {
	t.Parallel()
	e := newB2BEnvironment(t)
	e.addRedirectURL(firstURL, defaults(login)...)
	again := e.addRedirectURL(firstURL, defaults(signup)...)
	want := redirecturls.RedirectURL{URL: firstURL, ValidTypes: defaults(login, signup)}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("created again (-want +got):\n%s", diff)
	}
	e.expectRedirectURLs("one with both types", want)
}

func TestRedirectURLUpdateReplacesTypes(t *testing.T) {
	t.Parallel()
	e := newB2BEnvironment(t)
	e.addRedirectURL(firstURL, defaults(login, invite)...)
	want := redirecturls.RedirectURL{URL: firstURL, ValidTypes: defaults(reset, login, signup)}
	if diff := cmp.Diff(want, e.updateRedirectURL(firstURL, want.ValidTypes...)); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	e.expectRedirectURLs("after the update", want)
	e.updateRedirectURL(firstURL)
	e.expectRedirectURLs("after an update to no types", redirecturls.RedirectURL{URL: firstURL})
}

func TestRedirectURLWithPlaceholders(t *testing.T) {
	t.Parallel()
	e := newB2BEnvironment(t)
	address := firstURL + "?expires_at={}&next=a%2Fb+c"
	want := e.addRedirectURL(address, plain(login)...)
	if diff := cmp.Diff(redirecturls.RedirectURL{URL: address, ValidTypes: plain(login)}, want); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	e.expectRedirectURLs("with placeholders", want)
	_, err := e.redirectURL(firstURL)
	wantRefusal(t, "without its query", err, refusal{404, "redirect_url_not_found"})
	e.updateRedirectURL(address, plain(signup)...)
	e.expectRedirectURLs("after the update", redirecturls.RedirectURL{URL: address, ValidTypes: plain(signup)})
	if err := e.deleteRedirectURL(address, nil); err != nil {
		t.Errorf("delete: %v", err)
	}
	e.expectRedirectURLs("after the deletion")
}

func TestRedirectURLUnknown(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, _ projects.Vertical, e *environment) {
		other := newEnvironment(t)
		other.addRedirectURL(firstURL, defaults(login)...)
		_, got := e.redirectURL(firstURL)
		_, updated := e.tryUpdateRedirectURL(firstURL, defaults(login), nil)
		for what, err := range map[string]error{"get": got, "update": updated, "delete": e.deleteRedirectURL(firstURL, nil)} {
			wantRefusal(t, what, err, refusal{404, "redirect_url_not_found"})
			if err != nil && !strings.Contains(err.Error(), "404") {
				t.Errorf("%s: the text of the error has no 404: %v", what, err)
			}
		}
		other.expectRedirectURLs("of the other environment", redirecturls.RedirectURL{URL: firstURL, ValidTypes: defaults(login)})
	})
}

func TestRedirectURLDelete(t *testing.T) {
	t.Parallel()
	e := newB2BEnvironment(t)
	e.addRedirectURL(firstURL, defaults(login)...)
	if err := e.deleteRedirectURL(firstURL, nil); err != nil {
		t.Fatalf("delete: %v", err)
	}
	_, err := e.redirectURL(firstURL)
	wantRefusal(t, "get", err, refusal{404, "redirect_url_not_found"})
	wantRefusal(t, "delete again", e.deleteRedirectURL(firstURL, nil), refusal{404, "redirect_url_not_found"})
	e.expectRedirectURLs("after the deletion")
}

// The first URL of a type becomes its default, unless that is not wanted.
func TestRedirectURLFirstIsTheDefault(t *testing.T) {
	t.Parallel()
	e := newB2BEnvironment(t)
	if got := e.addRedirectURL(firstURL, plain(login)...); !cmp.Equal(got.ValidTypes, defaults(login)) {
		t.Errorf("the first of its type: %+v", got)
	}
	if got := e.addRedirectURL(secondURL, plain(login, signup)...); !cmp.Equal(got.ValidTypes, append(plain(login), defaults(signup)...)) {
		t.Errorf("the second of one type and the first of another: %+v", got)
	}
	got, err := e.tryRedirectURL("https://third.example.com", plain(reset), ptr(true))
	if err != nil || !cmp.Equal(got.ValidTypes, plain(reset)) {
		t.Errorf("the first of its type, with do_not_promote_defaults: %+v, %v", got, err)
	}
}

func TestRedirectURLDefaultsAreOneByType(t *testing.T) {
	t.Parallel()
	e := newB2BEnvironment(t)
	e.addRedirectURL(firstURL, defaults(login, signup)...)
	e.addRedirectURL(secondURL, defaults(login)...)
	e.expectRedirectURLs("after another claimed one type",
		redirecturls.RedirectURL{URL: firstURL, ValidTypes: append(plain(login), defaults(signup)...)},
		redirecturls.RedirectURL{URL: secondURL, ValidTypes: defaults(login)})
	if err := e.deleteRedirectURL(secondURL, ptr(false)); err != nil {
		t.Fatal(err)
	}
	e.expectRedirectURLs("after the default went", redirecturls.RedirectURL{URL: firstURL, ValidTypes: defaults(login, signup)})
	e.addRedirectURL(secondURL, plain(login, signup)...)
	if err := e.deleteRedirectURL(firstURL, ptr(true)); err != nil {
		t.Fatal(err)
	}
	e.expectRedirectURLs("after it went with do_not_promote_defaults", redirecturls.RedirectURL{URL: secondURL, ValidTypes: plain(login, signup)})
}

func TestRedirectURLRefusals(t *testing.T) {
	t.Parallel()
	test, live := newB2BEnvironment(t), newEnvironmentOf(t, projects.VerticalConsumer, environments.EnvironmentTypeLive)
	for _, c := range []struct {
		kind    string
		e       *environment
		address string
		types   []redirecturls.URLType
	}{
		{"invalid_redirect_url_type", test, firstURL, plain(redirecturls.RedirectURLTypeUnknown)},
		{"redirect_url_must_use_https", test, "http://example.com", plain(login)},
		{"redirect_url_must_use_https", live, "http://localhost:3000", plain(login)},
		{"redirect_url_cannot_use_protocol", test, "javascript:alert(1)", plain(login)},
		{"no_wildcards_in_live_redirect_url", live, "https://*.example.com", plain(login)},
		{"redirect_url_with_wildcard_cannot_be_default", test, "https://*.example.com", defaults(login)},
		{"redirect_url_with_query_param_placeholder_cannot_be_default", test, firstURL + "?at={}", defaults(login)},
	} {
		_, err := c.e.tryRedirectURL(c.address, c.types, nil)
		wantRefusal(t, c.address, err, refusal{400, c.kind})
	}
	test.expectRedirectURLs("after refusals")
	live.expectRedirectURLs("after refusals")
	for _, address := range []string{"http://localhost:3000/back", "http://127.0.0.1:3000", "http://[::1]:3000", "com.example.app://back", "https://*.example.com"} {
		test.addRedirectURL(address, plain(login)...)
	}
	_, err := manage().RedirectURLs.GetAll(t.Context(), redirecturls.GetAllRequest{ProjectSlug: test.ProjectSlug, EnvironmentSlug: "nowhere"})
	wantRefusal(t, "no environment", err, refusal{404, "environment_not_found"})
}
