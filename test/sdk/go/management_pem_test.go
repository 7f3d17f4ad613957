package sdk_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/trustedtokenprofiles"
)

// pemFiles are the key endpoints of one profile.
type pemFiles struct {
	t  *testing.T
	of trustedtokenprofiles.CreateRequest
	id string
}

func (p pemFiles) add(text string) (trustedtokenprofiles.PEMFile, error) {
	answer, err := manage().TrustedTokenProfiles.CreatePEMFile(p.t.Context(), trustedtokenprofiles.CreatePEMFileRequest{
		ProjectSlug: p.of.ProjectSlug, EnvironmentSlug: p.of.EnvironmentSlug, ProfileID: p.id, PublicKey: text,
	})
	if err != nil {
		return trustedtokenprofiles.PEMFile{}, err
	}
	return answer.PEMFile, nil
}

func (p pemFiles) get(id string) (trustedtokenprofiles.PEMFile, error) {
	answer, err := manage().TrustedTokenProfiles.GetPEMFile(p.t.Context(), trustedtokenprofiles.GetPEMFileRequest{
		ProjectSlug: p.of.ProjectSlug, EnvironmentSlug: p.of.EnvironmentSlug, ProfileID: p.id, PEMFileID: id,
	})
	if err != nil {
		return trustedtokenprofiles.PEMFile{}, err
	}
	return answer.PEMFile, nil
}

func (p pemFiles) remove(id string) error {
	_, err := manage().TrustedTokenProfiles.DeletePEMFile(p.t.Context(), trustedtokenprofiles.DeletePEMFileRequest{
		ProjectSlug: p.of.ProjectSlug, EnvironmentSlug: p.of.EnvironmentSlug, ProfileID: p.id, PEMFileID: id,
	})
	return err
}

func newPEMProfile(t *testing.T, keys ...string) (pemFiles, trustedtokenprofiles.TrustedTokenProfile) {
	t.Helper()
	request := pemRequest(newEnvironment(t), keys...)
	profile := mustCreate(t, request)
	return pemFiles{t, request, profile.ProfileID}, profile
}

func TestPEMIsKeptByteForByte(t *testing.T) {
	t.Parallel()
	good := newIssuer(t, rs256).pem()
	texts := []string{unparsablePEM, good, "\n" + good + "\n\n", "# a comment, ü\r\n" + good}
	p, profile := newPEMProfile(t, texts...)
	for i, want := range texts {
		got, err := p.get(profile.PEMFiles[i].PEMFileID)
		if err != nil || got.PublicKey != want || got != profile.PEMFiles[i] {
			t.Errorf("key %d = %+q, %v, want %+q", i, got, err, want)
		}
	}
}

func TestPEMTextMayRepeat(t *testing.T) {
	t.Parallel()
	p, profile := newPEMProfile(t, unparsablePEM, unparsablePEM)
	third, err := p.add(unparsablePEM)
	if err != nil || third.PublicKey != unparsablePEM {
		t.Fatalf("add = %+v, %v", third, err)
	}
	want := append(profile.PEMFiles, third)
	if diff := cmp.Diff(want, getProfile(t, p.of, p.id).PEMFiles); diff != "" {
		t.Errorf("keys in the order of their making (-want +got):\n%s", diff)
	}
	ids := map[string]bool{}
	for _, f := range want {
		ids[f.PEMFileID] = true
	}
	if len(ids) != 3 {
		t.Errorf("three keys of one text have %d IDs", len(ids))
	}
}

// Terraform adds all new keys before it deletes the old ones.
func TestPEMReplacement(t *testing.T) {
	t.Parallel()
	p, profile := newPEMProfile(t, unparsablePEM)
	added, err := p.add(newIssuer(t, rs256).pem())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.remove(profile.PEMFiles[0].PEMFileID); err != nil {
		t.Fatalf("delete one of two: %v", err)
	}
	if diff := cmp.Diff([]trustedtokenprofiles.PEMFile{added}, getProfile(t, p.of, p.id).PEMFiles); diff != "" {
		t.Errorf("the other is left as it was (-want +got):\n%s", diff)
	}
	_, err = p.get(profile.PEMFiles[0].PEMFileID)
	wantRefusal(t, "get the deleted", err, refusal{404, "pem_file_not_found"})
	wantRefusal(t, "delete the deleted", p.remove(profile.PEMFiles[0].PEMFileID), refusal{404, "pem_file_not_found"})
	wantRefusal(t, "delete what never was", p.remove("non-existent-pem-file-id"), refusal{404, "pem_file_not_found"})
	wantRefusal(t, "delete the last", p.remove(added.PEMFileID), refusal{400, "must_have_pem_files_for_trusted_token_profile_with_type_pem"})
}

func TestPEMLimits(t *testing.T) {
	t.Parallel()
	p, _ := newPEMProfile(t, unparsablePEM, unparsablePEM, unparsablePEM, unparsablePEM, unparsablePEM)
	_, err := p.add(unparsablePEM)
	wantRefusal(t, "a sixth", err, refusal{400, "too_many_pem_files_for_trusted_token_profile"})
	request := jwkRequest(newEnvironment(t))
	byKeySet := pemFiles{t, request, mustCreate(t, request).ProfileID}
	_, err = byKeySet.add(unparsablePEM)
	wantRefusal(t, "a key for a profile of type JWK", err, refusal{400, "cannot_add_pem_file_to_non_pem_trusted_token_profile"})
	_, err = byKeySet.get("non-existent-pem-file-id")
	wantRefusal(t, "a key of a profile of type JWK", err, refusal{404, "pem_file_not_found"})
}
