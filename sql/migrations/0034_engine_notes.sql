-- What the engine says of a patch that it wrote stands apart from the words of whoever ordered it.
ALTER TABLE patch ADD COLUMN engine_notes text NOT NULL DEFAULT '';

-- Both, for whoever reads them as one.
CREATE FUNCTION patch_words(p patch) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p.engine_notes IN ('', p.description) THEN p.description ELSE p.description || E'\n\n' || p.engine_notes END $$;

CREATE OR REPLACE VIEW v_api_patch_detail AS
SELECT p.id AS key, wpa.api_plan(p.plan) || jsonb_build_object('changes', p.deployment_config) AS deployment_config, p.rollback || p.rollback_config AS rollback_config,
       p.diff, p.declares, p.notes AS "patch_content.notes", p.dependencies AS "patch_content.dependencies", p.configuration AS "patch_content.configuration",
       (SELECT coalesce(json_agg(json_build_object('id', f.uid, 'short_id', 'f-' || f.id, 'rule', f.rule, 'severity', f.severity, 'state', f.state,
           'message', f.message) ORDER BY f.rank DESC, f.id), '[]') FROM wpa.patch_finding x JOIN wpa.finding f ON f.id = x.finding_id WHERE x.patch_id = p.id) AS answers,
       (SELECT coalesce(json_agg(json_build_object('name', g.name, 'at', wpa.api_time(a.at), 'expires_at', wpa.api_time(a.expires_at),
           'is_explicit', a.is_explicit, 'comment', nullif(a.comment, '')) ORDER BY a.id), '[]')
           FROM wpa.approval a JOIN wpa.principal g ON g.id = a.guardian_id WHERE a.patch_id = p.id AND a.digest = p.digest AND a.withdrawn_at IS NULL) AS approved_by,
       (SELECT coalesce(json_agg(json_build_object('check', w.check_id, 'name', g.name, 'reason', w.reason,
           'expires_at', wpa.api_time(w.expires_at)) ORDER BY w.id), '[]')
           FROM wpa.waiver w JOIN wpa.principal g ON g.id = w.guardian_id WHERE w.patch_id = p.id AND w.digest = p.digest AND w.withdrawn_at IS NULL) AS waivers,
       p.confidence, wpa.api_comments('patch:' || p.id) AS comments, nullif(p.engine_notes, '') AS engine_notes
  FROM wpa.patch p;

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.patch_words(wpa.patch) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.patch_words(wpa.patch) TO %I', r);
    END IF;
  END LOOP;
END $$;
