-- Who has approved a patch is kept with its entry: fifty looks into two tables took as long as all the rest of a list.
-- approvers: whose approval of this content stands; outsiders: those among them who neither made nor ordered it;
-- first_end, last_end: when these approvals end. Before the first, and while all are guardians, that is all there is to count;
-- behind the last there is nothing.
ALTER TABLE patch_brief ADD COLUMN approvers bigint[], ADD COLUMN outsiders bigint[], ADD COLUMN first_end timestamptz, ADD COLUMN last_end timestamptz;

CREATE OR REPLACE FUNCTION patch_brief_make(first bigint, last bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO wpa.patch_brief AS b (patch_id, analysis_uid, target, names, files, findings, made_in, state, severity, has_approval, item, configs, detail, approvers, outsiders, first_end,
      last_end)
  SELECT p.id, a.uid, g.target, t.names, t.files, n.findings, pg_current_xact_id(), p.state, p.severity, v.approvers IS NOT NULL,
         row_to_json((SELECT i FROM (SELECT p.uid AS id, 'p-' || p.id AS short_id, p.name AS patch_name, p.patch_version, p.type AS patch_type, p.state AS status,
           p.reason, nullif(p.comment, '') AS comment, p.severity, p.revision, p.description, p.issue AS issue_identified, a.uid AS analysis_id,
           g.target AS target_workflow, t.names AS target_workflows, t.files AS files_modified, p.lines_added, p.lines_removed, n.findings,
           wpa.api_author(c) AS created_by, q.name AS requested_by, p.reviewed_by,
           (SELECT d.uid FROM wpa.deployment d WHERE d.patch_id = p.id ORDER BY d.id DESC LIMIT 1) AS deployment_id, encode(p.digest, 'hex') AS digest,
           wpa.api_time(p.created_at) AS created_at, wpa.api_time(p.tested_at) AS tested_at, wpa.api_time(p.updated_at) AS updated_at) i)),
         json_build_object('deployment_config', (p.plan - 'stages') || jsonb_build_object('changes', p.deployment_config),
           'rollback_config', (p.rollback - 'files') || p.rollback_config),
         row_to_json((SELECT i FROM (SELECT wpa.api_plan(p.plan) || jsonb_build_object('changes', p.deployment_config) AS deployment_config,
           p.rollback || p.rollback_config AS rollback_config, p.declares,
           json_build_object('notes', p.notes, 'dependencies', p.dependencies, 'configuration', p.configuration) AS patch_content, nullif(p.engine_notes, '') AS engine_notes,
           (SELECT coalesce(json_agg(json_build_object('name', y.name, 'at', wpa.api_time(x.at), 'expires_at', wpa.api_time(x.expires_at),
               'is_explicit', x.is_explicit, 'comment', nullif(x.comment, '')) ORDER BY x.id), '[]')
              FROM wpa.approval x JOIN wpa.principal y ON y.id = x.guardian_id WHERE x.patch_id = p.id AND x.digest = p.digest AND x.withdrawn_at IS NULL) AS approved_by,
           (SELECT coalesce(json_agg(json_build_object('check', x.check_id, 'name', y.name, 'reason', x.reason, 'expires_at', wpa.api_time(x.expires_at)) ORDER BY x.id), '[]')
              FROM wpa.waiver x JOIN wpa.principal y ON y.id = x.guardian_id WHERE x.patch_id = p.id AND x.digest = p.digest AND x.withdrawn_at IS NULL) AS waivers,
           p.confidence, wpa.api_comments('patch:' || p.id) AS comments,
           (SELECT jsonb_build_object('attempt', x.attempt, 'started_at', wpa.api_time(x.started_at), 'finished_at', wpa.api_time(x.finished_at)) || x.report
              FROM wpa.test_run x WHERE x.patch_id = p.id AND x.digest = p.digest AND x.state IN ('passed','failed','error') ORDER BY x.id DESC LIMIT 1) AS test_report) i)),
         v.approvers, v.outsiders, v.first_end, v.last_end
    FROM wpa.patch p JOIN wpa.principal c ON c.id = p.author_id LEFT JOIN wpa.principal q ON q.id = p.requester_id
    LEFT JOIN wpa.workflow_analysis a ON a.id = p.analysis_id
    CROSS JOIN LATERAL (SELECT coalesce(json_agg(e.name) FILTER (WHERE e.name IS NOT NULL), '[]') AS names,
           coalesce(json_agg(json_build_object('repository', e.repository, 'path', e.path)), '[]') AS files
           FROM (SELECT w.name, r.name AS repository, e.path FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id
                   LEFT JOIN wpa.workflow w ON w.repository_id = e.repository_id AND w.path = e.path WHERE e.patch_id = p.id ORDER BY r.name, e.path) e) t
    CROSS JOIN LATERAL (SELECT coalesce((SELECT w.name FROM wpa.workflow w WHERE w.id = coalesce(p.workflow_id, a.workflow_id)), t.names->>0) AS target) g
    CROSS JOIN LATERAL (SELECT array_agg(x.guardian_id) AS approvers,
           array_agg(x.guardian_id) FILTER (WHERE x.guardian_id <> p.author_id AND x.guardian_id IS DISTINCT FROM p.requester_id) AS outsiders,
           min(x.expires_at) AS first_end, max(x.expires_at) AS last_end FROM wpa.approval x WHERE x.patch_id = p.id AND x.digest = p.digest AND x.withdrawn_at IS NULL) v
    CROSS JOIN LATERAL (SELECT count(*) AS findings FROM wpa.patch_finding f WHERE f.patch_id = p.id) n
   WHERE p.id BETWEEN first AND last
  ON CONFLICT (patch_id) DO UPDATE SET analysis_uid = excluded.analysis_uid, target = excluded.target, names = excluded.names, files = excluded.files, findings = excluded.findings,
    made_in = excluded.made_in, state = excluded.state, severity = excluded.severity, has_approval = excluded.has_approval, item = excluded.item,
    configs = excluded.configs, detail = excluded.detail, approvers = excluded.approvers, outsiders = excluded.outsiders, first_end = excluded.first_end,
    last_end = excluded.last_end $$;

UPDATE patch_brief b SET approvers = v.approvers, outsiders = v.outsiders, first_end = v.first_end, last_end = v.last_end
  FROM (SELECT p.id, array_agg(x.guardian_id) AS approvers,
          array_agg(x.guardian_id) FILTER (WHERE x.guardian_id <> p.author_id AND x.guardian_id IS DISTINCT FROM p.requester_id) AS outsiders,
          min(x.expires_at) AS first_end, max(x.expires_at) AS last_end FROM patch p JOIN approval x ON x.patch_id = p.id AND x.digest = p.digest AND x.withdrawn_at IS NULL GROUP BY p.id) v
 WHERE v.id = b.patch_id;
