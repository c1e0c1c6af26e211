-- Patches, their edits, approvals and tests.

CREATE TABLE patch (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(), -- uid: the API's id
  name text NOT NULL DEFAULT '',
  patch_version text NOT NULL DEFAULT '1.0.0' CHECK (patch_version ~ '^\d+\.\d+\.\d+$'),
  revision int NOT NULL DEFAULT 1 CHECK (revision >= 1),
  type text NOT NULL DEFAULT 'bug_fix' CHECK (type IN ('bug_fix','performance','security','feature','refactor')),
  severity text NOT NULL DEFAULT 'medium' CHECK (severity IN ('critical','high','medium','low')),
  description text NOT NULL DEFAULT '', issue text NOT NULL DEFAULT '',
  state text NOT NULL DEFAULT 'pending' CHECK (state IN
    ('pending','testing','tested','approved','deployed','failed','rolled_back')),
  reason text CHECK (reason IN ('test_failed','test_error','rejected','superseded','deploy_failed','partial','rollback_incomplete')),
  comment text NOT NULL DEFAULT '', -- of the last decision
  digest bytea NOT NULL CHECK (octet_length(digest)=32),
  author_id bigint NOT NULL REFERENCES principal, requester_id bigint REFERENCES principal, tested_digest bytea,
  supersedes bigint REFERENCES patch, attempt int NOT NULL DEFAULT 0,
  plan jsonb NOT NULL DEFAULT '{}', rollback jsonb NOT NULL DEFAULT '{}', report jsonb NOT NULL DEFAULT '{}',
  confidence jsonb, declares jsonb NOT NULL DEFAULT '[]', diff text NOT NULL DEFAULT '',
  lines_added int NOT NULL DEFAULT 0, lines_removed int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(), tested_at timestamptz,
  version bigint NOT NULL DEFAULT 0, updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT failed_has_reason CHECK ((state = 'failed') = (reason IS NOT NULL)),
  CONSTRAINT tested_binding CHECK (state NOT IN ('tested','approved','deployed') OR tested_digest = digest));
CREATE INDEX patch_state ON patch (state, id DESC);

-- before/after null: the file is absent on that side. The digest covers all of these rows.
CREATE TABLE patch_edit (
  patch_id bigint NOT NULL REFERENCES patch, repository_id bigint NOT NULL REFERENCES repository,
  ref text NOT NULL, path text NOT NULL, base_commit text NOT NULL DEFAULT '',
  before_oid text, after_oid text, before_bytes bytea, after_bytes bytea, mode int NOT NULL DEFAULT 33188,
  edits jsonb NOT NULL DEFAULT '[]', inverse jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (patch_id, repository_id, ref, path),
  CHECK ((before_oid IS NULL) = (before_bytes IS NULL)), CHECK ((after_oid IS NULL) = (after_bytes IS NULL)),
  CHECK (before_oid IS DISTINCT FROM after_oid));

CREATE TABLE patch_finding (
  patch_id bigint NOT NULL REFERENCES patch, finding_id bigint NOT NULL REFERENCES finding,
  PRIMARY KEY (patch_id, finding_id));
CREATE INDEX patch_finding_back ON patch_finding (finding_id);

CREATE TABLE approval (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, patch_id bigint NOT NULL REFERENCES patch,
  digest bytea NOT NULL, guardian_id bigint NOT NULL REFERENCES principal,
  at timestamptz NOT NULL DEFAULT clock_timestamp(), expires_at timestamptz NOT NULL,
  withdrawn_at timestamptz, comment text NOT NULL DEFAULT '', is_explicit boolean NOT NULL DEFAULT true);
CREATE UNIQUE INDEX approval_once ON approval (patch_id, digest, guardian_id) WHERE withdrawn_at IS NULL;

CREATE TABLE test_run (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  patch_id bigint NOT NULL REFERENCES patch, digest bytea NOT NULL, attempt int NOT NULL DEFAULT 1,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running','passed','failed','error','cancelled')),
  reason text, phase text CHECK (phase IN ('isolated','integration','safety','compatibility')), -- the one at work
  requested_by bigint REFERENCES principal, job_id bigint, seed bigint NOT NULL DEFAULT 0,
  checks_total int NOT NULL DEFAULT 0, checks_done int NOT NULL DEFAULT 0,
  report jsonb NOT NULL DEFAULT '{}', coverage jsonb NOT NULL DEFAULT '{}',
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(), finished_at timestamptz,
  version bigint NOT NULL DEFAULT 0,
  CHECK ((state = 'running') = (finished_at IS NULL)));
CREATE UNIQUE INDEX one_test_run ON test_run (patch_id) WHERE state = 'running';
CREATE INDEX test_run_of ON test_run (patch_id, id DESC);
CREATE TRIGGER g BEFORE UPDATE OR DELETE ON test_run FOR EACH ROW EXECUTE FUNCTION machine_guard('test');

-- result null: waiting or at work. subject: what of the patch it was about ("ledger-api/ci.yml").
CREATE TABLE test_check (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  test_run_id bigint NOT NULL REFERENCES test_run, check_id text NOT NULL CHECK (check_id ~ '^[A-Z]+[0-9]+$'),
  subject text NOT NULL DEFAULT '', phase text NOT NULL CHECK (phase IN ('isolated','integration','safety','compatibility')),
  title text NOT NULL DEFAULT '', result text CHECK (result IN ('pass','warn','fail','skipped','error')),
  required boolean NOT NULL DEFAULT true, waivable boolean NOT NULL DEFAULT false,
  reason text, evidence jsonb NOT NULL DEFAULT '{}', output text NOT NULL DEFAULT '', cases int, cases_failed int,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(), duration_ms bigint,
  UNIQUE (test_run_id, check_id, subject),
  CHECK (result NOT IN ('skipped','fail','error') OR reason IS NOT NULL));

CREATE TABLE waiver (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, patch_id bigint NOT NULL REFERENCES patch,
  digest bytea NOT NULL, check_id text NOT NULL, guardian_id bigint NOT NULL REFERENCES principal,
  reason text NOT NULL CHECK (reason <> ''), at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL, withdrawn_at timestamptz);
CREATE UNIQUE INDEX waiver_once ON waiver (patch_id, digest, check_id) WHERE withdrawn_at IS NULL;

-- ---- guards ---------------------------------------------------------------------------------------
CREATE FUNCTION valid_approvals(p bigint, d bytea, four_eyes boolean) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT count(DISTINCT a.guardian_id) FROM wpa.approval a
    JOIN wpa.principal g ON g.id=a.guardian_id AND g.role='guardian' AND g.active
    JOIN wpa.patch q ON q.id=a.patch_id
   WHERE a.patch_id=p AND a.digest=d AND a.withdrawn_at IS NULL
     AND a.expires_at > clock_timestamp()
     AND (NOT four_eyes OR (a.guardian_id <> q.author_id AND a.guardian_id IS DISTINCT FROM q.requester_id)) $$;

-- A required check of the last test that failed and that nobody has waived.
CREATE FUNCTION unwaived_failures(p bigint, d bytea) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT count(*) FROM wpa.test_check c
   WHERE c.test_run_id = (SELECT max(r.id) FROM wpa.test_run r WHERE r.patch_id=p AND r.digest=d)
     AND c.required AND c.result IN ('fail','error')
     AND NOT EXISTS (SELECT 1 FROM wpa.waiver w WHERE w.patch_id=p AND w.digest=d AND w.check_id=c.check_id
                        AND w.withdrawn_at IS NULL AND w.expires_at > clock_timestamp()) $$;

CREATE FUNCTION patch_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE k text; need bigint;
BEGIN
  IF TG_OP='DELETE' THEN RAISE EXCEPTION 'patch rows are never deleted' USING ERRCODE='WP006'; END IF;
  IF TG_OP='INSERT' THEN
    IF NEW.state <> 'pending' THEN RAISE EXCEPTION 'a patch starts pending' USING ERRCODE='WP002'; END IF;
    RETURN NEW;
  END IF;
  IF NEW.state IS DISTINCT FROM OLD.state THEN
    k := wpa.actor_kind();
    IF k IS NULL THEN RAISE EXCEPTION 'no actor set' USING ERRCODE='WP003'; END IF;
    PERFORM 1 FROM wpa.transition_rule WHERE machine='patch' AND from_state=OLD.state
        AND to_state=NEW.state AND actor_kind=k;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'patch %: % -> % is not allowed for %', OLD.id, OLD.state, NEW.state, k USING ERRCODE='WP002';
    END IF;
    IF OLD.state = 'failed' AND NEW.state = 'pending' AND (OLD.reason IN ('superseded','partial','rollback_incomplete')
        OR (k = 'agent' AND OLD.reason <> 'test_error')) THEN
      RAISE EXCEPTION 'patch %: failed (%) cannot be tried again by %', OLD.id, OLD.reason, k USING ERRCODE='WP002';
    END IF;
    IF OLD.state = 'failed' AND NEW.state = 'rolled_back' AND OLD.reason <> 'rollback_incomplete' THEN
      RAISE EXCEPTION 'patch %: failed (%) has nothing to restore', OLD.id, OLD.reason USING ERRCODE='WP002';
    END IF;
    IF NEW.state = 'approved' THEN
      SELECT value::bigint INTO need FROM wpa.setting WHERE key='approvals_required';
      IF wpa.valid_approvals(OLD.id, NEW.digest, need >= 2) < need THEN
        RAISE EXCEPTION 'patch %: % approval(s) needed for this content', OLD.id, need USING ERRCODE='WP004';
      END IF;
      IF wpa.unwaived_failures(OLD.id, NEW.digest) > 0 THEN
        RAISE EXCEPTION 'patch %: a required check failed and has no waiver', OLD.id USING ERRCODE='WP004';
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
    IF OLD.state = 'approved' AND NEW.state IN ('tested','pending') AND EXISTS (SELECT 1 FROM wpa.deployment d
        WHERE d.patch_id=OLD.id AND d.state IN ('planned','running','paused','rolling_back','stuck')) THEN
      RAISE EXCEPTION 'patch %: a deployment of it is live', OLD.id USING ERRCODE='WP008';
    END IF;
    IF NEW.state = 'tested' THEN NEW.tested_at := clock_timestamp(); END IF;
  END IF;
  IF NEW.digest <> OLD.digest AND NEW.state <> 'pending' THEN
    RAISE EXCEPTION 'patch %: content may change only while pending', OLD.id USING ERRCODE='WP005';
  END IF;
  NEW.version := OLD.version + 1; NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER patch_guard BEFORE INSERT OR UPDATE OR DELETE ON patch FOR EACH ROW EXECUTE FUNCTION patch_guard();

-- Content is the edits too, not the digest alone.
CREATE FUNCTION patch_edit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE p bigint := CASE WHEN TG_OP='DELETE' THEN OLD.patch_id ELSE NEW.patch_id END;
BEGIN
  PERFORM 1 FROM wpa.patch WHERE id = p AND state = 'pending' FOR SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'patch %: content may change only while pending', p USING ERRCODE='WP005'; END IF;
  RETURN CASE WHEN TG_OP='DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER patch_edit_guard BEFORE INSERT OR UPDATE OR DELETE ON patch_edit FOR EACH ROW EXECUTE FUNCTION patch_edit_guard();

-- An approval is given in one's own name, for what was tested; afterwards it can only be withdrawn.
CREATE FUNCTION approval_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='DELETE' THEN RAISE EXCEPTION 'approvals are never deleted' USING ERRCODE='WP006'; END IF;
  IF wpa.actor_kind() IS DISTINCT FROM 'guardian' THEN
    RAISE EXCEPTION 'only a guardian approves' USING ERRCODE='WP003'; END IF;
  IF TG_OP='INSERT' AND NEW.guardian_id <> wpa.actor() THEN
    RAISE EXCEPTION 'an approval is given in one''s own name' USING ERRCODE='WP003'; END IF;
  IF TG_OP='UPDATE' AND (OLD.withdrawn_at IS NOT NULL OR (NEW.id, NEW.patch_id, NEW.digest, NEW.guardian_id, NEW.at, NEW.expires_at)
      IS DISTINCT FROM (OLD.id, OLD.patch_id, OLD.digest, OLD.guardian_id, OLD.at, OLD.expires_at)) THEN
    RAISE EXCEPTION 'approval % can only be withdrawn, once', OLD.id USING ERRCODE='WP006'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approval_guard BEFORE INSERT OR UPDATE OR DELETE ON approval FOR EACH ROW EXECUTE FUNCTION approval_guard();

CREATE FUNCTION waiver_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='DELETE' THEN RAISE EXCEPTION 'waivers are never deleted' USING ERRCODE='WP006'; END IF;
  IF wpa.actor_kind() IS DISTINCT FROM 'guardian' OR (TG_OP='INSERT' AND NEW.guardian_id <> wpa.actor()) THEN
    RAISE EXCEPTION 'only a guardian waives a check, in his own name' USING ERRCODE='WP003'; END IF;
  IF TG_OP='INSERT' AND EXISTS (SELECT 1 FROM wpa.test_check c JOIN wpa.test_run r ON r.id=c.test_run_id
       WHERE r.patch_id=NEW.patch_id AND r.digest=NEW.digest AND c.check_id=NEW.check_id AND NOT c.waivable) THEN
    RAISE EXCEPTION 'check % cannot be waived', NEW.check_id USING ERRCODE='WP004'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER waiver_guard BEFORE INSERT OR UPDATE OR DELETE ON waiver FOR EACH ROW EXECUTE FUNCTION waiver_guard();

-- ---- findings follow their patch --------------------------------------------------------------------
CREATE FUNCTION patch_findings_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state IN ('failed','rolled_back') THEN
    UPDATE wpa.finding f SET state='open' FROM wpa.patch_finding pf
     WHERE pf.patch_id=NEW.id AND f.id=pf.finding_id AND f.state IN ('in_patch','verifying')
       AND NOT EXISTS (SELECT 1 FROM wpa.patch_finding o JOIN wpa.patch p ON p.id=o.patch_id
             WHERE o.finding_id=f.id AND o.patch_id <> NEW.id AND p.state NOT IN ('failed','rolled_back'));
  ELSIF NEW.state = 'deployed' THEN
    UPDATE wpa.finding f SET state='verifying' FROM wpa.patch_finding pf
     WHERE pf.patch_id=NEW.id AND f.id=pf.finding_id AND f.state IN ('open','in_patch');
  ELSIF OLD.state = 'failed' THEN
    UPDATE wpa.finding f SET state='in_patch' FROM wpa.patch_finding pf
     WHERE pf.patch_id=NEW.id AND f.id=pf.finding_id AND f.state = 'open';
  END IF; RETURN NULL;
END $$;
CREATE TRIGGER patch_findings_follow AFTER UPDATE OF state ON patch FOR EACH ROW
  WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION patch_findings_follow();

CREATE FUNCTION patch_finding_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE wpa.finding SET state='in_patch' WHERE id=NEW.finding_id AND state='open';
  UPDATE wpa.workflow_analysis a SET status='patched' FROM wpa.finding f
   WHERE f.id=NEW.finding_id AND a.id=f.analysis_id AND a.status IN ('new','reviewed');
  RETURN NULL;
END $$;
CREATE TRIGGER patch_finding_taken AFTER INSERT ON patch_finding FOR EACH ROW EXECUTE FUNCTION patch_finding_taken();
