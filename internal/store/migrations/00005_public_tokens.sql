-- +goose Up

-- A public token names its environment by itself.
CREATE UNIQUE INDEX public_tokens_by_id ON public_tokens (public_token_id);
