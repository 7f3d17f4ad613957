-- +goose Up

-- JSON; NULL is the default policy.
ALTER TABLE profiles ADD COLUMN trust_policy TEXT;

-- Whom an issuer means by the value of a claim.
CREATE TABLE subject_links (
    environment_id BYTEA  NOT NULL,
    profile_id     BYTEA  NOT NULL,
    subject        TEXT   NOT NULL,
    user_id        BYTEA  NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (environment_id, profile_id, subject)
);
CREATE INDEX subject_links_by_user ON subject_links (environment_id, user_id);

-- The token IDs of one-time tokens, hashed, until no such token can be valid.
CREATE TABLE used_tokens (
    environment_id BYTEA  NOT NULL,
    profile_id     BYTEA  NOT NULL,
    token_hash     BYTEA  NOT NULL,
    expires_at     BIGINT NOT NULL,
    PRIMARY KEY (environment_id, profile_id, token_hash)
);
CREATE INDEX used_tokens_by_expiry ON used_tokens (expires_at);

-- How many people a profile provisioned in a clock hour.
CREATE TABLE provisionings (
    environment_id BYTEA  NOT NULL,
    profile_id     BYTEA  NOT NULL,
    hour           BIGINT NOT NULL,
    people         BIGINT NOT NULL,
    PRIMARY KEY (environment_id, profile_id, hour)
);

-- What became of subject tokens, by the request that brought each.
CREATE TABLE verdicts (
    environment_id BYTEA   NOT NULL,
    request_id     BYTEA   NOT NULL,
    at             BIGINT  NOT NULL,
    profile_id     BYTEA   NOT NULL,
    user_id        BYTEA,
    reason         TEXT    NOT NULL,
    step           TEXT    NOT NULL,
    expected       TEXT    NOT NULL,
    received       TEXT    NOT NULL,
    shadow         BOOLEAN NOT NULL,
    address        TEXT    NOT NULL,
    facts          TEXT    NOT NULL,
    PRIMARY KEY (environment_id, request_id)
);
CREATE INDEX verdicts_by_profile ON verdicts (environment_id, profile_id, request_id);
CREATE INDEX verdicts_by_reason ON verdicts (environment_id, reason, request_id);
CREATE INDEX verdicts_by_user ON verdicts (environment_id, user_id, request_id) WHERE user_id IS NOT NULL;

-- How many refusals of a minute were not kept.
CREATE TABLE verdict_gaps (
    environment_id BYTEA  NOT NULL,
    profile_id     BYTEA  NOT NULL,
    minute         BIGINT NOT NULL,
    missed         BIGINT NOT NULL,
    PRIMARY KEY (environment_id, profile_id, minute)
);
