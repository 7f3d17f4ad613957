// Package openapi describes the routes of all surfaces as an OpenAPI 3.0.3
// document. It knows Go types and their tags; it refuses to know endpoints: what
// the document says of one is in its route and in the types of its body and its
// answer (docs/adr/0010).
//
// A field of an answer is required and never null, unless it is a pointer, which
// may be null, or has omitempty, which may be absent. A field of a request may be
// absent or null, because the server takes null for absent. Tags say the rest:
//
//	openapi:"nullable"        a map or raw JSON of an answer that may be null
//	openapi:"required"        of an answer, a pointer that is never nil;
//	                          of a request, a field that must be there
//	openapi:"enum=A|B"        the only values
//	openapi:"format=date-time"
//	openapi:"minimum=0,maximum=9"
//	openapi:"type=object"     what raw JSON is
//	doc:"A sentence."         the description
//
// A type that has a method OpenAPI says the same of all its values, in the syntax
// of the tag openapi; one that has a method Holds is written as the type it holds.
package openapi
