-- The record of a finding is text from the beginning, which costs half of what jsonb does; what the API adds stands behind it.

DROP VIEW v_api_finding;
DROP FUNCTION finding_record(finding, text);
CREATE FUNCTION finding_record(f finding, repository text) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('schema', 'wpa.finding/1', 'id', 'f-' || f.id, 'fingerprint', f.fingerprint, 'rule', f.rule, 'code', f.code,
    'check', f.check_name, 'dimension', f.dimension, 'kind', f.kind, 'severity', f.severity, 'confidence', f.confidence,
    'persona', f.persona, 'state', f.state, 'message', f.message, 'repository', repository, 'path', f.path,
    'span', json_build_object('start', json_build_object('line', f.start_line, 'column', f.start_column),
                              'end', json_build_object('line', f.end_line, 'column', f.end_column),
                              'bytes', json_build_array(f.start_byte, f.end_byte)),
    'related', f.related, 'structure', f.structure, 'aliases', f.aliases, 'help', f.help, 'data', f.data, 'fixes', f.fixes) $$;
CREATE VIEW v_api_finding AS
SELECT f.id, f.version, f.state, f.severity, f.dimension, f.kind, f.rule, f.code, f.persona, f.workflow_id, w.repository_id, f.message, f.fixes,
       left(wpa.finding_record(f, r.name)::text, -1) || ', ' || substr(json_build_object('workflow_name', w.name, 'first_seen', wpa.api_time(f.first_seen),
         'last_seen', wpa.api_time(f.last_seen), 'fixed_at', wpa.api_time(f.fixed_at), 'has_fix', jsonb_array_length(f.fixes) > 0,
         'patch_id', (SELECT 'p-' || max(x.patch_id) FROM wpa.patch_finding x JOIN wpa.patch p ON p.id = x.patch_id
                       WHERE x.finding_id = f.id AND p.state NOT IN ('failed','rolled_back')),
         'ignored', CASE WHEN f.ignored_by IS NOT NULL THEN json_build_object('by', g.name, 'reason', f.ignored_reason, 'until', wpa.api_time(f.ignored_until)) END)::text, 2) AS item
  FROM wpa.finding f JOIN wpa.workflow w ON w.id = f.workflow_id JOIN wpa.repository r ON r.id = w.repository_id LEFT JOIN wpa.principal g ON g.id = f.ignored_by;

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.finding_record(wpa.finding, text) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.v_api_finding TO %I', r);
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.finding_record(wpa.finding, text) TO %I', r);
    END IF;
  END LOOP;
END $$;
