package server

import (
	"context"
	"net/http"

	"github.com/countersign-auth/countersign/internal/api"
)

// Routes are the endpoints that s serves.
func (s *Server) Routes() []api.Route { return s.router.Routes() }

// Private is what s serves on the metrics address.
func (s *Server) Private() http.Handler { return s.private() }

// Sweep is a visit of the janitor.
func (s *Server) Sweep(ctx context.Context) error { return s.sessions.Sweep(ctx) }
