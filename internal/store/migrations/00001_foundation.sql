-- One text for SQLite and PostgreSQL: TEXT, BIGINT, BOOLEAN and BYTEA only.
-- IDs are 17 bytes (class and UUID), moments are UTC microseconds.
-- Rows that arrive in numbers carry no foreign keys: when an environment goes,
-- its name goes at once and the janitor removes its rows in small batches.

-- +goose Up
CREATE TABLE workspace_keys (
    key_id     TEXT   NOT NULL PRIMARY KEY,
    hash       BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE workspace_facts (
    name  TEXT  NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE projects (
    project_slug TEXT   NOT NULL PRIMARY KEY,
    name         TEXT   NOT NULL,
    vertical     TEXT   NOT NULL,
    created_at   BIGINT NOT NULL
);

CREATE TABLE environments (
    environment_id    BYTEA  NOT NULL PRIMARY KEY,
    project_slug      TEXT   NOT NULL REFERENCES projects (project_slug),
    environment_slug  TEXT   NOT NULL,
    name              TEXT   NOT NULL,
    type              TEXT   NOT NULL,
    oauth_callback_id TEXT   NOT NULL,
    settings          TEXT   NOT NULL,
    session_token_key BYTEA  NOT NULL,
    created_at        BIGINT NOT NULL
);
CREATE UNIQUE INDEX environments_by_slug ON environments (project_slug, environment_slug);

CREATE TABLE departed_environments (
    environment_id BYTEA  NOT NULL PRIMARY KEY,
    departed_at    BIGINT NOT NULL
);

CREATE TABLE secrets (
    environment_id BYTEA  NOT NULL,
    secret_id      BYTEA  NOT NULL,
    hash           BYTEA  NOT NULL,
    last_four      TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    used_at        BIGINT,
    PRIMARY KEY (environment_id, secret_id)
);
CREATE UNIQUE INDEX secrets_by_hash ON secrets (environment_id, hash);

CREATE TABLE public_tokens (
    environment_id  BYTEA  NOT NULL,
    public_token_id BYTEA  NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (environment_id, public_token_id)
);

CREATE TABLE profiles (
    environment_id    BYTEA   NOT NULL,
    profile_id        BYTEA   NOT NULL,
    name              TEXT    NOT NULL,
    issuer            TEXT    NOT NULL,
    audience          TEXT    NOT NULL,
    public_key_type   TEXT    NOT NULL,
    jwks_url          TEXT    NOT NULL,
    attribute_mapping TEXT,
    can_jit_provision BOOLEAN NOT NULL,
    created_at        BIGINT  NOT NULL,
    PRIMARY KEY (environment_id, profile_id)
);

CREATE TABLE pem_files (
    environment_id BYTEA  NOT NULL,
    profile_id     BYTEA  NOT NULL,
    pem_file_id    BYTEA  NOT NULL,
    ordinal        BIGINT NOT NULL,
    public_key     TEXT   NOT NULL,
    PRIMARY KEY (environment_id, profile_id, pem_file_id)
);

CREATE TABLE key_sets (
    environment_id BYTEA  NOT NULL,
    jwks_url       TEXT   NOT NULL,
    body           BYTEA  NOT NULL,
    etag           TEXT   NOT NULL,
    fetched_at     BIGINT NOT NULL,
    fresh_until    BIGINT NOT NULL,
    PRIMARY KEY (environment_id, jwks_url)
);

CREATE TABLE signing_keys (
    environment_id BYTEA  NOT NULL,
    key_id         BYTEA  NOT NULL,
    ordinal        BIGINT NOT NULL,
    algorithm      TEXT   NOT NULL,
    public_key     BYTEA  NOT NULL,
    private_key    BYTEA  NOT NULL,
    created_at     BIGINT NOT NULL,
    activates_at   BIGINT NOT NULL,
    removed_at     BIGINT,
    PRIMARY KEY (environment_id, key_id)
);
CREATE UNIQUE INDEX signing_keys_by_ordinal ON signing_keys (environment_id, ordinal);

CREATE TABLE users (
    environment_id     BYTEA  NOT NULL,
    user_id            BYTEA  NOT NULL,
    status             TEXT   NOT NULL,
    first_name         TEXT   NOT NULL,
    middle_name        TEXT   NOT NULL,
    last_name          TEXT   NOT NULL,
    external_id        TEXT,
    trusted_metadata   TEXT   NOT NULL,
    untrusted_metadata TEXT   NOT NULL,
    created_at         BIGINT NOT NULL,
    PRIMARY KEY (environment_id, user_id)
);
CREATE UNIQUE INDEX users_by_external_id ON users (environment_id, external_id) WHERE external_id IS NOT NULL;

-- A user's e-mail addresses and phone numbers. match_key is what two spellings
-- of one address have in common.
CREATE TABLE user_identifiers (
    environment_id BYTEA   NOT NULL,
    identifier_id  BYTEA   NOT NULL,
    user_id        BYTEA   NOT NULL,
    kind           TEXT    NOT NULL,
    match_key      TEXT    NOT NULL,
    value          TEXT    NOT NULL,
    verified       BOOLEAN NOT NULL,
    created_at     BIGINT  NOT NULL,
    PRIMARY KEY (environment_id, identifier_id)
);
CREATE UNIQUE INDEX user_identifiers_by_match_key ON user_identifiers (environment_id, kind, match_key);
CREATE INDEX user_identifiers_by_user ON user_identifiers (environment_id, user_id);

CREATE TABLE sessions (
    environment_id   BYTEA  NOT NULL,
    session_id       BYTEA  NOT NULL,
    subject_id       BYTEA  NOT NULL,
    started_at       BIGINT NOT NULL,
    last_accessed_at BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    nonce            BYTEA  NOT NULL,
    attributes       TEXT,
    custom_claims    TEXT,
    factors          TEXT   NOT NULL,
    PRIMARY KEY (environment_id, session_id)
);
CREATE INDEX sessions_by_subject ON sessions (environment_id, subject_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- The audit trail. The workspace's own events stand under an environment of
-- seventeen zero bytes.
CREATE TABLE events (
    environment_id BYTEA  NOT NULL,
    event_id       BYTEA  NOT NULL,
    at             BIGINT NOT NULL,
    actor_kind     TEXT   NOT NULL,
    actor_id       TEXT   NOT NULL,
    request_id     BYTEA,
    action         TEXT   NOT NULL,
    object         TEXT   NOT NULL,
    detail         TEXT,
    PRIMARY KEY (environment_id, event_id)
);
