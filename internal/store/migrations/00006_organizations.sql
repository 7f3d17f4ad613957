-- +goose Up

-- settings and custom_roles are JSON. name_key is the name in the form in which it
-- is searched (store: Searchable).
CREATE TABLE organizations (
    environment_id   BYTEA  NOT NULL,
    organization_id  BYTEA  NOT NULL,
    name             TEXT   NOT NULL,
    name_key         TEXT   NOT NULL,
    slug             TEXT   NOT NULL,
    external_id      TEXT,
    trusted_metadata TEXT   NOT NULL,
    settings         TEXT   NOT NULL,
    custom_roles     TEXT,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    PRIMARY KEY (environment_id, organization_id)
);
CREATE UNIQUE INDEX organizations_by_slug ON organizations (environment_id, slug);
CREATE UNIQUE INDEX organizations_by_external_id ON organizations (environment_id, external_id) WHERE external_id IS NOT NULL;
-- Searching reads nothing but this index.
CREATE INDEX organizations_by_name ON organizations (environment_id, organization_id, name_key, slug);

-- Organizations that are gone and whose members the janitor removes.
CREATE TABLE departed_organizations (
    environment_id  BYTEA  NOT NULL,
    organization_id BYTEA  NOT NULL,
    departed_at     BIGINT NOT NULL,
    PRIMARY KEY (environment_id, organization_id)
);

-- A member is a row of users, too. organization_id is empty for a user, because a
-- NULL would be unlike any other in a unique index.
ALTER TABLE users ADD COLUMN organization_id BYTEA NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN membership TEXT;
CREATE UNIQUE INDEX users_by_tenant_external_id ON users (environment_id, organization_id, external_id) WHERE external_id IS NOT NULL;
DROP INDEX users_by_external_id;
CREATE INDEX users_by_organization ON users (environment_id, organization_id, user_id) WHERE organization_id <> '';

ALTER TABLE user_identifiers ADD COLUMN organization_id BYTEA NOT NULL DEFAULT '';
ALTER TABLE user_identifiers ADD COLUMN retired BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX user_identifiers_by_tenant_key ON user_identifiers (environment_id, organization_id, kind, match_key);
DROP INDEX user_identifiers_by_match_key;
CREATE INDEX user_identifiers_by_tenant_user ON user_identifiers (environment_id, organization_id, user_id, kind, match_key);
DROP INDEX user_identifiers_by_user_key;

-- Whose organizations an address is in.
CREATE INDEX user_identifiers_of_members ON user_identifiers (environment_id, kind, match_key, organization_id) WHERE organization_id <> '';

-- Whom an issuer means by the value of a claim, in each organization.
CREATE TABLE person_links (
    environment_id  BYTEA  NOT NULL,
    profile_id      BYTEA  NOT NULL,
    organization_id BYTEA  NOT NULL,
    subject         TEXT   NOT NULL,
    user_id         BYTEA  NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (environment_id, profile_id, organization_id, subject)
);
CREATE INDEX person_links_by_user ON person_links (environment_id, user_id);
INSERT INTO person_links SELECT environment_id, profile_id, '', subject, user_id, created_at FROM subject_links;
DROP TABLE subject_links;
