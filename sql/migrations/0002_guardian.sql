-- People: how they sign in, and their sessions. The hash of a passphrase is in a table of its own,
-- so that a role that may look at everything (the wall) does not see it.

ALTER TABLE principal
  ADD COLUMN created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ADD COLUMN last_sign_in_at timestamptz,
  ADD CONSTRAINT principal_name CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$');
CREATE UNIQUE INDEX principal_name_ci ON principal (lower(name));

CREATE TABLE credential (
  principal_id bigint PRIMARY KEY REFERENCES principal,
  passphrase_hash text NOT NULL CHECK (passphrase_hash LIKE '$argon2id$%'),
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp());

-- Tries since the last good one, for every console and the API alike. The key is the hash of the
-- name that was typed: names that nobody has count as well, and a passphrase typed into the field
-- for the name is not kept.
CREATE TABLE sign_in_try (
  name_hash bytea PRIMARY KEY CHECK (octet_length(name_hash) = 32),
  failed integer NOT NULL CHECK (failed >= 0),
  paused_until timestamptz,
  tried_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX sign_in_try_at ON sign_in_try (tried_at);

CREATE TABLE session (
  jti uuid PRIMARY KEY,
  principal_id bigint NOT NULL REFERENCES principal,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
  ended_at timestamptz,
  address text NOT NULL DEFAULT '', user_agent text NOT NULL DEFAULT '');
CREATE INDEX session_principal ON session (principal_id) WHERE ended_at IS NULL;
CREATE INDEX session_expiry ON session (expires_at);
