-- What comes with a patch from outside, and what the REST API answers about patches and deployments.

ALTER TABLE patch
  ADD COLUMN analysis_id bigint REFERENCES workflow_analysis,
  ADD COLUMN notes jsonb NOT NULL DEFAULT '{}',             -- entries of "changes" that are no content
  ADD COLUMN dependencies jsonb NOT NULL DEFAULT '[]',      -- as given, each with what is known of it
  ADD COLUMN configuration jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN deployment_config jsonb NOT NULL DEFAULT '{}', -- what this patch's rollout does otherwise than its repositories say
  ADD COLUMN rollback_config jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN reviewed_by text CHECK (octet_length(reviewed_by) BETWEEN 1 AND 200); -- as stated; no approval

-- Whom the engine's own work is told as.
CREATE FUNCTION api_author(p principal) RETURNS text LANGUAGE sql IMMUTABLE AS
 $$ SELECT CASE p.role WHEN 'agent' THEN 'WorkflowPatchAgent' ELSE p.name END $$;

CREATE VIEW v_api_patch AS
SELECT p.id, p.uid, p.version, p.state, p.severity,
       jsonb_build_object('id', p.uid, 'short_id', 'p-' || p.id, 'patch_name', p.name, 'patch_version', p.patch_version, 'patch_type', p.type,
         'status', p.state, 'reason', p.reason, 'comment', nullif(p.comment, ''), 'severity', p.severity, 'revision', p.revision,
         'description', p.description, 'issue_identified', p.issue, 'analysis_id', a.uid,
         'target_workflow', t.names->0, 'target_workflows', t.names, 'files_modified', t.files,
         'lines_added', p.lines_added, 'lines_removed', p.lines_removed,
         'findings', (SELECT count(*) FROM wpa.patch_finding f WHERE f.patch_id = p.id),
         'created_by', wpa.api_author(c), 'requested_by', q.name, 'reviewed_by', p.reviewed_by,
         'approvals', wpa.valid_approvals(p.id, p.digest, n.need >= 2), 'approvals_required', n.need,
         'deployment_config', (p.plan - 'stages') || jsonb_build_object('changes', p.deployment_config),
         'rollback_config', (p.rollback - 'files') || p.rollback_config,
         'deployment_id', (SELECT 'd-' || max(d.id) FROM wpa.deployment d WHERE d.patch_id = p.id),
         'digest', encode(p.digest, 'hex'), 'created_at', wpa.api_time(p.created_at), 'tested_at', wpa.api_time(p.tested_at),
         'updated_at', wpa.api_time(p.updated_at)) AS item
  FROM wpa.patch p JOIN wpa.principal c ON c.id = p.author_id LEFT JOIN wpa.principal q ON q.id = p.requester_id
  LEFT JOIN wpa.workflow_analysis a ON a.id = p.analysis_id
  CROSS JOIN LATERAL (SELECT coalesce((SELECT value::bigint FROM wpa.setting WHERE key = 'approvals_required'), 1) AS need) n
  CROSS JOIN LATERAL (SELECT coalesce(jsonb_agg(w.name ORDER BY r.name, e.path) FILTER (WHERE w.name IS NOT NULL), '[]') AS names,
         jsonb_agg(jsonb_build_object('repository', r.name, 'path', e.path) ORDER BY r.name, e.path) AS files
         FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id
         LEFT JOIN wpa.workflow w ON w.repository_id = e.repository_id AND w.path = e.path WHERE e.patch_id = p.id) t;

-- The rest of one patch: what was asked, what it changes, who approved, and the whole rollout.
CREATE FUNCTION patch_detail(patch_id bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('diff', p.diff, 'declares', p.declares,
      'patch_content', jsonb_build_object('notes', p.notes, 'dependencies', p.dependencies, 'configuration', p.configuration),
      'answers', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', 'f-' || f.id, 'rule', f.rule, 'severity', f.severity, 'state', f.state,
           'message', f.message) ORDER BY f.rank DESC, f.id), '[]') FROM wpa.patch_finding x JOIN wpa.finding f ON f.id = x.finding_id WHERE x.patch_id = p.id),
      'approved_by', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', g.name, 'at', wpa.api_time(a.at), 'expires_at', wpa.api_time(a.expires_at),
           'is_explicit', a.is_explicit, 'comment', nullif(a.comment, '')) ORDER BY a.id), '[]')
           FROM wpa.approval a JOIN wpa.principal g ON g.id = a.guardian_id WHERE a.patch_id = p.id AND a.digest = p.digest AND a.withdrawn_at IS NULL),
      'waivers', (SELECT coalesce(jsonb_agg(jsonb_build_object('check', w.check_id, 'name', g.name, 'reason', w.reason,
           'expires_at', wpa.api_time(w.expires_at)) ORDER BY w.id), '[]')
           FROM wpa.waiver w JOIN wpa.principal g ON g.id = w.guardian_id WHERE w.patch_id = p.id AND w.digest = p.digest AND w.withdrawn_at IS NULL),
      'deployment_config', p.plan || jsonb_build_object('changes', p.deployment_config),
      'rollback_config', p.rollback || p.rollback_config, 'confidence', p.confidence,
      'comments', (SELECT coalesce(jsonb_agg(jsonb_build_object('by', g.name, 'at', wpa.api_time(c.at), 'text', c.text) ORDER BY c.id), '[]')
           FROM wpa.comment c JOIN wpa.principal g ON g.id = c.principal_id WHERE c.subject = 'patch:' || p.id))
    FROM wpa.patch p WHERE p.id = patch_detail.patch_id $$;

-- ---- deployments ---------------------------------------------------------------------------------------
-- Points of score of a dimension after the deployment less those before it, mean of the workflows it changed
-- that have both; null where none has.
CREATE FUNCTION deployment_improvements(deployment_id bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('security', round(avg(h.security - b.security)::numeric, 2), 'performance', round(avg(h.performance - b.performance)::numeric, 2),
      'efficiency', round(avg(h.efficiency - b.efficiency)::numeric, 2), 'compatibility', round(avg(h.compatibility - b.compatibility)::numeric, 2),
      'quality', round(avg(h.quality - b.quality)::numeric, 2), 'total', round(avg(h.total - b.total)::numeric, 2))
    FROM wpa.deployment d
    JOIN wpa.deployment_target t ON t.deployment_id = d.id AND t.applied_at IS NOT NULL
    JOIN wpa.patch_edit e ON e.patch_id = d.patch_id AND e.repository_id = t.target_id
    JOIN wpa.workflow w ON w.repository_id = e.repository_id AND w.path = e.path
    JOIN LATERAL (SELECT * FROM wpa.health_history y WHERE y.workflow_id = w.id AND y.at <= t.applied_at ORDER BY y.at DESC LIMIT 1) b ON true
    JOIN LATERAL (SELECT * FROM wpa.health_history y WHERE y.workflow_id = w.id ORDER BY y.at DESC LIMIT 1) h ON w.analysed_at > t.applied_at
   WHERE d.id = deployment_improvements.deployment_id $$;

CREATE FUNCTION deployment_word(state text) RETURNS text LANGUAGE sql IMMUTABLE AS
 $$ SELECT CASE state WHEN 'succeeded' THEN 'success' WHEN 'planned' THEN 'in_progress' WHEN 'running' THEN 'in_progress'
      WHEN 'aborted' THEN 'failed' WHEN 'stuck' THEN 'failed' ELSE state END $$;

CREATE FUNCTION api_deployed(d deployment) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('patch_id', p.uid, 'patch_name', p.name, 'deployment_id', 'd-' || d.id, 'deployment_status', wpa.deployment_word(d.state),
      'reason', d.reason, 'deployment_time', wpa.api_time(coalesce(d.finished_at, d.started_at, d.created_at)),
      'impact_summary', jsonb_build_object(
         'deployment_duration_seconds', round(extract(epoch FROM coalesce(d.finished_at, clock_timestamp()) - coalesce(d.started_at, d.created_at)), 3),
         'downtime_seconds', (SELECT round(sum((x->>'possible_s')::numeric), 3) FROM jsonb_array_elements(d.summary->'downtime') x),
         'issues_resolved', f.gone, 'improvements', wpa.deployment_improvements(d.id)),
      'issues_fixed', f.list, 'rollback_available', v.can_roll_back)
    FROM wpa.patch p JOIN wpa.v_deployment v ON v.id = d.id
    CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE g.state = 'fixed') AS gone,
         coalesce(jsonb_agg(jsonb_build_object('id', 'f-' || g.id, 'rule', g.rule, 'message', g.message, 'state', g.state) ORDER BY g.rank DESC, g.id)
           FILTER (WHERE g.state IN ('fixed','verifying')), '[]') AS list
         FROM wpa.patch_finding x JOIN wpa.finding g ON g.id = x.finding_id WHERE x.patch_id = p.id) f
   WHERE p.id = d.patch_id $$;

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.api_author(wpa.principal), wpa.patch_detail(bigint), wpa.deployment_improvements(bigint), wpa.deployment_word(text),
    wpa.api_deployed(wpa.deployment) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.v_api_patch TO %I', r);
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.api_author(wpa.principal), wpa.patch_detail(bigint), wpa.deployment_improvements(bigint),
        wpa.deployment_word(text), wpa.api_deployed(wpa.deployment) TO %I', r);
    END IF;
  END LOOP;
END $$;
