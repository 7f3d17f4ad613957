-- +goose Up

-- Who administers the workspace on the dashboard.
CREATE TABLE operators (
    operator_id BYTEA  NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    role        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT
);
CREATE UNIQUE INDEX operators_by_name ON operators (name);

-- Links that sign an operator in, each once, and what they are signed in by;
-- kind tells them apart.
CREATE TABLE operator_passes (
    kind        TEXT   NOT NULL,
    pass_id     TEXT   NOT NULL,
    operator_id BYTEA  NOT NULL,
    hash        BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (kind, pass_id)
);
CREATE INDEX operator_passes_by_operator ON operator_passes (operator_id);

-- How many verdicts an hour brought, by reason, so that nobody counts them to
-- draw a chart.
CREATE TABLE verdict_hours (
    environment_id BYTEA  NOT NULL,
    hour           BIGINT NOT NULL,
    reason         TEXT   NOT NULL,
    verdicts       BIGINT NOT NULL,
    PRIMARY KEY (environment_id, hour, reason)
);
