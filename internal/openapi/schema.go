package openapi

// schema is a schema object (OpenAPI 3.0.3 §4.7.24), as far as it is used here.
type schema struct {
	Ref                  string             `json:"$ref,omitempty"`
	Description          string             `json:"description,omitempty"`
	Type                 string             `json:"type,omitempty"`
	Format               string             `json:"format,omitempty"`
	Enum                 []any              `json:"enum,omitempty"`
	Minimum              *int64             `json:"minimum,omitempty"`
	Maximum              *int64             `json:"maximum,omitempty"`
	Nullable             bool               `json:"nullable,omitempty"`
	AllOf                []*schema          `json:"allOf,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	Required             []string           `json:"required,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	AdditionalProperties *schema            `json:"additionalProperties,omitempty"`
}

// orNull is s, or null. What stands beside a reference is ignored, so that a
// reference goes into an allOf; an enumeration must name null itself.
func (s *schema) orNull() *schema {
	s = s.open()
	s.Nullable = true
	if s.Enum != nil {
		s.Enum = append(s.Enum, nil)
	}
	return s
}

// described is s with a description, if there is one.
func (s *schema) described(text string) *schema {
	if text == "" {
		return s
	}
	s = s.open()
	s.Description = text
	return s
}

// open is s in a form beside which more can be said.
func (s *schema) open() *schema {
	if s.Ref != "" {
		return &schema{AllOf: []*schema{s}}
	}
	return s
}
