package dashboard

import (
	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/operator"
)

type operatorsPage struct {
	Operators []operator.Listed
	Roles     []countersign.OperatorRole
	Link      string // shown this once
	For       countersign.Operator
	Name      string
	Problem   problem
	Events    []countersign.Event // the workspace's newest
}

func listOperators(d *Dashboard, r *request) (view, error) {
	return operatorsView(d, r, operatorsPage{})
}

func operatorsView(d *Dashboard, r *request, data operatorsPage) (view, error) {
	var err error
	if data.Operators, err = d.Operators.List(r.Context()); err != nil {
		return view{}, err
	}
	if data.Events, _, err = d.Projects.Events(r.Context(), countersign.EnvironmentID{}, 20, ""); err != nil {
		return view{}, err
	}
	data.Roles = countersign.OperatorRoles()
	return view{
		template: "operators", title: "Operators", section: "operators", data: data, status: data.Problem.status(),
		cli: "countersign dashboard link --name NAME --role viewer", api: "POST /pwa/v3/operator_links",
	}, nil
}

func createOperatorLink(d *Dashboard, r *request) (view, error) {
	name := r.field("name")
	link, err := d.Operators.NewLink(r.Context(), r.actor, name, countersign.OperatorRole(r.field("role")))
	if ours(err) {
		return operatorsView(d, r, operatorsPage{Name: name, Problem: problemOf(err)})
	}
	if err != nil {
		return view{}, err
	}
	return operatorsView(d, r, operatorsPage{Link: r.base() + operator.SignInPath(link.Token).Reveal(), For: link.Operator})
}

func setOperatorRole(d *Dashboard, r *request) (view, error) {
	_, err := d.Operators.SetRole(r.Context(), r.actor, r.PathValue("operator"), countersign.OperatorRole(r.field("role")))
	return view{redirect: Root + "/operators?did=operator-saved"}, err
}

func endOperatorSessions(d *Dashboard, r *request) (view, error) {
	return view{redirect: Root + "/operators?did=operator-ended"}, d.Operators.EndSessions(r.Context(), r.actor, r.PathValue("operator"))
}

func removeOperator(d *Dashboard, r *request) (view, error) {
	return view{redirect: Root + "/operators?did=operator-removed"}, d.Operators.Remove(r.Context(), r.actor, r.PathValue("operator"))
}

// base is the address of the server as the browser has it.
func (r *request) base() string {
	scheme := "http"
	if r.TLS != nil || len(r.Header.Get("Origin")) > 5 && r.Header.Get("Origin")[:5] == "https" {
		scheme = "https"
	} else if _, err := r.Cookie(secureCookie); err == nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
