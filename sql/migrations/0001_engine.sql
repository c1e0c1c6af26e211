

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
 ('target','revert_blocked','revert_intended','agent'), ('target','revert_blocked','reverted','agent');

CREATE TABLE principal (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE,
  role text NOT NULL CHECK (role IN ('viewer','guardian','agent')), active boolean NOT NULL DEFAULT true);

CREATE TABLE patch (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(), -- uid: the API's id
  state text NOT NULL DEFAULT 'pending' CHECK (state IN
    ('pending','testing','tested','approved','deployed','failed','rolled_back')),
  reason text, digest bytea NOT NULL CHECK (octet_length(digest)=32),
  author_id bigint NOT NULL REFERENCES principal, requester_id bigint REFERENCES principal, tested_digest bytea,
  version bigint NOT NULL DEFAULT 0, updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT failed_has_reason CHECK ((state = 'failed') = (reason IS NOT NULL)),
  CONSTRAINT tested_binding CHECK (state NOT IN ('tested','approved','deployed') OR tested_digest = digest));

CREATE TABLE approval (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, patch_id bigint NOT NULL REFERENCES patch,
  digest bytea NOT NULL, guardian_id bigint NOT NULL REFERENCES principal,
  at timestamptz NOT NULL DEFAULT clock_timestamp(), expires_at timestamptz NOT NULL,
  withdrawn_at timestamptz, comment text NOT NULL DEFAULT '');
CREATE UNIQUE INDEX approval_once ON approval (patch_id, digest, guardian_id) WHERE withdrawn_at IS NULL;

CREATE TABLE setting (key text PRIMARY KEY, value text NOT NULL);
INSERT INTO setting VALUES ('approvals_required','1'), ('explicit_approval','off');

CREATE FUNCTION actor() RETURNS bigint LANGUAGE sql STABLE AS
 $$ SELECT nullif(current_setting('wpa.actor', true),'')::bigint $$;

CREATE FUNCTION valid_approvals(p bigint, d bytea, four_eyes boolean) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT count(DISTINCT a.guardian_id) FROM wpa.approval a
    JOIN wpa.principal g ON g.id=a.guardian_id AND g.role='guardian' AND g.active
    JOIN wpa.patch q ON q.id=a.patch_id
   WHERE a.patch_id=p AND a.digest=d AND a.withdrawn_at IS NULL
     AND a.expires_at > clock_timestamp()
     AND (NOT four_eyes OR (a.guardian_id <> q.author_id AND a.guardian_id IS DISTINCT FROM q.requester_id)) $$;

CREATE FUNCTION patch_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE k text; need bigint;
BEGIN
  IF TG_OP='INSERT' THEN
    IF NEW.state <> 'pending' THEN RAISE EXCEPTION 'a patch starts pending' USING ERRCODE='WP002'; END IF;
    RETURN NEW;
  END IF;
  IF NEW.state IS DISTINCT FROM OLD.state THEN
    SELECT role INTO k FROM wpa.principal WHERE id = wpa.actor() AND active;
    IF k IS NULL THEN RAISE EXCEPTION 'no actor set' USING ERRCODE='WP003'; END IF;
    PERFORM 1 FROM wpa.transition_rule WHERE machine='patch' AND from_state=OLD.state
        AND to_state=NEW.state AND actor_kind=k;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'patch %: % -> % is not allowed for %', OLD.id, OLD.state, NEW.state, k USING ERRCODE='WP002';
    END IF;
    IF NEW.state = 'approved' THEN
      SELECT value::bigint INTO need FROM wpa.setting WHERE key='approvals_required';
      IF wpa.valid_approvals(OLD.id, NEW.digest, need >= 2) < need THEN
        RAISE EXCEPTION 'patch %: % approval(s) needed for this content', OLD.id, need USING ERRCODE='WP004';
      END IF;
    END IF;
    IF NEW.state = 'deployed' AND NOT EXISTS (SELECT 1 FROM wpa.deployment d
        WHERE d.patch_id=OLD.id AND d.digest=NEW.digest AND d.state='succeeded') THEN
      RAISE EXCEPTION 'patch %: no succeeded deployment of this content', OLD.id USING ERRCODE='WP008';
    END IF;
    IF NEW.state = 'rolled_back' AND EXISTS (SELECT 1 FROM wpa.deployment d JOIN wpa.deployment_target t ON t.deployment_id=d.id
        WHERE d.patch_id=OLD.id AND t.state NOT IN ('planned','skipped','conflict','failed','reverted')) THEN
      RAISE EXCEPTION 'patch %: not every target is restored', OLD.id USING ERRCODE='WP008';
    END IF;
  END IF;
  IF NEW.digest <> OLD.digest AND NEW.state <> 'pending' THEN
    RAISE EXCEPTION 'patch %: content may change only while pending', OLD.id USING ERRCODE='WP005';
  END IF;
  NEW.version := OLD.version + 1; NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER patch_guard BEFORE INSERT OR UPDATE ON patch FOR EACH ROW EXECUTE FUNCTION patch_guard();

-- ---- deployments -------------------------------------------------------
CREATE TABLE deployment (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, patch_id bigint NOT NULL REFERENCES patch,
  digest bytea NOT NULL, state text NOT NULL DEFAULT 'planned' CHECK (state IN
   ('planned','running','paused','rolling_back','succeeded','aborted','rolled_back','stuck')),
  reason text, plan jsonb NOT NULL, started_by bigint NOT NULL REFERENCES principal,
  current_stage int, token bigint NOT NULL DEFAULT 0, version bigint NOT NULL DEFAULT 0,
  rollback_at timestamptz, rollback_by bigint REFERENCES principal, CHECK ((rollback_at IS NULL) = (rollback_by IS NULL)),
  CONSTRAINT why CHECK (state NOT IN ('paused','aborted','rolling_back','rolled_back','stuck') OR reason IS NOT NULL));
CREATE UNIQUE INDEX one_live_deployment ON deployment (patch_id) WHERE state IN ('planned','running','paused','rolling_back','stuck');
CREATE TABLE deployment_stage (
  deployment_id bigint NOT NULL REFERENCES deployment, n int NOT NULL CHECK (n >= 1),
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting','applying','baking','passed','failed','skipped','reverted')),
  bake_until timestamptz, version bigint NOT NULL DEFAULT 0, PRIMARY KEY (deployment_id, n),
  CHECK (state <> 'baking' OR bake_until IS NOT NULL));
CREATE UNIQUE INDEX one_live_stage ON deployment_stage (deployment_id) WHERE state IN ('applying','baking');
CREATE TABLE deployment_target (
  deployment_id bigint NOT NULL, n int NOT NULL, target_id bigint NOT NULL, ref text NOT NULL,
  state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned','intended','waiting_merge','applied','verified',
    'conflict','failed','skipped','revert_intended','reverted','revert_blocked')),
  base_oid text, applied_oid text, revert_oid text, note text, version bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (deployment_id, target_id), FOREIGN KEY (deployment_id, n) REFERENCES deployment_stage,
  CHECK (state NOT IN ('applied','verified','revert_intended','reverted','revert_blocked') OR (base_oid IS NOT NULL AND applied_oid IS NOT NULL)),
  CHECK (state <> 'reverted' OR revert_oid IS NOT NULL));
CREATE TABLE target_claim (target_id bigint NOT NULL, ref text NOT NULL, deployment_id bigint NOT NULL REFERENCES deployment,
  PRIMARY KEY (target_id, ref));
CREATE FUNCTION machine_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE k text; bad text;
BEGIN
  IF TG_OP='DELETE' THEN RAISE EXCEPTION '% rows are never deleted', TG_TABLE_NAME USING ERRCODE='WP006'; END IF;
  IF TG_OP='UPDATE' AND NEW.state IS DISTINCT FROM OLD.state THEN
    SELECT role INTO k FROM wpa.principal WHERE id = wpa.actor() AND active;
    PERFORM 1 FROM wpa.transition_rule WHERE machine=TG_ARGV[0] AND from_state=OLD.state AND to_state=NEW.state AND actor_kind=k;
    IF NOT FOUND THEN RAISE EXCEPTION '% % -> % is not allowed for %', TG_ARGV[0], OLD.state, NEW.state, coalesce(k,'nobody') USING ERRCODE='WP002'; END IF;
  END IF;
  NEW.version := OLD.version + 1; RETURN NEW;
END $$;
CREATE TRIGGER g BEFORE UPDATE OR DELETE ON deployment FOR EACH ROW EXECUTE FUNCTION machine_guard('deployment');
CREATE TRIGGER g BEFORE UPDATE OR DELETE ON deployment_stage FOR EACH ROW EXECUTE FUNCTION machine_guard('stage');
CREATE TRIGGER g BEFORE UPDATE OR DELETE ON deployment_target FOR EACH ROW EXECUTE FUNCTION machine_guard('target');
CREATE FUNCTION deployment_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.token < OLD.token THEN RAISE EXCEPTION 'stale token for deployment %', NEW.id USING ERRCODE='WP001'; END IF;
  IF NEW.state='running' AND OLD.state='planned' AND NOT EXISTS (
      SELECT 1 FROM wpa.patch p WHERE p.id=NEW.patch_id AND p.state='approved' AND p.digest=NEW.digest) THEN
    RAISE EXCEPTION 'deployment %: the patch is not approved with this content', NEW.id USING ERRCODE='WP008'; END IF;
  IF NEW.state='succeeded' AND EXISTS (SELECT 1 FROM wpa.deployment_stage WHERE deployment_id=NEW.id AND state NOT IN ('passed','skipped')) THEN
    RAISE EXCEPTION 'deployment %: a stage has not passed', NEW.id USING ERRCODE='WP008'; END IF;
  IF NEW.state='aborted' AND OLD.state IN ('planned','running') AND EXISTS (SELECT 1 FROM wpa.deployment_target
       WHERE deployment_id=NEW.id AND state NOT IN ('planned','skipped','conflict','failed')) THEN
    RAISE EXCEPTION 'deployment %: targets have changed, roll back or conclude', NEW.id USING ERRCODE='WP008'; END IF;
  IF NEW.state='rolled_back' AND EXISTS (SELECT 1 FROM wpa.deployment_target WHERE deployment_id=NEW.id
       AND state NOT IN ('planned','skipped','conflict','failed','reverted')) THEN
    RAISE EXCEPTION 'deployment %: a target is not restored', NEW.id USING ERRCODE='WP008'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER h BEFORE UPDATE ON deployment FOR EACH ROW EXECUTE FUNCTION deployment_rules();
CREATE FUNCTION stage_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state='applying' AND EXISTS (SELECT 1 FROM wpa.deployment_stage s WHERE s.deployment_id=NEW.deployment_id
      AND s.n < NEW.n AND s.state NOT IN ('passed','skipped')) THEN
    RAISE EXCEPTION 'stage % cannot start: an earlier stage has not passed', NEW.n USING ERRCODE='WP008'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER h BEFORE UPDATE ON deployment_stage FOR EACH ROW EXECUTE FUNCTION stage_order();

-- ---- jobs, leases, fencing --------------------------------------------
CREATE SEQUENCE lease_seq;
CREATE FUNCTION next_token() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT (('x'||substr(pg_walfile_name(pg_current_wal_insert_lsn()),1,8))::bit(32)::bigint << 40)
         + nextval('wpa.lease_seq') $$;

CREATE TABLE job (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  queue text NOT NULL, kind text NOT NULL, subject text NOT NULL, payload jsonb NOT NULL DEFAULT '{}',
  priority smallint NOT NULL DEFAULT 100, run_after timestamptz NOT NULL DEFAULT clock_timestamp(),
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued','running','done','dead','cancelled')),
  attempt int NOT NULL DEFAULT 0, max_attempts int NOT NULL DEFAULT 5,
  owner text, token bigint, lease_until timestamptz, last_error text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(), finished_at timestamptz,
  CONSTRAINT lease_shape CHECK ((state='running') = (owner IS NOT NULL AND token IS NOT NULL AND lease_until IS NOT NULL)),
  CONSTRAINT end_shape CHECK ((state IN ('done','dead','cancelled')) = (finished_at IS NOT NULL))
) WITH (fillfactor=70, autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_cost_delay=0);
CREATE INDEX job_ready ON job (queue, priority, run_after, id) WHERE state='queued';
CREATE INDEX job_lapsed ON job (lease_until) WHERE state='running';
CREATE UNIQUE INDEX job_one_live ON job (kind, subject) WHERE state IN ('queued','running');

CREATE FUNCTION claim(q text, who text, ttl interval) RETURNS SETOF job LANGUAGE sql VOLATILE AS $$
  WITH c AS MATERIALIZED (SELECT id FROM wpa.job
        WHERE queue=q AND state='queued' AND run_after <= statement_timestamp()
        ORDER BY priority, run_after, id LIMIT 1 FOR UPDATE SKIP LOCKED)
  UPDATE wpa.job j SET state='running', owner=who, token=wpa.next_token(), attempt=attempt+1,
         lease_until=clock_timestamp()+ttl FROM c WHERE j.id=c.id RETURNING j.* $$;

CREATE FUNCTION reap(n int) RETURNS bigint LANGUAGE sql VOLATILE AS $$
  WITH c AS (SELECT id FROM wpa.job WHERE state='running' AND lease_until < clock_timestamp()
              ORDER BY lease_until LIMIT n FOR UPDATE SKIP LOCKED),
  u AS (UPDATE wpa.job j SET
      state = CASE WHEN attempt >= max_attempts THEN 'dead' ELSE 'queued' END,
      owner=NULL, token=NULL, lease_until=NULL,
      finished_at = CASE WHEN attempt >= max_attempts THEN clock_timestamp() END,
      last_error='lease expired', run_after=clock_timestamp()
    FROM c WHERE j.id=c.id RETURNING 1) SELECT count(*) FROM u $$;

CREATE FUNCTION heartbeat(j bigint, t bigint, ttl interval) RETURNS boolean LANGUAGE sql VOLATILE AS $$
  WITH u AS (UPDATE wpa.job SET lease_until=clock_timestamp()+ttl
     WHERE id=j AND token=t AND state='running' AND lease_until > clock_timestamp() RETURNING 1) SELECT EXISTS(SELECT 1 FROM u) $$;

CREATE FUNCTION fence(j bigint, t bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM wpa.job WHERE id=j AND token=t AND state='running' AND lease_until > clock_timestamp() FOR SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'lease of job % is lost', j USING ERRCODE='WP001'; END IF;
END $$;

-- ---- write-ahead intents ----------------------------------------------
CREATE TABLE target_intent (
  id uuid PRIMARY KEY, deployment_id bigint NOT NULL REFERENCES deployment, target_id bigint NOT NULL,
  kind text NOT NULL CHECK (kind IN ('apply','revert')), ref text NOT NULL,
  old_oid text NOT NULL CHECK (old_oid ~ '^[0-9a-f]{40}([0-9a-f]{24})?$'),
  new_oid text NOT NULL CHECK (new_oid ~ '^[0-9a-f]{40}([0-9a-f]{24})?$'),
  state text NOT NULL DEFAULT 'intended' CHECK (state IN ('intended','done','moved','void')),
  commit_object bytea NOT NULL CHECK (octet_length(commit_object) BETWEEN 64 AND 1048576),
  recovered boolean NOT NULL DEFAULT false,
  token bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(), done_at timestamptz,
  CHECK (NOT recovered OR state <> 'intended'),
  CHECK (old_oid <> new_oid), CHECK ((state='intended') = (done_at IS NULL)));
CREATE UNIQUE INDEX one_open_intent ON target_intent (target_id, ref) WHERE state='intended';
CREATE UNIQUE INDEX one_apply ON target_intent (deployment_id, target_id, kind) WHERE state='done';
CREATE FUNCTION intent_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE hi bigint;
BEGIN
  IF TG_OP='DELETE' THEN RAISE EXCEPTION 'intents are never deleted' USING ERRCODE='WP006'; END IF;
  IF TG_OP='UPDATE' AND (OLD.state <> 'intended' OR (NEW.id,NEW.deployment_id,NEW.target_id,NEW.kind,NEW.ref,NEW.old_oid,NEW.new_oid,NEW.commit_object)
      IS DISTINCT FROM (OLD.id,OLD.deployment_id,OLD.target_id,OLD.kind,OLD.ref,OLD.old_oid,OLD.new_oid,OLD.commit_object)) THEN
    RAISE EXCEPTION 'intent % is immutable', OLD.id USING ERRCODE='WP006'; END IF;
  IF TG_OP='INSERT' AND NOT NEW.recovered THEN
    IF NEW.state <> 'intended' THEN RAISE EXCEPTION 'an intent starts intended' USING ERRCODE='WP006'; END IF;
    PERFORM 1 FROM wpa.deployment WHERE id=NEW.deployment_id
      AND state = CASE NEW.kind WHEN 'apply' THEN 'running' ELSE 'rolling_back' END FOR SHARE;
    IF NOT FOUND THEN RAISE EXCEPTION 'deployment % does not take % intents now', NEW.deployment_id, NEW.kind USING ERRCODE='WP008'; END IF;
  END IF;
  SELECT max(token) INTO hi FROM wpa.target_intent WHERE target_id=NEW.target_id;
  IF hi IS NOT NULL AND NEW.token < hi THEN
    RAISE EXCEPTION 'stale token for target %', NEW.target_id USING ERRCODE='WP001'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER intent_guard BEFORE INSERT OR UPDATE OR DELETE ON target_intent FOR EACH ROW EXECUTE FUNCTION intent_guard();
CREATE INDEX intent_token ON target_intent (target_id, token DESC);

-- ---- audit chain -------------------------------------------------------
CREATE TABLE audit_head (one boolean PRIMARY KEY DEFAULT true CHECK (one), seq bigint NOT NULL, hash bytea NOT NULL);
INSERT INTO audit_head VALUES (true, 0, sha256('wpa audit v1'::bytea));
CREATE TABLE audit (
  seq bigint PRIMARY KEY, at timestamptz NOT NULL, actor text NOT NULL, action text NOT NULL,
  subject text NOT NULL, detail text NOT NULL, prev bytea NOT NULL, hash bytea NOT NULL);
CREATE FUNCTION audit_field(t text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
  $$ SELECT int4send(octet_length(convert_to(t,'UTF8'))) || convert_to(t,'UTF8') $$;
CREATE FUNCTION audit_hash(prev bytea, seq bigint, at timestamptz, actor text, action text, subject text, detail text)
 RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT sha256(prev || int8send(seq) || int8send((extract(epoch FROM at)*1000000)::bigint)
     || wpa.audit_field(actor) || wpa.audit_field(action) || wpa.audit_field(subject) || wpa.audit_field(detail)) $$;
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE h wpa.audit_head;
BEGIN
  SELECT * INTO h FROM wpa.audit_head WHERE one FOR UPDATE;
  NEW.seq := h.seq+1; NEW.at := clock_timestamp(); NEW.prev := h.hash;
  NEW.hash := wpa.audit_hash(NEW.prev, NEW.seq, NEW.at, NEW.actor, NEW.action, NEW.subject, NEW.detail);
  UPDATE wpa.audit_head SET seq=NEW.seq, hash=NEW.hash WHERE one;
  RETURN NEW;
END $$;
CREATE TRIGGER audit_chain BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_chain();
CREATE FUNCTION audit_frozen() RETURNS trigger LANGUAGE plpgsql AS
 $$ BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE='WP007'; END $$;
CREATE TRIGGER audit_frozen BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_frozen();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_frozen();

CREATE FUNCTION patch_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='INSERT' OR (NEW.state, NEW.reason) IS DISTINCT FROM (OLD.state, OLD.reason) THEN
    INSERT INTO wpa.audit(actor,action,subject,detail) VALUES
     (coalesce(wpa.actor()::text,'?'), 'patch.'||NEW.state, 'patch:'||NEW.id,
      format('{"from":%s,"version":%s,"digest":"%s"}',
        CASE WHEN TG_OP='UPDATE' THEN to_json(OLD.state)::text ELSE 'null' END, NEW.version, encode(NEW.digest,'hex')));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER patch_audit AFTER INSERT OR UPDATE ON patch DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION patch_audit();

CREATE FUNCTION audit_verify(lo bigint, hi bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT min(seq) FROM (
    SELECT seq, prev, hash, lag(hash) OVER w AS lhash, lag(seq) OVER w AS lseq,
           wpa.audit_hash(prev,seq,at,actor,action,subject,detail) AS want
      FROM wpa.audit WHERE seq BETWEEN lo AND hi WINDOW w AS (ORDER BY seq)) x
   WHERE hash <> want OR (lseq IS NOT NULL AND (lseq <> seq-1 OR lhash <> prev)) $$;
