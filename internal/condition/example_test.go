package condition_test

import (
	"encoding/json"
	"fmt"

	"github.com/countersign-auth/countersign/internal/condition"
)

func Example() {
	header := map[string]any{"alg": "RS256"}
	claims := map[string]any{
		"email":  "Ada@Example.com",
		"groups": []any{"app-mail", "admin"},
		"id":     json.Number("12345678901234567890"),
	}
	var cache condition.Cache

	isAdmin, err := cache.Compile(`claims.email.lowerAscii().endsWith("@example.com") && "admin" in claims.groups`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(isAdmin.Holds(header, claims))

	roles, err := cache.CompileValue(`claims.groups.filter(g, g.startsWith("app-")).map(g, g.substring(4))`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(roles.Value(header, claims))

	_, err = cache.Compile(`claim.groups.size() > 0`)
	fmt.Println(err)
	// Output:
	// true <nil>
	// [mail] <nil>
	// line 1, column 1: undeclared 'claim'; did you mean 'claims'?
}
