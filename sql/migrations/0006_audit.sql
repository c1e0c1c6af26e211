-- The audit chain, and the triggers that write it.

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
-- Runs as the owner: nobody else may move the head.
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog AS $$
DECLARE h wpa.audit_head;
BEGIN
  NEW.actor := coalesce(wpa.actor()::text, NEW.actor); -- nobody writes in another's name
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
CREATE FUNCTION audit_verify(lo bigint, hi bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT min(seq) FROM (
    SELECT seq, prev, hash, lag(hash) OVER w AS lhash, lag(seq) OVER w AS lseq,
           wpa.audit_hash(prev,seq,at,actor,action,subject,detail) AS want
      FROM wpa.audit WHERE seq BETWEEN lo AND hi WINDOW w AS (ORDER BY seq)) x
   WHERE hash <> want OR (lseq IS NOT NULL AND (lseq <> seq-1 OR lhash <> prev)) $$;

CREATE INDEX audit_subject ON audit (subject, seq DESC);

-- What verifications of the whole chain found, for the console and for the daily check.
CREATE TABLE audit_verification (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
  n_rows bigint NOT NULL, to_seq bigint NOT NULL, to_at timestamptz, fault_seq bigint, fault text,
  CHECK ((fault_seq IS NULL) = (fault IS NULL)));

-- ---- what is written ---------------------------------------------------------------------------------
-- Canonical JSON: keys sorted by bytes, no white space, integers without exponent; nulls left out.
CREATE FUNCTION canonical(j jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN CASE jsonb_typeof(j)
    WHEN 'object' THEN '{' || coalesce((SELECT string_agg(to_json(key)::text || ':' || wpa.canonical(value), ',' ORDER BY key COLLATE "C")
        FROM jsonb_each(j)), '') || '}'
    WHEN 'array' THEN '[' || coalesce((SELECT string_agg(wpa.canonical(value), ',' ORDER BY n)
        FROM jsonb_array_elements(j) WITH ORDINALITY AS e(value, n)), '') || ']'
    ELSE j::text END;
END $$;

-- One row, with where the actor sits. The SSH client and the terminal, or the API's peer.
CREATE FUNCTION audit_add(action text, subject text, detail jsonb) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO wpa.audit (actor, action, subject, detail) VALUES (coalesce(wpa.actor()::text, '?'), action, subject,
    wpa.canonical(jsonb_strip_nulls(detail || jsonb_build_object(
      'address', nullif(current_setting('wpa.address', true), ''), 'user_agent', nullif(current_setting('wpa.user_agent', true), ''))))) $$;

-- Deferred: they run at commit, so that the head of the chain is locked only then.
CREATE FUNCTION patch_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='INSERT' OR (NEW.state, NEW.reason, NEW.digest) IS DISTINCT FROM (OLD.state, OLD.reason, OLD.digest) THEN
    PERFORM wpa.audit_add('patch.'||NEW.state, 'patch:'||NEW.id, jsonb_build_object(
      'from', CASE WHEN TG_OP='UPDATE' THEN OLD.state END, 'version', NEW.version, 'reason', NEW.reason,
      'comment', nullif(NEW.comment, ''), 'digest', encode(NEW.digest,'hex')));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER patch_audit AFTER INSERT OR UPDATE ON patch DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION patch_audit();

CREATE FUNCTION deployment_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='INSERT' OR (NEW.state, NEW.reason) IS DISTINCT FROM (OLD.state, OLD.reason) THEN
    PERFORM wpa.audit_add('deployment.'||NEW.state, 'deployment:'||NEW.id, jsonb_build_object(
      'from', CASE WHEN TG_OP='UPDATE' THEN OLD.state END, 'version', NEW.version, 'reason', NEW.reason,
      'patch', NEW.patch_id, 'rule', NEW.rule, 'digest', encode(NEW.digest,'hex')));
  END IF;
  IF TG_OP='UPDATE' AND NEW.rollback_at IS DISTINCT FROM OLD.rollback_at AND NEW.state = OLD.state OR
     TG_OP='UPDATE' AND NEW.rollback_at IS NOT NULL AND OLD.rollback_at IS NULL AND NEW.state <> OLD.state THEN
    PERFORM wpa.audit_add(CASE WHEN NEW.rollback_at IS NULL THEN 'deployment.rollback_cancelled' ELSE 'deployment.rollback_ordered' END,
      'deployment:'||NEW.id, jsonb_build_object('at', to_char(NEW.rollback_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'by', NEW.rollback_by, 'version', NEW.version, 'reason', NEW.rollback_reason));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER deployment_audit AFTER INSERT OR UPDATE ON deployment DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION deployment_audit();

CREATE FUNCTION stage_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='INSERT' OR NEW.state <> OLD.state THEN
    PERFORM wpa.audit_add('stage.'||NEW.state, 'stage:'||NEW.deployment_id||'/'||NEW.n, jsonb_build_object(
      'from', CASE WHEN TG_OP='UPDATE' THEN OLD.state END, 'version', NEW.version, 'reason', NEW.reason));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stage_audit AFTER INSERT OR UPDATE ON deployment_stage DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION stage_audit();

CREATE FUNCTION target_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='INSERT' OR NEW.state <> OLD.state THEN
    PERFORM wpa.audit_add('target.'||NEW.state, 'target:'||NEW.deployment_id||'/'||NEW.target_id, jsonb_build_object(
      'from', CASE WHEN TG_OP='UPDATE' THEN OLD.state END, 'version', NEW.version, 'ref', NEW.ref, 'note', NEW.note,
      'base', NEW.base_oid, 'applied', NEW.applied_oid, 'reverted', NEW.revert_oid));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER target_audit AFTER INSERT OR UPDATE ON deployment_target DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION target_audit();

CREATE FUNCTION test_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='INSERT' OR NEW.state <> OLD.state THEN
    PERFORM wpa.audit_add('test.'||NEW.state, 'test:'||NEW.id, jsonb_build_object('patch', NEW.patch_id,
      'from', CASE WHEN TG_OP='UPDATE' THEN OLD.state END, 'reason', NEW.reason, 'attempt', NEW.attempt,
      'digest', encode(NEW.digest,'hex')));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER test_audit AFTER INSERT OR UPDATE ON test_run DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION test_audit();

CREATE FUNCTION approval_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='INSERT' OR NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at THEN
    PERFORM wpa.audit_add(CASE WHEN NEW.withdrawn_at IS NULL THEN 'approval.given' ELSE 'approval.withdrawn' END,
      'approval:'||NEW.id, jsonb_build_object('patch', NEW.patch_id, 'guardian', NEW.guardian_id,
        'comment', nullif(NEW.comment, ''), 'explicit', NEW.is_explicit, 'digest', encode(NEW.digest,'hex')));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER approval_audit AFTER INSERT OR UPDATE ON approval DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION approval_audit();

CREATE FUNCTION waiver_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='INSERT' OR NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at THEN
    PERFORM wpa.audit_add(CASE WHEN NEW.withdrawn_at IS NULL THEN 'waiver.given' ELSE 'waiver.withdrawn' END,
      'waiver:'||NEW.id, jsonb_build_object('patch', NEW.patch_id, 'check', NEW.check_id, 'guardian', NEW.guardian_id,
        'reason', NEW.reason, 'digest', encode(NEW.digest,'hex')));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER waiver_audit AFTER INSERT OR UPDATE ON waiver DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION waiver_audit();

CREATE FUNCTION setting_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='DELETE' THEN
    PERFORM wpa.audit_add('setting.removed', 'setting:'||OLD.key, jsonb_build_object('from', OLD.value));
  ELSIF TG_OP='INSERT' OR NEW.value <> OLD.value THEN
    PERFORM wpa.audit_add('setting.changed', 'setting:'||NEW.key,
      jsonb_build_object('from', CASE WHEN TG_OP='UPDATE' THEN OLD.value END, 'to', NEW.value));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER setting_audit AFTER INSERT OR UPDATE OR DELETE ON setting DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION setting_audit();

CREATE FUNCTION principal_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='INSERT' THEN
    PERFORM wpa.audit_add('principal.added', 'principal:'||NEW.id, jsonb_build_object('name', NEW.name, 'role', NEW.role));
  ELSIF (NEW.name, NEW.role, NEW.active) IS DISTINCT FROM (OLD.name, OLD.role, OLD.active) THEN
    PERFORM wpa.audit_add('principal.changed', 'principal:'||NEW.id, jsonb_build_object('name', NEW.name, 'role', NEW.role,
      'active', NEW.active, 'from', jsonb_build_object('name', OLD.name, 'role', OLD.role, 'active', OLD.active)));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER principal_audit AFTER INSERT OR UPDATE ON principal DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION principal_audit();

-- That it changed, never what it is.
CREATE FUNCTION credential_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='INSERT' OR NEW.passphrase_hash <> OLD.passphrase_hash THEN
    PERFORM wpa.audit_add('credential.changed', 'principal:'||NEW.principal_id, '{}');
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER credential_audit AFTER INSERT OR UPDATE ON credential DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION credential_audit();

CREATE FUNCTION finding_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.ignored_by IS NOT NULL THEN
    PERFORM wpa.audit_add('finding.ignored', 'finding:'||NEW.id, jsonb_build_object('rule', NEW.rule, 'fingerprint', NEW.fingerprint,
      'reason', NEW.ignored_reason, 'until', to_char(NEW.ignored_until AT TIME ZONE 'UTC', 'YYYY-MM-DD')));
  ELSE
    PERFORM wpa.audit_add('finding.reopened', 'finding:'||NEW.id, jsonb_build_object('rule', NEW.rule, 'fingerprint', NEW.fingerprint));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER finding_audit AFTER UPDATE ON finding DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.ignored_by IS DISTINCT FROM OLD.ignored_by) EXECUTE FUNCTION finding_audit();

CREATE FUNCTION repository_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wpa.audit_add(CASE WHEN NEW.state = 'removed' THEN 'repository.removed' WHEN TG_OP='INSERT' THEN 'repository.added'
      ELSE 'repository.changed' END, 'repository:'||NEW.id,
    jsonb_build_object('name', NEW.name, 'branch', NEW.branch, 'criticality', NEW.criticality, 'test_command', nullif(NEW.test_command, '')));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER repository_added AFTER INSERT ON repository DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION repository_audit();
CREATE CONSTRAINT TRIGGER repository_changed AFTER UPDATE ON repository DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN ((NEW.url, NEW.branch, NEW.criticality, NEW.test_command, NEW.health_checks, NEW.rollout, NEW.state = 'removed')
    IS DISTINCT FROM (OLD.url, OLD.branch, OLD.criticality, OLD.test_command, OLD.health_checks, OLD.rollout, OLD.state = 'removed'))
  EXECUTE FUNCTION repository_audit();
