-- What the REST API answers about everything else, one view for each resource.

CREATE VIEW v_api_finding AS
SELECT f.id, f.version, f.state, f.severity, f.dimension, f.kind, f.rule, f.code, f.persona, f.workflow_id, w.repository_id, f.message, f.fixes,
       wpa.finding_record(f, r.name) || jsonb_build_object('workflow_name', w.name, 'first_seen', wpa.api_time(f.first_seen), 'last_seen', wpa.api_time(f.last_seen),
         'fixed_at', wpa.api_time(f.fixed_at), 'has_fix', jsonb_array_length(f.fixes) > 0,
         'patch_id', (SELECT 'p-' || max(x.patch_id) FROM wpa.patch_finding x JOIN wpa.patch p ON p.id = x.patch_id
                       WHERE x.finding_id = f.id AND p.state NOT IN ('failed','rolled_back')),
         'ignored', CASE WHEN f.ignored_by IS NOT NULL THEN jsonb_build_object('by', g.name, 'reason', f.ignored_reason, 'until', wpa.api_time(f.ignored_until)) END) AS item
  FROM wpa.finding f JOIN wpa.workflow w ON w.id = f.workflow_id JOIN wpa.repository r ON r.id = w.repository_id LEFT JOIN wpa.principal g ON g.id = f.ignored_by;

CREATE FUNCTION api_comments(about text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('by', g.name, 'at', wpa.api_time(c.at), 'text', c.text) ORDER BY c.id), '[]')
    FROM wpa.comment c JOIN wpa.principal g ON g.id = c.principal_id WHERE c.subject = about $$;

CREATE VIEW v_api_deployment AS
SELECT d.id, d.uid, d.version, d.state, d.patch_id,
       jsonb_build_object('id', d.uid, 'short_id', 'd-' || d.id, 'patch_id', 'p-' || d.patch_id, 'patch_name', p.name, 'patch_version', p.patch_version,
         'state', d.state, 'deployment_status', wpa.deployment_word(d.state), 'reason', d.reason, 'rule', d.rule, 'strategy', d.plan->>'strategy',
         'stage', d.current_stage, 'stages_total', (SELECT count(*) FROM wpa.deployment_stage s WHERE s.deployment_id = d.id),
         'targets', (SELECT count(*) FROM wpa.deployment_target t WHERE t.deployment_id = d.id),
         'targets_changed', (SELECT count(*) FROM wpa.deployment_target t WHERE t.deployment_id = d.id AND t.state IN ('applied','verified','revert_intended','revert_blocked')),
         'targets_restored', (SELECT count(*) FROM wpa.deployment_target t WHERE t.deployment_id = d.id AND t.state = 'reverted'),
         'started_by', g.name, 'rolled_back_by', u.name, 'rollback_at', wpa.api_time(d.rollback_at), 'digest', encode(d.digest, 'hex'),
         'created_at', wpa.api_time(d.created_at), 'started_at', wpa.api_time(d.started_at), 'finished_at', wpa.api_time(d.finished_at),
         'updated_at', wpa.api_time(d.updated_at)) AS item
  FROM wpa.deployment d JOIN wpa.patch p ON p.id = d.patch_id JOIN wpa.principal g ON g.id = d.started_by LEFT JOIN wpa.principal u ON u.id = d.rolled_back_by;

CREATE FUNCTION deployment_detail(deployment_id bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('result', wpa.api_deployed(d), 'summary', d.summary,
      'stages', (SELECT coalesce(jsonb_agg(jsonb_build_object('n', s.n, 'name', s.name, 'percent', s.percent, 'state', s.state, 'reason', s.reason,
           'bake_seconds', s.bake_ms / 1000.0, 'bake_until', wpa.api_time(s.bake_until), 'started_at', wpa.api_time(s.started_at),
           'finished_at', wpa.api_time(s.finished_at)) ORDER BY s.n), '[]') FROM wpa.deployment_stage s WHERE s.deployment_id = d.id),
      'target_list', (SELECT coalesce(jsonb_agg(jsonb_build_object('stage', t.n, 'repository', r.name, 'ref', t.ref, 'state', t.state, 'note', t.note,
           'base', t.base_oid, 'applied', t.applied_oid, 'reverted', t.revert_oid, 'applied_at', wpa.api_time(t.applied_at),
           'reverted_at', wpa.api_time(t.reverted_at)) ORDER BY t.n, t.ordinal, t.target_id), '[]')
           FROM wpa.deployment_target t JOIN wpa.repository r ON r.id = t.target_id WHERE t.deployment_id = d.id),
      'checks', (SELECT coalesce(jsonb_agg(jsonb_build_object('stage', c.n, 'name', c.name, 'kind', c.kind, 'verdict', c.verdict, 'reason', c.reason,
           'critical', c.critical, 'dry_run', c.dry_run, 'limit', nullif(c.limit_text, ''), 'baseline', c.baseline, 'measured', c.n_measured, 'failed', c.n_failed,
           'last_result', c.last_result, 'last_value', c.last_value, 'last_message', nullif(c.last_message, '')) ORDER BY c.id), '[]')
           FROM wpa.v_check c WHERE c.deployment_id = d.id))
    FROM wpa.deployment d WHERE d.id = deployment_detail.deployment_id $$;

CREATE VIEW v_api_job AS
SELECT j.id, j.state, j.kind, jsonb_build_object('id', 'j-' || j.id, 'kind', j.kind, 'subject', j.subject, 'label', j.label, 'state', j.state,
         'attempt', j.attempt, 'note', j.note, 'done', j.done_count, 'total', j.total_count, 'error', j.last_error, 'result', j.result, 'requested_by', q.name,
         'created_at', wpa.api_time(j.created_at), 'run_after', wpa.api_time(j.run_after), 'started_at', wpa.api_time(j.claimed_at),
         'finished_at', wpa.api_time(j.finished_at)) AS item
  FROM (SELECT id, kind, subject, label, state, attempt, note, done_count, total_count, last_error, result, requested_by, created_at, run_after, claimed_at, finished_at FROM wpa.job
        UNION ALL
        SELECT id, kind, subject, label, state, attempt, note, done_count, total_count, last_error, result, requested_by, created_at, NULL, claimed_at, finished_at FROM wpa.job_history) j
  LEFT JOIN wpa.principal q ON q.id = j.requested_by;

CREATE VIEW v_api_agent AS
SELECT wpa.us(a.started_at) AS id, a.state, jsonb_build_object('id', a.id, 'name', a.name, 'host', a.host, 'pid', a.pid, 'version', a.version, 'capabilities', a.capabilities,
         'capacity', a.capacity, 'busy', a.busy, 'state', a.state, 'is_alive', a.state <> 'gone' AND a.seen_at > clock_timestamp() - interval '30 seconds',
         'started_at', wpa.api_time(a.started_at), 'seen_at', wpa.api_time(a.seen_at)) AS item
  FROM wpa.agent a;

CREATE VIEW v_api_audit AS
SELECT a.seq AS id, a.action, a.subject, coalesce(p.name, a.actor) AS who,
       jsonb_build_object('seq', a.seq, 'at', wpa.api_time(a.at), 'actor', coalesce(p.name, a.actor), 'action', a.action, 'subject', a.subject,
         'detail', a.detail::jsonb, 'prev', encode(a.prev, 'hex'), 'hash', encode(a.hash, 'hex')) AS item
  FROM wpa.audit a LEFT JOIN wpa.principal p ON p.id::text = a.actor;

CREATE VIEW v_api_notice AS
SELECT n.id, n.level, n.acknowledged_at IS NULL AS is_open, jsonb_build_object('id', 'n-' || n.id, 'level', n.level, 'message', n.message, 'subject', nullif(n.subject, ''),
         'count', n.count, 'at', wpa.api_time(n.at), 'last_at', wpa.api_time(n.last_at), 'acknowledged_by', p.name, 'acknowledged_at', wpa.api_time(n.acknowledged_at)) AS item
  FROM wpa.notice n LEFT JOIN wpa.principal p ON p.id = n.acknowledged_by;

CREATE VIEW v_api_repository AS
SELECT r.id, r.name, jsonb_build_object('id', 'r-' || r.id, 'name', r.name, 'url', r.url, 'branch', r.branch, 'owner', r.owner, 'labels', r.labels, 'criticality', r.criticality,
         'state', r.state, 'error', r.error, 'head', r.head_commit, 'scanned_at', wpa.api_time(r.scanned_at), 'rollout', r.rollout, 'health_checks', r.health_checks,
         'workflows', (SELECT count(*) FROM wpa.workflow w WHERE w.repository_id = r.id AND w.state = 'present' AND w.kind = 'workflow'),
         'health_score', (SELECT round(avg(h.total)::numeric, 1) FROM wpa.workflow w JOIN wpa.health h ON h.workflow_id = w.id WHERE w.repository_id = r.id AND w.state = 'present')) AS item
  FROM wpa.repository r WHERE r.state <> 'removed';

CREATE VIEW v_api_workflow AS
SELECT w.id, w.repository_id, jsonb_build_object('id', 'w-' || w.id, 'workflow_name', w.name, 'repository', r.name, 'path', w.path, 'kind', w.kind, 'title', nullif(w.title, ''),
         'health_score', round(h.total::numeric, 1), 'grade', h.grade, 'open_findings', w.open_findings, 'error', w.error, 'last_analysis', wpa.api_time(w.analysed_at)) AS item
  FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id LEFT JOIN wpa.health h ON h.workflow_id = w.id
 WHERE w.state = 'present' AND r.state <> 'removed';

CREATE VIEW v_api_guardian AS
SELECT p.id, p.name, jsonb_build_object('id', p.id, 'name', p.name, 'role', p.role, 'active', p.active, 'created_at', wpa.api_time(p.created_at),
         'last_sign_in_at', wpa.api_time(p.last_sign_in_at),
         'sessions', (SELECT count(*) FROM wpa.session s WHERE s.principal_id = p.id AND s.ended_at IS NULL AND s.expires_at > clock_timestamp())) AS item
  FROM wpa.principal p;

CREATE VIEW v_api_token AS -- never the hash
SELECT t.id, jsonb_build_object('id', 't-' || t.id, 'name', t.name, 'acts_as', p.name, 'role', p.role, 'made_by', m.name, 'scopes', t.scopes,
         'created_at', wpa.api_time(t.created_at), 'expires_at', wpa.api_time(t.expires_at), 'revoked_at', wpa.api_time(t.revoked_at),
         'is_valid', t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND p.active) AS item
  FROM wpa.api_token t JOIN wpa.principal p ON p.id = t.principal_id JOIN wpa.principal m ON m.id = t.made_by;

-- A token acts for its maker, or may only look; it ends within a year. The hash stays what it is.
CREATE FUNCTION api_token_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.actor_kind() IS DISTINCT FROM 'guardian' THEN RAISE EXCEPTION 'only a guardian makes or revokes a token' USING ERRCODE='WP003'; END IF;
  IF TG_OP='INSERT' THEN
    IF NEW.made_by <> wpa.actor() OR (NEW.principal_id <> wpa.actor() AND (SELECT role FROM wpa.principal WHERE id = NEW.principal_id) <> 'viewer') THEN
      RAISE EXCEPTION 'a token acts for whoever made it, or for a viewer' USING ERRCODE='WP003'; END IF;
    PERFORM wpa.audit_add('token.made', 'token:' || NEW.id, jsonb_build_object('name', NEW.name, 'scopes', to_jsonb(NEW.scopes), 'acts_as', NEW.principal_id,
      'expires_at', wpa.api_time(NEW.expires_at)));
  ELSE
    IF (NEW.hash, NEW.principal_id, NEW.scopes, NEW.expires_at) IS DISTINCT FROM (OLD.hash, OLD.principal_id, OLD.scopes, OLD.expires_at) THEN
      RAISE EXCEPTION 'a token can only be revoked' USING ERRCODE='WP006'; END IF;
    PERFORM wpa.audit_add('token.revoked', 'token:' || NEW.id, jsonb_build_object('name', NEW.name));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER api_token_guard AFTER INSERT OR UPDATE ON api_token DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION api_token_guard();

DO $$
DECLARE r text; v text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.api_comments(text), wpa.deployment_detail(bigint), wpa.api_token_guard() FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      FOREACH v IN ARRAY ARRAY['finding','deployment','job','agent','audit','notice','repository','workflow','guardian','token'] LOOP
        EXECUTE format('GRANT SELECT ON wpa.%I TO %I', 'v_api_' || v, r);
      END LOOP;
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.api_comments(text), wpa.deployment_detail(bigint) TO %I', r);
    END IF;
  END LOOP;
END $$;
