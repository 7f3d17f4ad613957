-- +goose Up

-- Where an environment's events are sent, and how far that has come. config is
-- encrypted under the operator's keyset.
CREATE TABLE event_streams (
    environment_id   BYTEA  NOT NULL,
    destination_type TEXT   NOT NULL,
    status           TEXT   NOT NULL,
    config           BYTEA  NOT NULL,
    position         BYTEA,
    leased_until     BIGINT,
    failures         BIGINT NOT NULL,
    last_error       TEXT,
    next_attempt_at  BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    PRIMARY KEY (environment_id, destination_type)
);
CREATE INDEX event_streams_by_attempt ON event_streams (status, next_attempt_at);
