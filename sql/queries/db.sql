-- name: db_session
-- params: statement_timeout text, idle_timeout text, lock_timeout text, role text
-- rows: one
-- why: limits as the caller gives them; times in UTC; compiling our short statements costs more than it saves
SELECT set_config('statement_timeout', $1, false),
       set_config('idle_in_transaction_session_timeout', $2, false),
       set_config('lock_timeout', $3, false),
       set_config('timezone', 'UTC', false), set_config('datestyle', 'ISO, YMD', false),
       set_config('bytea_output', 'hex', false), set_config('search_path', 'wpa, pg_catalog', false),
       set_config('client_min_messages', 'warning', false), set_config('jit', 'off', false),
       set_config('role', $4, false);

-- name: db_begin
-- params:
-- rows: none
BEGIN;

-- name: db_actor
-- params: actor text, address text, user_agent text
-- rows: one
-- why: local to the transaction: triggers read them, the next transaction does not
SELECT set_config('wpa.actor', $1, true), set_config('wpa.address', $2, true),
       set_config('wpa.user_agent', $3, true);

-- name: db_ping
-- params:
-- rows: one: channels listened to, WAL timeline is not readable by every role and stays out
SELECT array_to_string(ARRAY(SELECT pg_listening_channels()), ',');

-- name: db_listen_jobs
-- params:
-- rows: none
LISTEN wpa_jobs;

-- name: db_listen_change
-- params:
-- rows: none
LISTEN wpa_change;

-- name: db_schema
-- params:
-- rows: none
CREATE SCHEMA IF NOT EXISTS wpa;

-- name: db_migration_table
-- params:
-- rows: none
CREATE TABLE IF NOT EXISTS wpa.schema_migration (
  version int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp());

-- name: db_migrations
-- params: versions int[], texts text[]
-- rows: applied migrations in order: version, name, and whether the program knows the same text
SELECT m.version, m.name,
       m.checksum IS NOT DISTINCT FROM
         (SELECT encode(sha256(convert_to(k.text, 'UTF8')), 'hex')
            FROM unnest($1::int[], $2::text[]) AS k(version, text) WHERE k.version = m.version)
  FROM wpa.schema_migration m ORDER BY m.version;

-- name: db_migrated
-- params: version int, name text, text text
-- rows: none
INSERT INTO wpa.schema_migration (version, name, checksum)
VALUES ($1::int, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'));

-- name: db_migration_lock
-- params:
-- rows: one
-- why: two programs that start at once: the second waits and then finds nothing to do
SELECT pg_advisory_lock(20226, 1);

-- name: db_migration_unlock
-- params:
-- rows: one
SELECT pg_advisory_unlock(20226, 1);
