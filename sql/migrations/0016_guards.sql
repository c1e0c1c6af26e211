-- The role of whoever acts, checked once more: what the program refuses (wpa_actor_check) the
-- database refuses as well, whatever a front end that was taken over, or forgot to ask, may send.
-- wpa_viewer has no grants to change anything; wpa_agent can claim no person (actor_kind). This is
-- about wpa_api, and about the owner where roles could not be made. And what people change beside the
-- state machines stands in the audit log, too.

CREATE FUNCTION role_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE k text;
BEGIN
  IF current_user = 'wpa_agent' THEN RETURN NULL; END IF;
  k := wpa.actor_kind();
  IF k IN ('guardian','agent') OR (wpa.actor() IS NULL AND current_user <> 'wpa_api') THEN RETURN NULL; END IF;
  RAISE EXCEPTION '% may not change %', coalesce('a ' || k, 'nobody'), TG_TABLE_NAME USING ERRCODE='42501';
END $$;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['repository','workflow','workflow_analysis','finding','patch','patch_edit','patch_finding','approval','waiver',
      'test_run','deployment','deployment_stage','deployment_target','target_claim','probe','job','comment','notice','setting','api_token'] LOOP
    EXECUTE format('CREATE TRIGGER role_guard BEFORE INSERT OR UPDATE OR DELETE ON wpa.%I FOR EACH STATEMENT EXECUTE FUNCTION wpa.role_guard()', t);
  END LOOP;
END $$;

-- May the actor change people? Nobody at all may make the very first guardian, and the principal of
-- those who look without signing in.
CREATE FUNCTION principal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE is_nobody boolean := wpa.actor() IS NULL;
BEGIN
  IF is_nobody AND current_user <> 'wpa_api' THEN RETURN NEW; END IF;
  IF TG_OP = 'UPDATE' AND (NEW.name, NEW.role, NEW.active) IS NOT DISTINCT FROM (OLD.name, OLD.role, OLD.active) THEN RETURN NEW; END IF;
  IF wpa.actor_kind() = 'guardian' THEN RETURN NEW; END IF;
  IF is_nobody AND TG_OP = 'INSERT' AND (NEW.role = 'viewer' AND NEW.name = 'viewer'
      OR NEW.role = 'guardian' AND NOT EXISTS (SELECT FROM wpa.principal p WHERE p.role = 'guardian')) THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'only a guardian changes people' USING ERRCODE='42501';
END $$;
CREATE TRIGGER principal_guard BEFORE INSERT OR UPDATE ON principal FOR EACH ROW EXECUTE FUNCTION principal_guard();

-- A passphrase is its owner's, or a guardian's to set; of the very first there is nobody to ask.
CREATE FUNCTION credential_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.actor() IS NULL AND (current_user <> 'wpa_api' OR NOT EXISTS (SELECT FROM wpa.credential)) THEN RETURN NEW; END IF;
  IF NEW.principal_id = wpa.actor() OR wpa.actor_kind() = 'guardian' THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'a passphrase is its owner''s or a guardian''s to change' USING ERRCODE='42501';
END $$;
CREATE TRIGGER credential_guard BEFORE INSERT OR UPDATE ON credential FOR EACH ROW EXECUTE FUNCTION credential_guard();

-- Sessions are opened in one's own name; who is bound to a provider's subject is bound by himself.
CREATE FUNCTION own_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.principal_id = wpa.actor() OR (wpa.actor() IS NULL AND current_user <> 'wpa_api') THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'that is somebody else''s' USING ERRCODE='42501';
END $$;
CREATE TRIGGER own_guard BEFORE INSERT ON session FOR EACH ROW EXECUTE FUNCTION own_guard();
CREATE TRIGGER own_guard BEFORE INSERT ON principal_subject FOR EACH ROW EXECUTE FUNCTION own_guard();
CREATE TRIGGER own_guard BEFORE INSERT ON token_revoked FOR EACH ROW EXECUTE FUNCTION own_guard();

-- ---- audit -------------------------------------------------------------------------------------------
CREATE FUNCTION comment_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wpa.audit_add('comment.added', NEW.subject, jsonb_build_object('comment', NEW.id));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER comment_audit AFTER INSERT ON comment DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION comment_audit();

CREATE FUNCTION analysis_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wpa.audit_add('analysis.reviewed', 'analysis:'||NEW.id, jsonb_build_object('workflow', NEW.workflow_id, 'status', NEW.status));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER analysis_audit AFTER UPDATE ON workflow_analysis DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN ((NEW.reviewed_by, NEW.reviewed_at) IS DISTINCT FROM (OLD.reviewed_by, OLD.reviewed_at)) EXECUTE FUNCTION analysis_audit();

CREATE FUNCTION notice_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wpa.audit_add('notice.acknowledged', 'notice:'||NEW.id, jsonb_build_object('level', NEW.level, 'about', nullif(NEW.subject, '')));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER notice_audit AFTER UPDATE ON notice DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.acknowledged_by IS DISTINCT FROM OLD.acknowledged_by) EXECUTE FUNCTION notice_audit();

-- What people order and stop; what the engine orders for itself is its own affair.
CREATE FUNCTION job_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.actor_kind() = 'guardian' THEN
    PERFORM wpa.audit_add(CASE WHEN TG_OP='INSERT' THEN 'job.ordered' WHEN NEW.cancel AND NOT OLD.cancel OR NEW.state = 'cancelled' THEN 'job.cancelled'
        ELSE 'job.ordered_again' END, 'job:'||NEW.id, jsonb_build_object('kind', NEW.kind, 'about', NEW.subject));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER job_ordered AFTER INSERT ON job DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION job_audit();
CREATE CONSTRAINT TRIGGER job_changed AFTER UPDATE ON job DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.cancel > OLD.cancel OR NEW.rerun > OLD.rerun OR (NEW.state <> OLD.state AND NEW.state IN ('queued','cancelled')))
  EXECUTE FUNCTION job_audit();

CREATE FUNCTION patch_described() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.actor_kind() = 'guardian' THEN
    PERFORM wpa.audit_add('patch.changed', 'patch:'||NEW.id, jsonb_build_object('version', NEW.version, 'fields', (
      SELECT jsonb_agg(n.key ORDER BY n.key) FROM jsonb_each(to_jsonb(NEW)) n JOIN jsonb_each(to_jsonb(OLD)) o ON o.key = n.key
       WHERE n.value <> o.value AND n.key IN ('name','patch_version','type','severity','description','issue','plan','rollback','declares'))));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER patch_described AFTER UPDATE ON patch DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN ((NEW.name, NEW.patch_version, NEW.type, NEW.severity, NEW.description, NEW.issue, NEW.plan, NEW.rollback, NEW.declares)
    IS DISTINCT FROM (OLD.name, OLD.patch_version, OLD.type, OLD.severity, OLD.description, OLD.issue, OLD.plan, OLD.rollback, OLD.declares))
  EXECUTE FUNCTION patch_described();

CREATE CONSTRAINT TRIGGER repository_described AFTER UPDATE ON repository DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN ((NEW.owner, NEW.labels, NEW.integration_points, NEW.forge) IS DISTINCT FROM (OLD.owner, OLD.labels, OLD.integration_points, OLD.forge)
    AND (NEW.url, NEW.branch, NEW.criticality, NEW.test_command, NEW.health_checks, NEW.rollout, NEW.state = 'removed')
    IS NOT DISTINCT FROM (OLD.url, OLD.branch, OLD.criticality, OLD.test_command, OLD.health_checks, OLD.rollout, OLD.state = 'removed'))
  EXECUTE FUNCTION repository_audit();

-- That it changed, never what it is.
CREATE FUNCTION secret_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wpa.audit_add('secret.changed', 'secret:'||NEW.key, jsonb_build_object('set', octet_length(NEW.value) > 0));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER secret_made AFTER INSERT ON secret DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (octet_length(NEW.value) > 0) EXECUTE FUNCTION secret_audit();
CREATE CONSTRAINT TRIGGER secret_changed AFTER UPDATE ON secret DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.value <> OLD.value) EXECUTE FUNCTION secret_audit();

DO $$
BEGIN
  REVOKE ALL ON FUNCTION wpa.comment_audit(), wpa.analysis_audit(), wpa.notice_audit(), wpa.job_audit(), wpa.patch_described(), wpa.secret_audit(),
    wpa.role_guard(), wpa.principal_guard(), wpa.credential_guard(), wpa.own_guard() FROM PUBLIC;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    GRANT EXECUTE ON FUNCTION wpa.role_guard(), wpa.principal_guard(), wpa.credential_guard(), wpa.own_guard() TO wpa_api;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_agent') THEN
    GRANT EXECUTE ON FUNCTION wpa.role_guard() TO wpa_agent;
  END IF;
END $$;
