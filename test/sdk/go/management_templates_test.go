package sdk_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/jwttemplates"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
)

func (e *environment) template(typ jwttemplates.JWTTemplateType) jwttemplates.JWTTemplate {
	e.t.Helper()
	got, err := manage().JWTTemplates.Get(e.t.Context(), jwttemplates.GetRequest{
		ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, JWTTemplateType: typ,
	})
	if err != nil {
		e.t.Fatalf("get the template %s: %v", typ, err)
	}
	return got.JWTTemplate
}

func (e *environment) setTemplate(typ jwttemplates.JWTTemplateType, content, audience string) (jwttemplates.JWTTemplate, error) {
	answer, err := manage().JWTTemplates.Set(e.t.Context(), jwttemplates.SetRequest{
		ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, JWTTemplateType: typ, TemplateContent: content, CustomAudience: audience,
	})
	if err != nil {
		return jwttemplates.JWTTemplate{}, err
	}
	return answer.JWTTemplate, nil
}

// sessionTemplate is a template that says something of who signs in, with white
// space that is nobody's business. Its placeholders have no quotes: it is no JSON.
func sessionTemplate(vertical projects.Vertical) string {
	if vertical == projects.VerticalB2B {
		return "{\n\t\"name\": {{ member.name }},\n\t\"org\":   {{organization.organization_id}}\n}\n"
	}
	return "{\n\t\"name\": {{ user.name.first_name }},\n\t\"tier\":   {{user.trusted_metadata.tier}}\n}\n"
}

func TestTemplatesBeforeAny(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, _ projects.Vertical, e *environment) {
		for _, typ := range jwttemplates.JWTTemplateTypes() {
			if diff := cmp.Diff(jwttemplates.JWTTemplate{TemplateContent: "{}", JWTTemplateType: typ}, e.template(typ)); diff != "" {
				t.Errorf("%s before any (-want +got):\n%s", typ, diff)
			}
		}
	})
}

func TestTemplatesAreKeptVerbatim(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, vertical projects.Vertical, e *environment) {
		for typ, content := range map[jwttemplates.JWTTemplateType]string{
			jwttemplates.JWTTemplateTypeSession: sessionTemplate(vertical),
			jwttemplates.JWTTemplateTypeM2M:     "{ \"client\" : {{ client.client_id }} }",
		} {
			want := jwttemplates.JWTTemplate{TemplateContent: content, CustomAudience: " https://api.example.com/" + string(typ), JWTTemplateType: typ}
			answered, err := e.setTemplate(typ, want.TemplateContent, want.CustomAudience)
			if err != nil {
				t.Fatalf("set %s: %v", typ, err)
			}
			for from, got := range map[string]jwttemplates.JWTTemplate{"answered": answered, "read": e.template(typ)} {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +%s):\n%s", typ, from, diff)
				}
			}
		}
	})
}

func TestTemplatesAreIndependent(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, vertical projects.Vertical, e *environment) {
		if _, err := e.setTemplate(jwttemplates.JWTTemplateTypeSession, sessionTemplate(vertical), "sessions"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(jwttemplates.JWTTemplate{TemplateContent: "{}", JWTTemplateType: jwttemplates.JWTTemplateTypeM2M}, e.template(jwttemplates.JWTTemplateTypeM2M)); diff != "" {
			t.Errorf("M2M after SESSION was set (-want +got):\n%s", diff)
		}
		session := e.template(jwttemplates.JWTTemplateTypeSession)
		if _, err := e.setTemplate(jwttemplates.JWTTemplateTypeM2M, `{"a": 1}`, "machines"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(session, e.template(jwttemplates.JWTTemplateTypeSession)); diff != "" {
			t.Errorf("SESSION after M2M was set (-before +after):\n%s", diff)
		}
	})
}

// There is no deletion: Terraform sets {} and an empty audience, which the client
// omits.
func TestTemplatesDeletedAsTerraformDoes(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, vertical projects.Vertical, e *environment) {
		typ := jwttemplates.JWTTemplateTypeSession
		if _, err := e.setTemplate(typ, sessionTemplate(vertical), "sessions"); err != nil {
			t.Fatal(err)
		}
		if _, err := e.setTemplate(typ, "{}", ""); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(jwttemplates.JWTTemplate{TemplateContent: "{}", JWTTemplateType: typ}, e.template(typ)); diff != "" {
			t.Errorf("after the deletion (-want +got):\n%s", diff)
		}
	})
}

func TestTemplatesThatAreRefused(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, vertical projects.Vertical, e *environment) {
		typ := jwttemplates.JWTTemplateTypeSession
		if _, err := e.setTemplate(typ, sessionTemplate(vertical), "sessions"); err != nil {
			t.Fatal(err)
		}
		before := e.template(typ)
		for kind, content := range map[string]string{
			"jwt_template_invalid_json":   `{"a": `,
			"jwt_template_invalid_tag":    `{"a": {{ }} }`,
			"jwt_template_mismatched_tag": `{"a": {{ user.name }`,
		} {
			_, err := e.setTemplate(typ, content, "")
			wantRefusal(t, content, err, refusal{400, kind})
		}
		if diff := cmp.Diff(before, e.template(typ)); diff != "" {
			t.Errorf("a refusal changed the template (-before +after):\n%s", diff)
		}
		_, err := e.setTemplate("OTHER", "{}", "")
		wantRefusal(t, "another type", err, refusal{404, "jwt_template_not_found"})
		_, err = manage().JWTTemplates.Get(t.Context(), jwttemplates.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: "nowhere", JWTTemplateType: typ})
		wantRefusal(t, "no environment", err, refusal{404, "environment_not_found"})
	})
}
