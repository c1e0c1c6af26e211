-- A finding has a UUID as patches, analyses and deployments have one: it is the API's id. And what the API lists is plain
-- columns, named as its fields (a dot leads into an object): the program writes the JSON, at a fraction of what it costs here.

ALTER TABLE finding ADD COLUMN uid uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE finding ADD CONSTRAINT finding_uid_key UNIQUE (uid);

-- Whatever is counted of a workflow's findings is read from this index alone.
DROP INDEX finding_of_workflow;
CREATE INDEX finding_of_workflow ON finding (workflow_id, id DESC) INCLUDE (severity, dimension, kind, state, persona, first_seen, fixed_at);

-- For places by a comparison of rows, which have one direction.
DROP INDEX finding_shown_severity, finding_shown_dimension, finding_state, patch_state, patch_severity;
CREATE INDEX finding_shown_severity ON finding (severity, id) WHERE state IN ('open','in_patch','verifying') AND persona = 'default';
CREATE INDEX finding_shown_dimension ON finding (dimension, id) WHERE state IN ('open','in_patch','verifying') AND persona = 'default';
CREATE INDEX finding_shown_rule ON finding (rule, id) WHERE state IN ('open','in_patch','verifying') AND persona = 'default';
CREATE INDEX finding_state ON finding (state, id);
CREATE INDEX patch_state ON patch (state, id);
CREATE INDEX patch_severity ON patch (severity, id);

-- ---- findings ----------------------------------------------------------------------------------------
DROP VIEW v_api_finding;
CREATE VIEW v_api_finding AS
SELECT f.id AS key, f.version, 'wpa.finding/1' AS schema, f.uid AS id, 'f-' || f.id AS short_id, f.fingerprint, f.rule, f.code, f.check_name AS "check",
       f.dimension, f.kind, f.severity, f.confidence, f.persona, f.state, f.message, r.name AS repository, w.name AS workflow_name, f.path,
       f.start_line AS "span.start.line", f.start_column AS "span.start.column", f.end_line AS "span.end.line", f.end_column AS "span.end.column",
       ARRAY[f.start_byte, f.end_byte] AS "span.bytes", f.related, f.structure, f.aliases, f.help, f.data, f.fixes, f.fixes <> '[]' AS has_fix,
       (SELECT p.uid FROM wpa.patch_finding x JOIN wpa.patch p ON p.id = x.patch_id WHERE x.finding_id = f.id AND p.state NOT IN ('failed','rolled_back')
         ORDER BY p.id DESC LIMIT 1) AS patch_id,
       CASE WHEN f.ignored_by IS NOT NULL THEN json_build_object('by', (SELECT g.name FROM wpa.principal g WHERE g.id = f.ignored_by),
         'reason', f.ignored_reason, 'until', wpa.api_time(f.ignored_until)) END AS ignored, f.first_seen, f.last_seen, f.fixed_at
  FROM wpa.finding f JOIN wpa.workflow w ON w.id = f.workflow_id JOIN wpa.repository r ON r.id = w.repository_id;

-- The record alone, where it stands within something else.
CREATE OR REPLACE FUNCTION finding_record(f finding, repository text) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('schema', 'wpa.finding/1', 'id', f.uid, 'short_id', 'f-' || f.id, 'fingerprint', f.fingerprint, 'rule', f.rule, 'code', f.code,
    'check', f.check_name, 'dimension', f.dimension, 'kind', f.kind, 'severity', f.severity, 'confidence', f.confidence,
    'persona', f.persona, 'state', f.state, 'message', f.message, 'repository', repository, 'path', f.path,
    'span', json_build_object('start', json_build_object('line', f.start_line, 'column', f.start_column),
                              'end', json_build_object('line', f.end_line, 'column', f.end_column),
                              'bytes', json_build_array(f.start_byte, f.end_byte)),
    'related', f.related, 'structure', f.structure, 'aliases', f.aliases, 'help', f.help, 'data', f.data, 'fixes', f.fixes) $$;

-- ---- analyses ----------------------------------------------------------------------------------------
DROP VIEW v_api_analysis;
CREATE VIEW v_api_analysis AS
SELECT a.id AS key, a.uid AS id, 'a-' || a.id AS short_id, w.name AS workflow_name, a.dimension AS analysis_type, 1 AS "metrics.files",
       a.rules_run AS "metrics.rules_run", a.duration_ms AS "metrics.duration_ms", a.findings_new AS "metrics.findings_new",
       a.findings_fixed AS "metrics.findings_fixed", a.is_complete AS "metrics.is_complete",
       s.critical AS "metrics.findings_by_severity.critical", s.high AS "metrics.findings_by_severity.high",
       s.medium AS "metrics.findings_by_severity.medium", s.low AS "metrics.findings_by_severity.low",
       round((SELECT y.total FROM wpa.health_history y WHERE y.workflow_id = a.workflow_id AND y.at <= a.finished_at + interval '1 second'
               ORDER BY y.at DESC LIMIT 1)::numeric, 1) AS "metrics.score",
       CASE WHEN s.critical > 0 THEN 'critical' WHEN s.high > 0 THEN 'high' WHEN s.medium > 0 THEN 'medium' ELSE 'low' END AS severity,
       a.status, a.error, 'WorkflowPatchAgent' AS analyzed_by, q.name AS requested_by, v.name AS reviewed_by, a.started_at AS created_at, a.finished_at
  FROM wpa.workflow_analysis a JOIN wpa.workflow w ON w.id = a.workflow_id
  LEFT JOIN wpa.principal q ON q.id = a.requested_by LEFT JOIN wpa.principal v ON v.id = a.reviewed_by
  -- as analysis_findings, from the index
  CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE f.severity = 'critical') AS critical, count(*) FILTER (WHERE f.severity = 'high') AS high,
         count(*) FILTER (WHERE f.severity = 'medium') AS medium, count(*) FILTER (WHERE f.severity = 'low') AS low
         FROM wpa.finding f
        WHERE f.workflow_id = a.workflow_id AND f.persona = 'default' AND f.state NOT IN ('ignored','baseline') AND (a.dimension = 'all' OR f.dimension = a.dimension)
          AND f.first_seen <= coalesce(a.finished_at, 'infinity') AND (f.fixed_at IS NULL OR f.fixed_at > a.finished_at)) s;

-- ---- patches -----------------------------------------------------------------------------------------
DROP VIEW v_api_patch;
CREATE VIEW v_api_patch AS
SELECT p.id AS key, p.version, p.uid AS id, 'p-' || p.id AS short_id, p.name AS patch_name, p.patch_version, p.type AS patch_type, p.state AS status, p.reason,
       nullif(p.comment, '') AS comment, p.severity, p.revision, p.description, p.issue AS issue_identified,
       (SELECT a.uid FROM wpa.workflow_analysis a WHERE a.id = p.analysis_id) AS analysis_id,
       t.names->>0 AS target_workflow, t.names AS target_workflows, t.files AS files_modified, p.lines_added, p.lines_removed,
       (SELECT count(*) FROM wpa.patch_finding f WHERE f.patch_id = p.id) AS findings, wpa.api_author(c) AS created_by, q.name AS requested_by, p.reviewed_by,
       -- as valid_approvals counts them, but part of the query: a call for each row costs more than all the rest
       (SELECT count(DISTINCT x.guardian_id) FROM wpa.approval x JOIN wpa.principal g ON g.id = x.guardian_id AND g.role = 'guardian' AND g.active
         WHERE x.patch_id = p.id AND x.digest = p.digest AND x.withdrawn_at IS NULL AND x.expires_at > statement_timestamp()
           AND (n.need < 2 OR (x.guardian_id <> p.author_id AND x.guardian_id IS DISTINCT FROM p.requester_id))) AS approvals, n.need AS approvals_required,
       (p.plan - 'stages') || jsonb_build_object('changes', p.deployment_config) AS deployment_config,
       (p.rollback - 'files') || p.rollback_config AS rollback_config,
       (SELECT d.uid FROM wpa.deployment d WHERE d.patch_id = p.id ORDER BY d.id DESC LIMIT 1) AS deployment_id,
       encode(p.digest, 'hex') AS digest, p.created_at, p.tested_at, p.updated_at
  FROM wpa.patch p JOIN wpa.principal c ON c.id = p.author_id LEFT JOIN wpa.principal q ON q.id = p.requester_id
  CROSS JOIN LATERAL (SELECT coalesce((SELECT value::bigint FROM wpa.setting WHERE key = 'approvals_required'), 1) AS need) n
  CROSS JOIN LATERAL (SELECT coalesce(json_agg(e.name) FILTER (WHERE e.name IS NOT NULL), '[]') AS names,
         json_agg(json_build_object('repository', e.repository, 'path', e.path)) AS files
         FROM (SELECT w.name, r.name AS repository, e.path FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id
                 LEFT JOIN wpa.workflow w ON w.repository_id = e.repository_id AND w.path = e.path WHERE e.patch_id = p.id ORDER BY r.name, e.path) e) t;

-- The rest of one patch, beside its columns; the two configurations whole.
DROP VIEW v_api_patch_detail;
CREATE VIEW v_api_patch_detail AS
SELECT p.id AS key, p.plan || jsonb_build_object('changes', p.deployment_config) AS deployment_config, p.rollback || p.rollback_config AS rollback_config,
       p.diff, p.declares, p.notes AS "patch_content.notes", p.dependencies AS "patch_content.dependencies", p.configuration AS "patch_content.configuration",
       (SELECT coalesce(json_agg(json_build_object('id', f.uid, 'short_id', 'f-' || f.id, 'rule', f.rule, 'severity', f.severity, 'state', f.state,
           'message', f.message) ORDER BY f.rank DESC, f.id), '[]') FROM wpa.patch_finding x JOIN wpa.finding f ON f.id = x.finding_id WHERE x.patch_id = p.id) AS answers,
       (SELECT coalesce(json_agg(json_build_object('name', g.name, 'at', wpa.api_time(a.at), 'expires_at', wpa.api_time(a.expires_at),
           'is_explicit', a.is_explicit, 'comment', nullif(a.comment, '')) ORDER BY a.id), '[]')
           FROM wpa.approval a JOIN wpa.principal g ON g.id = a.guardian_id WHERE a.patch_id = p.id AND a.digest = p.digest AND a.withdrawn_at IS NULL) AS approved_by,
       (SELECT coalesce(json_agg(json_build_object('check', w.check_id, 'name', g.name, 'reason', w.reason,
           'expires_at', wpa.api_time(w.expires_at)) ORDER BY w.id), '[]')
           FROM wpa.waiver w JOIN wpa.principal g ON g.id = w.guardian_id WHERE w.patch_id = p.id AND w.digest = p.digest AND w.withdrawn_at IS NULL) AS waivers,
       p.confidence, wpa.api_comments('patch:' || p.id) AS comments
  FROM wpa.patch p;

-- ---- deployments -------------------------------------------------------------------------------------
DROP VIEW v_api_deployment;
CREATE VIEW v_api_deployment AS
SELECT d.id AS key, d.version, d.uid AS id, 'd-' || d.id AS short_id, p.uid AS patch_id, p.name AS patch_name, p.patch_version, d.state,
       wpa.deployment_word(d.state) AS deployment_status, d.reason, d.rule, d.plan->>'strategy' AS strategy, d.current_stage AS stage,
       (SELECT count(*) FROM wpa.deployment_stage s WHERE s.deployment_id = d.id) AS stages_total, t.n AS targets, t.changed AS targets_changed,
       t.restored AS targets_restored, g.name AS started_by, u.name AS rolled_back_by, d.rollback_at, encode(d.digest, 'hex') AS digest,
       d.created_at, d.started_at, d.finished_at, d.updated_at
  FROM wpa.deployment d JOIN wpa.patch p ON p.id = d.patch_id JOIN wpa.principal g ON g.id = d.started_by LEFT JOIN wpa.principal u ON u.id = d.rolled_back_by
  CROSS JOIN LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE t.state IN ('applied','verified','revert_intended','revert_blocked')) AS changed,
         count(*) FILTER (WHERE t.state = 'reverted') AS restored FROM wpa.deployment_target t WHERE t.deployment_id = d.id) t;

CREATE OR REPLACE FUNCTION api_deployed(d deployment) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('patch_id', p.uid, 'patch_name', p.name, 'deployment_id', d.uid, 'deployment_status', wpa.deployment_word(d.state),
      'reason', d.reason, 'deployment_time', wpa.api_time(coalesce(d.finished_at, d.started_at, d.created_at)),
      'impact_summary', jsonb_build_object(
         'deployment_duration_seconds', round(extract(epoch FROM coalesce(d.finished_at, clock_timestamp()) - coalesce(d.started_at, d.created_at)), 3),
         'downtime_seconds', (SELECT round(sum((x->>'possible_s')::numeric), 3) FROM jsonb_array_elements(d.summary->'downtime') x),
         'issues_resolved', f.gone, 'improvements', wpa.deployment_improvements(d.id)),
      'issues_fixed', f.list, 'rollback_available', v.can_roll_back)
    FROM wpa.patch p JOIN wpa.v_deployment v ON v.id = d.id
    CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE g.state = 'fixed') AS gone,
         coalesce(jsonb_agg(jsonb_build_object('id', g.uid, 'short_id', 'f-' || g.id, 'rule', g.rule, 'message', g.message, 'state', g.state)
           ORDER BY g.rank DESC, g.id) FILTER (WHERE g.state IN ('fixed','verifying')), '[]') AS list
         FROM wpa.patch_finding x JOIN wpa.finding g ON g.id = x.finding_id WHERE x.patch_id = p.id) f
   WHERE p.id = d.patch_id $$;

-- ---- jobs, the audit log -----------------------------------------------------------------------------
DROP VIEW v_api_job;
CREATE VIEW v_api_job AS
SELECT j.id AS key, 'j-' || j.id AS id, j.kind, j.subject, j.label, j.state, j.attempt, j.note, j.done_count AS done, j.total_count AS total,
       j.last_error AS error, j.result, q.name AS requested_by, j.created_at, j.run_after, j.claimed_at AS started_at, j.finished_at
  FROM (SELECT id, kind, subject, label, state, attempt, note, done_count, total_count, last_error, result, requested_by, created_at, run_after, claimed_at, finished_at FROM wpa.job
        UNION ALL
        SELECT id, kind, subject, label, state, attempt, note, done_count, total_count, last_error, result, requested_by, created_at, NULL, claimed_at, finished_at FROM wpa.job_history) j
  LEFT JOIN wpa.principal q ON q.id = j.requested_by;

DROP VIEW v_api_audit;
CREATE VIEW v_api_audit AS
SELECT a.seq AS key, a.seq, a.at, coalesce(p.name, a.actor) AS actor, a.action, a.subject, a.detail::json AS detail, encode(a.prev, 'hex') AS prev, encode(a.hash, 'hex') AS hash
  FROM wpa.audit a LEFT JOIN wpa.principal p ON p.id::text = a.actor;

-- ---- ids of a page, the newest first -----------------------------------------------------------------
-- What is asked for most has plans that are kept. Each names its place by a comparison of rows and an order that one index
-- alone gives: with an equality instead, the planner, who does not know the value, walks all findings. Everything else is
-- planned for what it asks, see api_page_*_by.

ALTER FUNCTION api_page_findings(bigint, bigint, bigint, text, text, text, text, text, text, boolean, text, jsonb) RENAME TO api_page_findings_by;
CREATE FUNCTION api_page_findings(before bigint, n bigint, workflow bigint, repository text, wanted_state text, wanted_severity text, wanted_dimension text,
    wanted_kind text, wanted_rule text, wanted_fix boolean, part text, terms jsonb) RETURNS bigint[]
  LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE top bigint := coalesce(before, 9223372036854775807);
  of_workflows bigint[];
BEGIN
  IF num_nonnulls(wanted_kind, wanted_fix, part, terms) > 0 OR num_nonnulls(workflow, repository, wanted_state, wanted_severity, wanted_dimension, wanted_rule) > 1 THEN
    RETURN wpa.api_page_findings_by(before, n, workflow, repository, wanted_state, wanted_severity, wanted_dimension, wanted_kind, wanted_rule, wanted_fix, part, terms);
  ELSIF wanted_severity IS NOT NULL THEN
    RETURN ARRAY(SELECT f.id FROM wpa.finding f WHERE f.state IN ('open','in_patch','verifying') AND f.persona = 'default'
      AND (f.severity, f.id) < (wanted_severity, top) AND f.severity >= wanted_severity ORDER BY f.severity DESC, f.id DESC LIMIT n);
  ELSIF wanted_dimension IS NOT NULL THEN
    RETURN ARRAY(SELECT f.id FROM wpa.finding f WHERE f.state IN ('open','in_patch','verifying') AND f.persona = 'default'
      AND (f.dimension, f.id) < (wanted_dimension, top) AND f.dimension >= wanted_dimension ORDER BY f.dimension DESC, f.id DESC LIMIT n);
  ELSIF wanted_rule IS NOT NULL THEN
    RETURN ARRAY(SELECT f.id FROM wpa.finding f WHERE f.state IN ('open','in_patch','verifying') AND f.persona = 'default'
      AND (f.rule, f.id) < (wanted_rule, top) AND f.rule >= wanted_rule ORDER BY f.rule DESC, f.id DESC LIMIT n);
  ELSIF wanted_state IS NOT NULL THEN
    RETURN ARRAY(SELECT f.id FROM wpa.finding f WHERE (f.state, f.id) < (wanted_state, top) AND f.state >= wanted_state ORDER BY f.state DESC, f.id DESC LIMIT n);
  ELSIF workflow IS NULL AND repository IS NULL THEN
    RETURN ARRAY(SELECT f.id FROM wpa.finding f WHERE f.state IN ('open','in_patch','verifying') AND f.persona = 'default' AND f.id < top ORDER BY f.id DESC LIMIT n);
  END IF;
  of_workflows := CASE WHEN workflow IS NOT NULL THEN ARRAY[workflow]
    ELSE ARRAY(SELECT w.id FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id WHERE r.name = api_page_findings.repository) END;
  RETURN ARRAY(SELECT y.id FROM unnest(of_workflows) u(id) CROSS JOIN LATERAL
     (SELECT f.id FROM wpa.finding f WHERE f.workflow_id = u.id AND f.state IN ('open','in_patch','verifying') AND f.persona = 'default' AND f.id < top
       ORDER BY f.id DESC LIMIT n) y ORDER BY y.id DESC LIMIT n);
END $$;

ALTER FUNCTION api_page_patches(bigint, bigint, bigint, text, text) RENAME TO api_page_patches_by;
CREATE FUNCTION api_page_patches(before bigint, n bigint, workflow bigint, wanted_state text, wanted_severity text) RETURNS bigint[]
  LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE top bigint := coalesce(before, 9223372036854775807);
BEGIN
  IF num_nonnulls(workflow, wanted_state, wanted_severity) > 1 THEN
    RETURN wpa.api_page_patches_by(before, n, workflow, wanted_state, wanted_severity);
  ELSIF wanted_state IS NOT NULL THEN
    RETURN ARRAY(SELECT p.id FROM wpa.patch p WHERE (p.state, p.id) < (wanted_state, top) AND p.state >= wanted_state ORDER BY p.state DESC, p.id DESC LIMIT n);
  ELSIF wanted_severity IS NOT NULL THEN
    RETURN ARRAY(SELECT p.id FROM wpa.patch p WHERE (p.severity, p.id) < (wanted_severity, top) AND p.severity >= wanted_severity
      ORDER BY p.severity DESC, p.id DESC LIMIT n);
  ELSIF workflow IS NOT NULL THEN
    RETURN ARRAY(SELECT DISTINCT e.patch_id FROM wpa.workflow w JOIN wpa.patch_edit e ON e.repository_id = w.repository_id AND e.path = w.path
      WHERE w.id = workflow AND e.patch_id < top ORDER BY e.patch_id DESC LIMIT n);
  END IF;
  RETURN ARRAY(SELECT p.id FROM wpa.patch p WHERE p.id < top ORDER BY p.id DESC LIMIT n);
END $$;

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.api_page_patches(bigint, bigint, bigint, text, text),
    wpa.api_page_findings(bigint, bigint, bigint, text, text, text, text, text, text, boolean, text, jsonb) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.v_api_finding, wpa.v_api_analysis, wpa.v_api_patch, wpa.v_api_patch_detail, wpa.v_api_deployment, wpa.v_api_job, wpa.v_api_audit TO %I', r);
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.api_page_patches(bigint, bigint, bigint, text, text),
        wpa.api_page_findings(bigint, bigint, bigint, text, text, text, text, text, text, boolean, text, jsonb) TO %I', r);
    END IF;
  END LOOP;
END $$;
