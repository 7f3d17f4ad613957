package trust

import (
	"strconv"
	"strings"
)

// Lookup finds the claim that path names, in the order that Map documents; nil
// if there is none or it is null. A claim of that very name wins even if it is
// null: names with slashes and dots in them are names (RFC 7519 §4.2).
func (c Claims) Lookup(path string) any {
	if value, ok := c[path]; ok {
		return value
	}
	if rest, ok := strings.CutPrefix(path, "/"); ok {
		if value, ok := c.pointer(rest); ok {
			return value
		}
	}
	return c.dotted(path)
}

// pointer follows a JSON Pointer, its first slash left out. Indexes are decimal
// without leading zeros (RFC 6901 §4).
func (c Claims) pointer(pointer string) (any, bool) {
	var value any = map[string]any(c)
	for token := range strings.SplitSeq(pointer, "/") {
		name, ok := unescapePointer(token)
		if !ok {
			return nil, false
		}
		switch v := value.(type) {
		case map[string]any:
			value, ok = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			ok = err == nil && 0 <= i && i < len(v) && strconv.Itoa(i) == name
			if ok {
				value = v[i]
			}
		default:
			ok = false
		}
		if !ok {
			return nil, false
		}
	}
	return value, true
}

// unescapePointer reads ~1 as a slash and ~0 as a tilde; no other use of the
// tilde is a pointer (RFC 6901 §3).
func unescapePointer(token string) (string, bool) {
	if strings.Count(token, "~") != strings.Count(token, "~0")+strings.Count(token, "~1") {
		return "", false
	}
	// In this order: ~01 is ~1, not a slash (RFC 6901 §4).
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~"), true
}

// dotted follows member names through nested objects, nil if it leads nowhere.
func (c Claims) dotted(path string) any {
	var value any = map[string]any(c)
	for name := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}
