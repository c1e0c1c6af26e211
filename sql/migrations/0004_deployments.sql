-- Deployments: stages, targets, claims, write-ahead intents, health checks and what they measured.

CREATE TABLE deployment (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  patch_id bigint NOT NULL REFERENCES patch,
  digest bytea NOT NULL, state text NOT NULL DEFAULT 'planned' CHECK (state IN
   ('planned','running','paused','rolling_back','succeeded','aborted','rolled_back','stuck')),
  reason text, plan jsonb NOT NULL, started_by bigint NOT NULL REFERENCES principal,
  current_stage int, token bigint NOT NULL DEFAULT 0, version bigint NOT NULL DEFAULT 0,
  rollback_at timestamptz, rollback_by bigint REFERENCES principal, CHECK ((rollback_at IS NULL) = (rollback_by IS NULL)),
  rollback_reason text, is_paused_by_rollback boolean NOT NULL DEFAULT false, -- so that a cancelled order undoes its own pause only
  rolled_back_by bigint REFERENCES principal, -- who ordered it; null with rolling_back_at: a rule did
  rule text, -- which rule began it: R1 a verdict of the checks, R2 too many failed targets, R3 a read-back, R4 inconclusive for too long
  audit_anchor text NOT NULL DEFAULT '', -- "seq:hash16" of the chain when it started
  summary jsonb NOT NULL DEFAULT '{}', conclude boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(), started_at timestamptz, paused_at timestamptz,
  rolling_back_at timestamptz, finished_at timestamptz, updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT why CHECK (state NOT IN ('paused','aborted','rolling_back','rolled_back','stuck') OR reason IS NOT NULL));
CREATE UNIQUE INDEX one_live_deployment ON deployment (patch_id) WHERE state IN ('planned','running','paused','rolling_back','stuck');
CREATE INDEX deployment_rollback_due ON deployment (rollback_at) WHERE rollback_at IS NOT NULL;

CREATE TABLE deployment_stage (
  deployment_id bigint NOT NULL REFERENCES deployment, n int NOT NULL CHECK (n >= 1),
  name text NOT NULL DEFAULT '', percent double precision,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting','applying','baking','passed','failed','skipped','reverted')),
  reason text, spec jsonb NOT NULL DEFAULT '{}', bake_ms bigint NOT NULL DEFAULT 0,
  bake_until timestamptz, bake_left_ms bigint, -- the latter while the deployment is paused
  started_at timestamptz, baking_at timestamptz, finished_at timestamptz, promoted_by bigint REFERENCES principal,
  version bigint NOT NULL DEFAULT 0, PRIMARY KEY (deployment_id, n),
  CHECK (state <> 'baking' OR bake_until IS NOT NULL));
CREATE UNIQUE INDEX one_live_stage ON deployment_stage (deployment_id) WHERE state IN ('applying','baking');

CREATE TABLE deployment_target (
  deployment_id bigint NOT NULL, n int NOT NULL, target_id bigint NOT NULL REFERENCES repository, ref text NOT NULL,
  state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned','intended','waiting_merge','applied','verified',
    'conflict','failed','skipped','revert_intended','reverted','revert_blocked')),
  desired text NOT NULL DEFAULT 'original' CHECK (desired IN ('patched','original')),
  observed_oid text, observed_at timestamptz,
  base_oid text, applied_oid text, revert_oid text, note text, moves int NOT NULL DEFAULT 0, retry_at timestamptz,
  ordinal int NOT NULL DEFAULT 0, -- order of application in its stage
  applied_at timestamptz, verified_at timestamptz, reverted_at timestamptz, score_before double precision,
  version bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (deployment_id, target_id), FOREIGN KEY (deployment_id, n) REFERENCES deployment_stage,
  CHECK (state NOT IN ('applied','verified','revert_intended','reverted','revert_blocked') OR (base_oid IS NOT NULL AND applied_oid IS NOT NULL)),
  CHECK (state <> 'reverted' OR revert_oid IS NOT NULL));
CREATE INDEX deployment_target_stage ON deployment_target (deployment_id, n, ordinal);

CREATE TABLE target_claim (target_id bigint NOT NULL REFERENCES repository, ref text NOT NULL, deployment_id bigint NOT NULL REFERENCES deployment,
  PRIMARY KEY (target_id, ref));
CREATE INDEX target_claim_of ON target_claim (deployment_id);

CREATE FUNCTION deployment_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> 'planned' THEN RAISE EXCEPTION 'a deployment starts planned' USING ERRCODE='WP002'; END IF;
  IF wpa.actor_kind() IS DISTINCT FROM 'guardian' OR NEW.started_by <> wpa.actor() THEN
    RAISE EXCEPTION 'only a guardian starts a deployment, in his own name' USING ERRCODE='WP003'; END IF;
  PERFORM 1 FROM wpa.patch p WHERE p.id=NEW.patch_id AND p.state='approved' AND p.digest=NEW.digest FOR SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'patch % is not approved with this content', NEW.patch_id USING ERRCODE='WP008'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER b BEFORE INSERT ON deployment FOR EACH ROW EXECUTE FUNCTION deployment_begin();
CREATE TRIGGER g BEFORE UPDATE OR DELETE ON deployment FOR EACH ROW EXECUTE FUNCTION machine_guard('deployment');
CREATE TRIGGER g BEFORE UPDATE OR DELETE ON deployment_stage FOR EACH ROW EXECUTE FUNCTION machine_guard('stage');
CREATE TRIGGER g BEFORE UPDATE OR DELETE ON deployment_target FOR EACH ROW EXECUTE FUNCTION machine_guard('target');

CREATE FUNCTION child_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> TG_ARGV[1] THEN RAISE EXCEPTION 'a % starts %', TG_ARGV[0], TG_ARGV[1] USING ERRCODE='WP002'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER b BEFORE INSERT ON deployment_stage FOR EACH ROW EXECUTE FUNCTION child_begin('stage','waiting');
CREATE TRIGGER b BEFORE INSERT ON deployment_target FOR EACH ROW EXECUTE FUNCTION child_begin('target','planned');
CREATE TRIGGER b BEFORE INSERT ON test_run FOR EACH ROW EXECUTE FUNCTION child_begin('test run','running');

CREATE FUNCTION deployment_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.token < OLD.token THEN RAISE EXCEPTION 'stale token for deployment %', NEW.id USING ERRCODE='WP001'; END IF;
  IF (NEW.patch_id, NEW.digest, NEW.plan, NEW.started_by) IS DISTINCT FROM (OLD.patch_id, OLD.digest, OLD.plan, OLD.started_by) THEN
    RAISE EXCEPTION 'deployment %: the plan is frozen', NEW.id USING ERRCODE='WP006'; END IF;
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
  NEW.updated_at := clock_timestamp();
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

-- ---- write-ahead intents ----------------------------------------------------------------------------
CREATE TABLE target_intent (
  id uuid PRIMARY KEY, deployment_id bigint NOT NULL REFERENCES deployment, target_id bigint NOT NULL REFERENCES repository,
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

-- ---- health checks ------------------------------------------------------------------------------------
-- One check of one stage (n null: of the whole deployment), for one repository or for all of the stage.
CREATE TABLE probe (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, deployment_id bigint NOT NULL REFERENCES deployment,
  n int, target_id bigint REFERENCES repository, name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('http','command','ci_run','prometheus','sql','rescore')),
  spec jsonb NOT NULL DEFAULT '{}', interval_ms bigint NOT NULL DEFAULT 60000 CHECK (interval_ms > 0),
  critical boolean NOT NULL DEFAULT false, dry_run boolean NOT NULL DEFAULT false,
  baseline double precision, baseline_text text,
  verdict text NOT NULL DEFAULT 'running' CHECK (verdict IN ('running','success','failure','inconclusive')),
  reason text, limit_text text NOT NULL DEFAULT '', limit_value double precision, hits int NOT NULL DEFAULT 0, hits_limit int NOT NULL DEFAULT 1,
  UNIQUE NULLS NOT DISTINCT (deployment_id, n, target_id, name));

CREATE TABLE measurement (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, probe_id bigint NOT NULL REFERENCES probe, due timestamptz NOT NULL,
  phase text NOT NULL DEFAULT 'bake' CHECK (phase IN ('baseline','apply','bake','after')),
  started_at timestamptz NOT NULL, ended_at timestamptz NOT NULL,
  result text NOT NULL CHECK (result IN ('success','failure','inconclusive','error')),
  value double precision, value_text text, latency_ms double precision, samples bigint, baseline double precision,
  resolved text NOT NULL DEFAULT '', conditions text NOT NULL DEFAULT '', message text NOT NULL DEFAULT '',
  UNIQUE (probe_id, due));
CREATE INDEX measurement_latest ON measurement (probe_id, id DESC);

-- Token buckets per (host, credential, class), shared by all agents.
CREATE TABLE rate_bucket (
  host text NOT NULL, credential text NOT NULL DEFAULT '', class text NOT NULL,
  capacity double precision NOT NULL, tokens double precision NOT NULL, per_second double precision NOT NULL,
  blocked_until timestamptz, updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (host, credential, class));
