package dashboard

import "github.com/countersign-auth/countersign"

// Route is a route as tests see it.
type Route struct {
	Method, Pattern string
	Role            countersign.OperatorRole
}

// Routes are all routes.
func Routes() (list []Route) {
	for _, rt := range (&Dashboard{}).routes() {
		list = append(list, Route{rt.method, rt.pattern, rt.role})
	}
	return list
}

// Quote is quote.
var Quote = quote
