-- What the REST API answers, as JSON that the database makes: one view for each resource, its item in
-- the field names of the interface.

ALTER TABLE workflow_analysis ADD COLUMN rules_run int;

CREATE FUNCTION api_time(t timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS
 $$ SELECT CASE WHEN isfinite(t) THEN to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END $$;

CREATE FUNCTION finding_record(f finding, repository text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('schema', 'wpa.finding/1', 'id', 'f-' || f.id, 'fingerprint', f.fingerprint, 'rule', f.rule, 'code', f.code,
    'check', f.check_name, 'dimension', f.dimension, 'kind', f.kind, 'severity', f.severity, 'confidence', f.confidence,
    'persona', f.persona, 'state', f.state, 'message', f.message, 'repository', repository, 'path', f.path,
    'span', jsonb_build_object('start', jsonb_build_object('line', f.start_line, 'column', f.start_column),
                               'end', jsonb_build_object('line', f.end_line, 'column', f.end_column),
                               'bytes', jsonb_build_array(f.start_byte, f.end_byte)),
    'related', f.related, 'structure', f.structure, 'aliases', f.aliases, 'help', f.help, 'data', f.data, 'fixes', f.fixes) $$;

-- Findings that stood when an analysis ended: seen by then, and not gone before.
CREATE FUNCTION analysis_findings(a workflow_analysis) RETURNS SETOF finding LANGUAGE sql STABLE ROWS 50 AS $$
  SELECT f.* FROM wpa.finding f
   WHERE f.workflow_id = a.workflow_id AND f.persona = 'default' AND f.state NOT IN ('ignored','baseline')
     AND (a.dimension = 'all' OR f.dimension = a.dimension)
     AND f.first_seen <= coalesce(a.finished_at, 'infinity') AND (f.fixed_at IS NULL OR f.fixed_at > a.finished_at) $$;

CREATE VIEW v_api_analysis AS
SELECT a.id, a.uid, a.workflow_id, a.status, a.job_id,
       jsonb_build_object('id', a.uid, 'short_id', 'a-' || a.id, 'workflow_name', w.name, 'analysis_type', a.dimension,
         'metrics', jsonb_build_object('files', 1, 'rules_run', a.rules_run, 'duration_ms', a.duration_ms, 'findings_new', a.findings_new,
           'findings_fixed', a.findings_fixed, 'is_complete', a.is_complete, 'findings_by_severity', s.counts,
           'score', round((SELECT y.total FROM wpa.health_history y WHERE y.workflow_id = a.workflow_id AND y.at <= a.finished_at + interval '1 second'
                            ORDER BY y.at DESC LIMIT 1)::numeric, 1)),
         'severity', s.worst, 'status', a.status, 'error', a.error, 'analyzed_by', 'WorkflowPatchAgent', 'requested_by', q.name,
         'reviewed_by', v.name, 'created_at', wpa.api_time(a.started_at), 'finished_at', wpa.api_time(a.finished_at)) AS item
  FROM wpa.workflow_analysis a JOIN wpa.workflow w ON w.id = a.workflow_id
  LEFT JOIN wpa.principal q ON q.id = a.requested_by LEFT JOIN wpa.principal v ON v.id = a.reviewed_by
  CROSS JOIN LATERAL (SELECT jsonb_build_object('critical', count(*) FILTER (WHERE f.severity = 'critical'), 'high', count(*) FILTER (WHERE f.severity = 'high'),
         'medium', count(*) FILTER (WHERE f.severity = 'medium'), 'low', count(*) FILTER (WHERE f.severity = 'low')) AS counts,
         coalesce((array_agg(f.severity ORDER BY array_position(ARRAY['critical','high','medium','low'], f.severity)))[1], 'low') AS worst
         FROM wpa.analysis_findings(a) f) s;

-- Its findings by kind, and for each rule that fired how many, whether there is a fix, and the points that the
-- score says would be won back.
CREATE FUNCTION analysis_detail(analysis_id bigint) RETURNS TABLE (findings jsonb, recommendations jsonb) LANGUAGE sql STABLE AS $$
  WITH a AS (SELECT x.* FROM wpa.workflow_analysis x WHERE x.id = analysis_id),
  f AS (SELECT (g).*, r.name AS repository_name, g AS whole FROM a CROSS JOIN LATERAL wpa.analysis_findings(a::wpa.workflow_analysis) g
          JOIN wpa.workflow w ON w.id = a.workflow_id JOIN wpa.repository r ON r.id = w.repository_id),
  p AS (SELECT (l->>'finding')::bigint AS id, (l->>'points')::float8 AS points FROM a JOIN wpa.health h ON h.workflow_id = a.workflow_id
          CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(h.explanation) WHEN 'array' THEN h.explanation ELSE '[]' END) l)
  SELECT jsonb_build_object(
      'issues', coalesce((SELECT jsonb_agg(wpa.finding_record(f.whole, f.repository_name) ORDER BY f.rank DESC, f.start_byte, f.id) FROM f WHERE f.kind = 'issue'), '[]'),
      'inefficiencies', coalesce((SELECT jsonb_agg(wpa.finding_record(f.whole, f.repository_name) ORDER BY f.rank DESC, f.start_byte, f.id) FROM f WHERE f.kind = 'inefficiency'), '[]'),
      'opportunities', coalesce((SELECT jsonb_agg(wpa.finding_record(f.whole, f.repository_name) ORDER BY f.rank DESC, f.start_byte, f.id) FROM f WHERE f.kind = 'opportunity'), '[]')),
    coalesce((SELECT jsonb_agg(jsonb_build_object('rule', x.rule, 'findings', x.n, 'has_fix', x.has_fix, 'points', x.points)
                ORDER BY x.points DESC NULLS LAST, x.rank DESC, x.rule)
       FROM (SELECT f.rule, max(f.rank) AS rank, count(*) AS n, bool_or(jsonb_array_length(f.fixes) > 0) AS has_fix, round(sum(p.points)::numeric, 2) AS points
               FROM f LEFT JOIN p ON p.id = f.id GROUP BY f.rule) x), '[]') $$;

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.api_time(timestamptz), wpa.finding_record(wpa.finding, text), wpa.analysis_findings(wpa.workflow_analysis), wpa.analysis_detail(bigint) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.v_api_analysis TO %I', r);
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.api_time(timestamptz), wpa.finding_record(wpa.finding, text),
        wpa.analysis_findings(wpa.workflow_analysis), wpa.analysis_detail(bigint) TO %I', r);
    END IF;
  END LOOP;
END $$;
