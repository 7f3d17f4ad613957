package wire

// Error is the error object of the contract (README §3).
type Error struct {
	StatusCode   int    `json:"status_code" doc:"The HTTP status."`
	RequestID    string `json:"request_id"`
	ErrorType    string `json:"error_type" doc:"What went wrong, for programs; docs/errors.md lists them all."`
	ErrorMessage string `json:"error_message" doc:"What went wrong, for people."`
	ErrorURL     string `json:"error_url" doc:"Where the error type is explained."`
}
