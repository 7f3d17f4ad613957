package server

import (
	"net/http"

	"github.com/countersign-auth/countersign/internal/api"
)

// Routes are the endpoints that s serves.
func (s *Server) Routes() []api.Route { return s.router.Routes() }

// Private is what s serves on the metrics address.
func (s *Server) Private() http.Handler { return s.private() }
