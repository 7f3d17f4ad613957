package dashboard

import (
	"net/http"

	"github.com/countersign-auth/countersign"
)

// What the least role may, in the words of the table below.
const (
	anybody = countersign.OperatorRole("")
	viewer  = countersign.OperatorViewer
	editor  = countersign.OperatorEditor
	owner   = countersign.OperatorOwner
)

// inEnv is where the pages of an environment are.
const inEnv = Root + "/p/{project}/{environment}"

// routes are all pages and all that their forms do.
func (d *Dashboard) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{get, Root + "/sign-in", anybody, signInForm},
		{post, Root + "/sign-in", anybody, signIn},
		{post, Root + "/sign-out", viewer, signOut},
		{get, Root, viewer, home},
		{get, Root + "/projects", viewer, listProjects},
		{post, Root + "/projects", owner, createProject},
		{post, Root + "/projects/{slug}/environments", owner, createEnvironment},
		{post, Root + "/projects/{slug}/rename", owner, renameProject},
		{post, Root + "/projects/{slug}/delete", owner, deleteProject},
		{get, Root + "/operators", owner, listOperators},
		{post, Root + "/operators", owner, createOperatorLink},
		{post, Root + "/operators/{operator}/role", owner, setOperatorRole},
		{post, Root + "/operators/{operator}/end", owner, endOperatorSessions},
		{post, Root + "/operators/{operator}/remove", owner, removeOperator},

		{get, inEnv, viewer, overview},
		{get, inEnv + "/start", viewer, quickStart},

		{get, inEnv + "/profiles", viewer, listProfiles},
		{get, inEnv + "/profiles/new", editor, newProfile},
		{post, inEnv + "/profiles/new", editor, createProfile},
		{post, inEnv + "/profiles/propose", editor, proposeProfile},
		{post, inEnv + "/profiles/preview", editor, previewProfile},
		{get, inEnv + "/profiles/{profile}", viewer, showProfile},
		{get, inEnv + "/profiles/{profile}/edit", editor, editProfile},
		{post, inEnv + "/profiles/{profile}/edit", editor, saveProfile},
		{post, inEnv + "/profiles/{profile}/replay", editor, replayProfile},
		{post, inEnv + "/profiles/{profile}/delete", editor, deleteProfile},
		{post, inEnv + "/profiles/{profile}/keys", editor, addProfileKey},
		{post, inEnv + "/profiles/{profile}/keys/{key}/delete", editor, deleteProfileKey},
		{get, inEnv + "/profiles/{profile}/try", editor, tryForm},
		{post, inEnv + "/profiles/{profile}/try", editor, tryToken},

		{get, inEnv + "/verdicts", viewer, listVerdicts},
		{get, inEnv + "/verdicts/{request}", viewer, showVerdict},

		{get, inEnv + "/sessions", viewer, listSessions},
		{get, inEnv + "/sessions/{session}", viewer, showSession},
		{post, inEnv + "/sessions/{session}/revoke", editor, revokeSession},
		{get, inEnv + "/revocations", viewer, revocations},
		{post, inEnv + "/revocations", editor, revoke},

		{get, inEnv + "/users", viewer, consumer(listUsers)},
		{get, inEnv + "/users/new", editor, consumer(newUser)},
		{post, inEnv + "/users/new", editor, consumer(createUser)},
		{get, inEnv + "/users/{user}", viewer, consumer(showUser)},
		{get, inEnv + "/users/{user}/edit", editor, consumer(editUser)},
		{post, inEnv + "/users/{user}/edit", editor, consumer(saveUser)},
		{post, inEnv + "/users/{user}/delete", editor, consumer(deleteUser)},
		{post, inEnv + "/users/{user}/revoke", editor, consumer(revokeUser)},

		{get, inEnv + "/organizations", viewer, b2b(listOrganizations)},
		{get, inEnv + "/organizations/new", editor, b2b(newOrganization)},
		{post, inEnv + "/organizations/new", editor, b2b(createOrganization)},
		{get, inEnv + "/organizations/{organization}", viewer, b2b(showOrganization)},
		{get, inEnv + "/organizations/{organization}/edit", editor, b2b(editOrganization)},
		{post, inEnv + "/organizations/{organization}/edit", editor, b2b(saveOrganization)},
		{post, inEnv + "/organizations/{organization}/delete", editor, b2b(deleteOrganization)},
		{get, inEnv + "/organizations/{organization}/roles", owner, b2b(editRoles)},
		{post, inEnv + "/organizations/{organization}/roles", owner, b2b(saveRoles)},
		{get, inEnv + "/organizations/{organization}/members/new", editor, b2b(newMember)},
		{post, inEnv + "/organizations/{organization}/members/new", editor, b2b(createMember)},
		{get, inEnv + "/members/{member}", viewer, b2b(showMember)},
		{get, inEnv + "/members/{member}/edit", editor, b2b(editMember)},
		{post, inEnv + "/members/{member}/edit", editor, b2b(saveMember)},
		{post, inEnv + "/members/{member}/delete", editor, b2b(deleteMember)},
		{post, inEnv + "/members/{member}/reactivate", editor, b2b(reactivateMember)},
		{post, inEnv + "/members/{member}/revoke", editor, b2b(revokeMember)},
		{post, inEnv + "/members/{member}/address", editor, b2b(freeAddress)},
		{post, inEnv + "/members/{member}/phone", editor, b2b(deletePhone)},

		{get, inEnv + "/policy", viewer, showPolicy},
		{get, inEnv + "/policy/edit", owner, editPolicy},
		{post, inEnv + "/policy/edit", owner, savePolicy},

		{get, inEnv + "/keys", viewer, listKeys},
		{post, inEnv + "/keys/secrets", owner, createSecret},
		{post, inEnv + "/keys/secrets/{secret}/delete", owner, deleteSecret},
		{post, inEnv + "/keys/tokens", owner, createPublicToken},
		{post, inEnv + "/keys/tokens/{token}/delete", owner, deletePublicToken},
		{post, inEnv + "/keys/rotate", owner, rotateKey},

		{get, inEnv + "/events", viewer, listEvents},

		{get, inEnv + "/streams", viewer, showStream},
		{post, inEnv + "/streams", owner, saveStream},
		{post, inEnv + "/streams/{type}/enable", owner, enableStream},
		{post, inEnv + "/streams/{type}/disable", owner, disableStream},
		{post, inEnv + "/streams/{type}/delete", owner, deleteStream},

		{get, inEnv + "/settings", viewer, showSettings},
		{post, inEnv + "/settings/environment", owner, saveEnvironment},
		{post, inEnv + "/settings/delete", owner, deleteEnvironment},
		{post, inEnv + "/settings/sdk", owner, saveSDK},
		{post, inEnv + "/settings/template", owner, saveTemplate},
		{post, inEnv + "/settings/preview", owner, previewTemplate},
		{post, inEnv + "/settings/redirects", owner, addRedirect},
		{post, inEnv + "/settings/redirects/delete", owner, deleteRedirect},
	}
}
