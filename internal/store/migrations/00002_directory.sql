-- +goose Up

-- What an operator writes as a whole and the server reads as a whole, JSON by
-- name: the policy, the session template, the configuration of client libraries.
CREATE TABLE configurations (
    environment_id BYTEA NOT NULL,
    name           TEXT  NOT NULL,
    body           TEXT  NOT NULL,
    PRIMARY KEY (environment_id, name)
);

-- Moves with every change of what is derived from configuration, so that a
-- process knows from the environment's row, which each request reads, whether
-- what it derived still stands.
ALTER TABLE environments ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

ALTER TABLE users ADD COLUMN roles TEXT;

-- The name in the form in which it is searched (store: searchable).
ALTER TABLE users ADD COLUMN full_name TEXT NOT NULL DEFAULT '';
UPDATE users SET full_name = lower(trim(first_name || ' ' || middle_name || ' ' || last_name));
CREATE INDEX users_by_name ON users (environment_id, user_id, full_name) WHERE full_name <> '';

-- Searching reads nothing but this index.
CREATE INDEX user_identifiers_by_user_key ON user_identifiers (environment_id, user_id, kind, match_key);
DROP INDEX user_identifiers_by_user;
