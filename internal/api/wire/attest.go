package wire

import "github.com/countersign-auth/countersign"

// SubjectToken reads the two fields that every attest request must have. Errors:
// ErrBadRequest, ErrProfileNotFound, and those for an ID of the other class.
func SubjectToken(env countersign.EnvironmentID, profileID, token string) (countersign.ProfileID, countersign.Bearer, error) {
	switch {
	case profileID == "":
		return countersign.ProfileID{}, "", countersign.ErrBadRequest.Saying("profile_id is required.")
	case token == "":
		return countersign.ProfileID{}, "", countersign.ErrBadRequest.Saying("token is required.")
	}
	profile, err := countersign.ParseID[countersign.ProfileID](profileID)
	if err != nil {
		return profile, "", countersign.ErrProfileNotFound
	}
	return profile, countersign.Bearer(token), countersign.CheckClass(profile.Class(), env)
}
