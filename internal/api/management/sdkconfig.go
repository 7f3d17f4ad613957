package management

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
)

type consumerSDKConfigAnswer struct {
	wire.Envelope
	Config countersign.ConsumerSDKConfig `json:"config"`
}

type setConsumerSDKConfigRequest struct {
	Config countersign.ConsumerSDKConfig `json:"config"`
}

// MaxBytes bounds the body of a configuration: full lists must fit.
func (setConsumerSDKConfigRequest) MaxBytes() int64 { return 1 << 20 }

func (s *Surface) consumerSDKConfig(ctx context.Context, r *api.Request[api.None]) (*consumerSDKConfigAnswer, error) {
	c, err := s.Projects.ConsumerSDKConfig(ctx, r.Caller.Environment)
	return &consumerSDKConfigAnswer{Config: c}, err
}

func (s *Surface) setConsumerSDKConfig(ctx context.Context, r *api.Request[setConsumerSDKConfigRequest]) (*consumerSDKConfigAnswer, error) {
	c, err := s.Projects.SetConsumerSDKConfig(ctx, r.Caller.Actor, r.Caller.Environment, r.Body.Config)
	return &consumerSDKConfigAnswer{Config: c}, err
}

type b2bSDKConfigAnswer struct {
	wire.Envelope
	Config countersign.B2BSDKConfig `json:"config"`
}

type setB2BSDKConfigRequest struct {
	Config countersign.B2BSDKConfig `json:"config"`
}

// MaxBytes bounds the body of a configuration: full lists must fit.
func (setB2BSDKConfigRequest) MaxBytes() int64 { return 1 << 20 }

func (s *Surface) b2bSDKConfig(ctx context.Context, r *api.Request[api.None]) (*b2bSDKConfigAnswer, error) {
	c, err := s.Projects.B2BSDKConfig(ctx, r.Caller.Environment)
	return &b2bSDKConfigAnswer{Config: c}, err
}

func (s *Surface) setB2BSDKConfig(ctx context.Context, r *api.Request[setB2BSDKConfigRequest]) (*b2bSDKConfigAnswer, error) {
	c, err := s.Projects.SetB2BSDKConfig(ctx, r.Caller.Actor, r.Caller.Environment, r.Body.Config)
	return &b2bSDKConfigAnswer{Config: c}, err
}
