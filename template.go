package countersign

// TemplateType is what a JWT template is for.
type TemplateType string

// The template types. Only sessions are made by this server; the other one is
// kept for who asks for it again.
const (
	SessionTemplate TemplateType = "SESSION"
	M2MTemplate     TemplateType = "M2M"
)

// Template adds claims and an audience to JWTs (sessions-consumer.md §7).
type Template struct {
	Content        string `json:"template_content"`
	CustomAudience string `json:"custom_audience"`
}
