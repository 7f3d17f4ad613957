package sdk_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/trustedtokenprofiles"
)

// unparsablePEM looks like a key and is none. Terraform and the client's own
// tests keep such text, so the server does too, byte for byte: no final newline
// is added, none of the white space goes.
const unparsablePEM = "-----BEGIN PUBLIC KEY-----\r\nMIIBIjANBgkq hkiG9w0BAQEFAAOCAQ8A\n\n  -----END PUBLIC KEY----- \t"

// jwkRequest and pemRequest ask for profiles whose issuers need not exist.
func jwkRequest(e *environment) trustedtokenprofiles.CreateRequest {
	return trustedtokenprofiles.CreateRequest{
		ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, Name: "by key set", Issuer: "test-issuer", Audience: "test audience",
		PublicKeyType: trustedtokenprofiles.PublicKeyTypeJwk, JWKSURL: ptr("https://idp.example.com/jwks.json"),
	}
}

func pemRequest(e *environment, keys ...string) trustedtokenprofiles.CreateRequest {
	return trustedtokenprofiles.CreateRequest{
		ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, Name: "by PEM", Issuer: "test-issuer", Audience: "test audience",
		PublicKeyType: trustedtokenprofiles.PublicKeyTypePem, PEMFiles: keys,
	}
}

// mustCreate makes a profile and checks that it is read as it was created.
func mustCreate(t *testing.T, request trustedtokenprofiles.CreateRequest) trustedtokenprofiles.TrustedTokenProfile {
	t.Helper()
	created, err := manage().TrustedTokenProfiles.Create(t.Context(), request)
	if err != nil {
		t.Fatalf("create a profile: %v", err)
	}
	got := getProfile(t, request, created.Profile.ProfileID)
	if diff := cmp.Diff(created.Profile, got); diff != "" {
		t.Errorf("read after create (-created +read):\n%s", diff)
	}
	return created.Profile
}

func getProfile(t *testing.T, of trustedtokenprofiles.CreateRequest, id string) trustedtokenprofiles.TrustedTokenProfile {
	t.Helper()
	got, err := manage().TrustedTokenProfiles.Get(t.Context(), trustedtokenprofiles.GetRequest{ProjectSlug: of.ProjectSlug, EnvironmentSlug: of.EnvironmentSlug, ProfileID: id})
	if err != nil {
		t.Fatalf("get a profile: %v", err)
	}
	return got.Profile
}

func TestProfileEchoesWhatCreatedIt(t *testing.T) {
	t.Parallel()
	for _, vertical := range verticals {
		for _, kind := range environments.EnvironmentTypes() {
			e := newEnvironmentOf(t, vertical, kind)
			byKeySet := jwkRequest(e)
			byKeySet.CanJITProvision = true
			byKeySet.AttributeMapping = &map[string]any{"user_id": "sub", "email": "email"}
			got := mustCreate(t, byKeySet)
			want := trustedtokenprofiles.TrustedTokenProfile{
				ProfileID: got.ProfileID, Name: byKeySet.Name, Issuer: byKeySet.Issuer, Audience: byKeySet.Audience,
				PublicKeyType: byKeySet.PublicKeyType, JWKSURL: byKeySet.JWKSURL, PEMFiles: []trustedtokenprofiles.PEMFile{},
				CanJITProvision: true, AttributeMapping: byKeySet.AttributeMapping,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s, by key set (-want +got):\n%s", vertical, kind, diff)
			}
			if !strings.HasPrefix(got.ProfileID, "trusted-token-profile-") || strings.Contains(got.ProfileID, ".") {
				t.Errorf("profile_id = %q", got.ProfileID)
			}
			byPEM := pemRequest(e, unparsablePEM)
			got = mustCreate(t, byPEM)
			if len(got.PEMFiles) != 1 || got.PEMFiles[0].PEMFileID == "" {
				t.Fatalf("%s %s, by PEM: the profile has the keys %+v, want one", vertical, kind, got.PEMFiles)
			}
			want = trustedtokenprofiles.TrustedTokenProfile{
				ProfileID: got.ProfileID, Name: byPEM.Name, Issuer: byPEM.Issuer, Audience: byPEM.Audience, PublicKeyType: byPEM.PublicKeyType,
				PEMFiles: []trustedtokenprofiles.PEMFile{{PEMFileID: got.PEMFiles[0].PEMFileID, PublicKey: unparsablePEM}},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s, by PEM (-want +got):\n%s", vertical, kind, diff)
			}
		}
	}
}

func TestProfileListIsExact(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	list := func() []trustedtokenprofiles.TrustedTokenProfile {
		t.Helper()
		all, err := manage().TrustedTokenProfiles.GetAll(t.Context(), trustedtokenprofiles.GetAllRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
		if err != nil {
			t.Fatal(err)
		}
		return all.Profiles
	}
	want := []trustedtokenprofiles.TrustedTokenProfile{}
	if diff := cmp.Diff(want, list()); diff != "" {
		t.Errorf("of a new environment (-want +got):\n%s", diff)
	}
	want = append(want, mustCreate(t, jwkRequest(e)), mustCreate(t, pemRequest(e, unparsablePEM, unparsablePEM)), mustCreate(t, jwkRequest(e)))
	if diff := cmp.Diff(want, list()); diff != "" {
		t.Errorf("of three profiles (-want +got):\n%s", diff)
	}
}

func TestProfileMappingRoundTrip(t *testing.T) {
	t.Parallel()
	mapping := map[string]any{
		"email": "email", "token_id": "https://idp.example.com/claims/jti", "name": "profile.name", "number": 12.5, "large": float64(1 << 40),
		"flag": true, "off": false, "list": []any{"a", 1.0, nil}, "nested": map[string]any{"deep": map[string]any{"x": "ü <&> ☃"}}, "empty": map[string]any{},
	}
	request := jwkRequest(newEnvironment(t))
	request.AttributeMapping = &mapping
	got := mustCreate(t, request)
	if diff := cmp.Diff(mapping, *got.AttributeMapping); diff != "" {
		t.Errorf("mapping (-sent +got):\n%s", diff)
	}
}

func TestProfilePatchChangesWhatItNames(t *testing.T) {
	t.Parallel()
	request := jwkRequest(newEnvironment(t))
	request.CanJITProvision = true
	request.AttributeMapping = &map[string]any{"email": "email", "token_id": "jti"}
	want := mustCreate(t, request)
	for _, step := range []struct {
		name    string
		request trustedtokenprofiles.UpdateRequest
		expect  func()
	}{
		{"name", trustedtokenprofiles.UpdateRequest{Name: ptr("Renamed")}, func() { want.Name = "Renamed" }},
		{"audience", trustedtokenprofiles.UpdateRequest{Audience: ptr("other")}, func() { want.Audience = "other" }},
		{"issuer", trustedtokenprofiles.UpdateRequest{Issuer: ptr("urn:other")}, func() { want.Issuer = "urn:other" }},
		{"jwks_url", trustedtokenprofiles.UpdateRequest{JWKSURL: ptr("https://other.example.com/keys")}, func() { want.JWKSURL = ptr("https://other.example.com/keys") }},
		{"false", trustedtokenprofiles.UpdateRequest{CanJITProvision: ptr(false)}, func() { want.CanJITProvision = false }},
		{"mapping", trustedtokenprofiles.UpdateRequest{AttributeMapping: &map[string]any{"email": "mail"}}, func() { want.AttributeMapping = &map[string]any{"email": "mail"} }},
		{"an empty mapping", trustedtokenprofiles.UpdateRequest{AttributeMapping: &map[string]any{}}, func() { want.AttributeMapping = &map[string]any{} }},
		{"nothing", trustedtokenprofiles.UpdateRequest{}, func() {}},
	} {
		step.expect()
		step.request.ProjectSlug, step.request.EnvironmentSlug, step.request.ProfileID = request.ProjectSlug, request.EnvironmentSlug, want.ProfileID
		updated, err := manage().TrustedTokenProfiles.Update(t.Context(), step.request)
		if err != nil {
			t.Fatalf("patch with %s: %v", step.name, err)
		}
		if diff := cmp.Diff(want, updated.Profile); diff != "" {
			t.Errorf("patch with %s (-want +got):\n%s", step.name, diff)
		}
		if diff := cmp.Diff(want, getProfile(t, request, want.ProfileID)); diff != "" {
			t.Errorf("read after a patch with %s (-want +got):\n%s", step.name, diff)
		}
	}
	// What Terraform sends for an unset mapping; the Go client cannot say it.
	path := "/pwa/v3/projects/" + request.ProjectSlug + "/environments/" + request.EnvironmentSlug + "/trusted_token_profiles/" + want.ProfileID
	raw(t, http.MethodPatch, path, map[string]any{"attribute_mapping": nil})
	want.AttributeMapping = nil
	if diff := cmp.Diff(want, getProfile(t, request, want.ProfileID)); diff != "" {
		t.Errorf("read after a patch with null (-want +got):\n%s", diff)
	}
}

func TestProfileDeleteAndCreateAgain(t *testing.T) {
	t.Parallel()
	request := pemRequest(newEnvironment(t), unparsablePEM)
	gone := mustCreate(t, request)
	at := trustedtokenprofiles.DeleteRequest{ProjectSlug: request.ProjectSlug, EnvironmentSlug: request.EnvironmentSlug, ProfileID: gone.ProfileID}
	answer, err := manage().TrustedTokenProfiles.Delete(t.Context(), at)
	if err != nil || answer.StatusCode != http.StatusOK || answer.RequestID == "" {
		t.Fatalf("delete = %+v, %v", answer, err)
	}
	_, err = manage().TrustedTokenProfiles.Delete(t.Context(), at)
	wantRefusal(t, "delete again", err, refusal{404, "trusted_token_profile_not_found"})
	if again := mustCreate(t, request); again.ProfileID == gone.ProfileID {
		t.Error("a profile of the same name got the deleted one's ID")
	}
}

func TestProfileThatDoesNotExist(t *testing.T) {
	t.Parallel()
	e, foreign := newEnvironment(t), newEnvironment(t)
	want := refusal{404, "trusted_token_profile_not_found"}
	profiles := manage().TrustedTokenProfiles
	for _, id := range []string{"non-existent-profile-id", mustCreate(t, pemRequest(foreign, unparsablePEM)).ProfileID} {
		_, err := profiles.Get(t.Context(), trustedtokenprofiles.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, ProfileID: id})
		wantRefusal(t, "get "+id, err, want)
		_, err = profiles.Update(t.Context(), trustedtokenprofiles.UpdateRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, ProfileID: id, Name: ptr("x")})
		wantRefusal(t, "update "+id, err, want)
		_, err = profiles.Delete(t.Context(), trustedtokenprofiles.DeleteRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, ProfileID: id})
		wantRefusal(t, "delete "+id, err, want)
		_, err = profiles.CreatePEMFile(t.Context(), trustedtokenprofiles.CreatePEMFileRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, ProfileID: id, PublicKey: unparsablePEM})
		wantRefusal(t, "add a key to "+id, err, want)
	}
	_, err := profiles.GetAll(t.Context(), trustedtokenprofiles.GetAllRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: "nonexistent"})
	wantRefusal(t, "list where no environment is", err, refusal{404, "environment_not_found"})
}

func TestProfileRules(t *testing.T) {
	t.Parallel()
	consumer := newEnvironment(t)
	b2b := newEnvironmentOf(t, projects.VerticalB2B, environments.EnvironmentTypeTest)
	for _, row := range []struct {
		name   string
		of     *environment
		change func(*trustedtokenprofiles.CreateRequest)
		want   string
	}{
		{"no name", consumer, func(r *trustedtokenprofiles.CreateRequest) { r.Name = "" }, "trusted_token_profile_invalid_request"},
		{"no issuer", consumer, func(r *trustedtokenprofiles.CreateRequest) { r.Issuer = "" }, "trusted_token_profile_invalid_request"},
		{"no audience", consumer, func(r *trustedtokenprofiles.CreateRequest) { r.Audience = "" }, "trusted_token_profile_invalid_request"},
		{"no key type", consumer, func(r *trustedtokenprofiles.CreateRequest) { r.PublicKeyType = "" }, "trusted_token_profile_invalid_request"},
		{"JWK without a URL", consumer, func(r *trustedtokenprofiles.CreateRequest) { r.JWKSURL = nil }, "must_have_jwks_url_for_trusted_token_profile_with_type_jwk"},
		{"JWK with nonsense for a URL", consumer, func(r *trustedtokenprofiles.CreateRequest) { r.JWKSURL = ptr("nonsense") }, "invalid_jwks_url"},
		{"JWK with a PEM", consumer, func(r *trustedtokenprofiles.CreateRequest) { r.PEMFiles = []string{unparsablePEM} }, "cannot_add_pem_file_to_non_pem_trusted_token_profile"},
		{"PEM without a PEM", consumer, func(r *trustedtokenprofiles.CreateRequest) { *r = pemRequest(consumer) }, "must_have_pem_files_for_trusted_token_profile_with_type_pem"},
		{"six PEMs", consumer, func(r *trustedtokenprofiles.CreateRequest) {
			*r = pemRequest(consumer, unparsablePEM, unparsablePEM, unparsablePEM, unparsablePEM, unparsablePEM, unparsablePEM)
		}, "too_many_pem_files_for_trusted_token_profile"},
		{"no PEM at all", consumer, func(r *trustedtokenprofiles.CreateRequest) { *r = pemRequest(consumer, "nonsense") }, "invalid_public_key"},
		{"an empty PEM", consumer, func(r *trustedtokenprofiles.CreateRequest) { *r = pemRequest(consumer, "") }, "public_key_missing"},
		{"both external IDs", consumer, func(r *trustedtokenprofiles.CreateRequest) {
			r.AttributeMapping = &map[string]any{"external_user_id": "sub", "external_member_id": "sub"}
		}, "trusted_token_profile_cannot_have_multiple_external_ids"},
		{"a member's external ID", consumer, func(r *trustedtokenprofiles.CreateRequest) {
			r.AttributeMapping = &map[string]any{"external_member_id": "sub"}
		}, "trusted_token_profile_incorrect_external_id_mapping"},
		{"a user's external ID", b2b, func(r *trustedtokenprofiles.CreateRequest) {
			r.AttributeMapping = &map[string]any{"external_user_id": "sub"}
		}, "trusted_token_profile_incorrect_external_id_mapping"},
	} {
		t.Run(row.name, func(t *testing.T) {
			request := jwkRequest(row.of)
			row.change(&request)
			_, err := manage().TrustedTokenProfiles.Create(t.Context(), request)
			wantRefusal(t, "create", err, refusal{400, row.want})
		})
	}
}
