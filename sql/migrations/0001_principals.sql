-- Who may act, what the state machines allow, and the settings of this installation.

CREATE TABLE principal (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$'),
  role text NOT NULL CHECK (role IN ('viewer','guardian','agent')),
  active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_sign_in_at timestamptz);
CREATE UNIQUE INDEX principal_name_ci ON principal (lower(name));

-- All agents act in the name of one principal: work is never bound to one of them.
INSERT INTO principal (name, role) VALUES ('engine', 'agent');

-- The hash of a passphrase is in a table of its own, so that a role that may look at everything
-- (the wall) does not see it.
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

-- Keys of this installation, e.g. the one that signs sessions; only wpa_api reads them.
CREATE TABLE secret (key text PRIMARY KEY, value bytea NOT NULL, made_at timestamptz NOT NULL DEFAULT clock_timestamp());

CREATE TABLE session (
  jti uuid PRIMARY KEY,
  principal_id bigint NOT NULL REFERENCES principal,
  kind text NOT NULL DEFAULT 'console' CHECK (kind IN ('console','api','wall')),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  address text NOT NULL DEFAULT '', user_agent text NOT NULL DEFAULT '', place text NOT NULL DEFAULT '');
CREATE INDEX session_live ON session (expires_at) WHERE ended_at IS NULL;
CREATE INDEX session_principal ON session (principal_id) WHERE ended_at IS NULL;

-- An agent's own record; work is never bound to it, only preferred.
CREATE TABLE agent (
  id uuid PRIMARY KEY, name text NOT NULL, host text NOT NULL, boot_id text NOT NULL DEFAULT '',
  pid int NOT NULL, version text NOT NULL, capabilities jsonb NOT NULL DEFAULT '{}',
  capacity int NOT NULL CHECK (capacity >= 0), busy int NOT NULL DEFAULT 0,
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active','draining','gone')),
  audit_seq bigint, audit_hash bytea, -- the last head of the audit chain that it saw
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX agent_seen ON agent (seen_at) WHERE state <> 'gone';

CREATE TABLE setting (key text PRIMARY KEY, value text NOT NULL);
INSERT INTO setting VALUES ('approvals_required','1'), ('explicit_approval','off'), ('separate_deployer','off'),
  ('approval_days','7'), ('analysis_schedule','0 3 * * * UTC'), ('strict_revert','on');

-- The actor of a transaction: set with SET LOCAL by whoever has authenticated him.
CREATE FUNCTION actor() RETURNS bigint LANGUAGE sql STABLE AS
 $$ SELECT nullif(current_setting('wpa.actor', true),'')::bigint $$;

-- An agent's connection can claim no other role than that of an agent, whatever it sets.
CREATE FUNCTION actor_kind() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT role FROM wpa.principal
   WHERE id = wpa.actor() AND active AND (role = 'agent' OR current_user <> 'wpa_agent') $$;

-- ---- transition rules -------------------------------------------------
CREATE TABLE transition_rule (
  machine  text NOT NULL, from_state text NOT NULL, to_state text NOT NULL,
  actor_kind text NOT NULL CHECK (actor_kind IN ('agent','guardian','system')),
  PRIMARY KEY (machine, from_state, to_state, actor_kind));

INSERT INTO transition_rule VALUES
 ('patch','pending','testing','agent'),
 ('patch','testing','tested','agent'), ('patch','testing','failed','agent'),
 ('patch','testing','pending','agent'), ('patch','testing','pending','guardian'),
 ('patch','tested','approved','guardian'),
 ('patch','tested','failed','guardian'), ('patch','tested','failed','agent'),
 ('patch','tested','pending','guardian'), ('patch','tested','pending','agent'),
 ('patch','approved','tested','guardian'), ('patch','approved','pending','agent'),
 ('patch','approved','pending','guardian'),
 ('patch','approved','deployed','agent'), ('patch','approved','rolled_back','agent'),
 ('patch','approved','failed','agent'), ('patch','approved','failed','guardian'),
 ('patch','deployed','rolled_back','agent'), ('patch','deployed','failed','agent'),
 ('patch','failed','pending','guardian'), ('patch','failed','pending','agent'),
 ('patch','failed','rolled_back','agent'),
 ('patch','pending','failed','agent'), ('patch','pending','failed','guardian'),
 ('deployment','planned','running','agent'), ('deployment','planned','aborted','guardian'), ('deployment','planned','aborted','agent'),
 ('deployment','running','paused','agent'), ('deployment','running','paused','guardian'),
 ('deployment','paused','running','guardian'), ('deployment','paused','running','agent'),
 ('deployment','running','rolling_back','agent'), ('deployment','running','rolling_back','guardian'),
 ('deployment','paused','rolling_back','agent'), ('deployment','paused','rolling_back','guardian'),
 ('deployment','running','succeeded','agent'), ('deployment','running','aborted','agent'),
 ('deployment','paused','aborted','guardian'), ('deployment','succeeded','rolling_back','guardian'),
 ('deployment','succeeded','rolling_back','agent'),
 ('deployment','rolling_back','rolled_back','agent'), ('deployment','rolling_back','stuck','agent'),
 ('deployment','stuck','rolling_back','guardian'), ('deployment','stuck','aborted','guardian'),
 ('stage','waiting','applying','agent'), ('stage','applying','baking','agent'), ('stage','applying','failed','agent'),
 ('stage','baking','passed','agent'), ('stage','baking','passed','guardian'), ('stage','baking','failed','agent'),
 ('stage','failed','applying','guardian'), ('stage','waiting','skipped','agent'),
 ('stage','applying','reverted','agent'), ('stage','baking','reverted','agent'),
 ('stage','passed','reverted','agent'), ('stage','failed','reverted','agent'),
 ('target','planned','intended','agent'), ('target','planned','skipped','agent'), ('target','planned','skipped','guardian'),
 ('target','planned','conflict','agent'), ('target','planned','failed','agent'),
 ('target','intended','applied','agent'), ('target','intended','waiting_merge','agent'),
 ('target','intended','planned','agent'), ('target','intended','conflict','agent'), ('target','intended','failed','agent'),
 ('target','waiting_merge','applied','agent'), ('target','waiting_merge','skipped','agent'), ('target','waiting_merge','failed','agent'),
 ('target','conflict','planned','agent'), ('target','conflict','skipped','guardian'), ('target','failed','planned','guardian'),
 ('target','failed','skipped','guardian'), ('target','failed','skipped','agent'), ('target','conflict','skipped','agent'),
 ('target','applied','verified','agent'), ('target','applied','revert_intended','agent'), ('target','verified','revert_intended','agent'),
 ('target','revert_intended','reverted','agent'), ('target','revert_intended','revert_blocked','agent'),
 ('target','revert_intended','applied','agent'),
 ('target','revert_blocked','revert_intended','agent'), ('target','revert_blocked','reverted','agent'),
 ('test','running','passed','agent'), ('test','running','failed','agent'), ('test','running','error','agent'),
 ('test','running','cancelled','agent'), ('test','running','cancelled','guardian');

-- For every machine but the patch, which has a guard of its own.
CREATE FUNCTION machine_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE k text;
BEGIN
  IF TG_OP='DELETE' THEN RAISE EXCEPTION '% rows are never deleted', TG_TABLE_NAME USING ERRCODE='WP006'; END IF;
  IF NEW.state IS DISTINCT FROM OLD.state THEN
    k := wpa.actor_kind();
    PERFORM 1 FROM wpa.transition_rule WHERE machine=TG_ARGV[0] AND from_state=OLD.state AND to_state=NEW.state AND actor_kind=k;
    IF NOT FOUND THEN RAISE EXCEPTION '% % -> % is not allowed for %', TG_ARGV[0], OLD.state, NEW.state, coalesce(k,'nobody') USING ERRCODE='WP002'; END IF;
  END IF;
  NEW.version := OLD.version + 1; RETURN NEW;
END $$;
