-- One patch without a look into ten tables: what is told of it beside its diff, the findings that it answers and the number of
-- approvals that count is kept as it is told, as its entry of a list is. And the report of its last test, which was not told.

-- configs: the two configurations as a list tells them; detail: all that a list does not tell, the two as a whole among it.
-- An entry stays readable as it is: what is long enough to be compressed is the detail.
ALTER TABLE patch_brief ADD COLUMN configs json, ADD COLUMN detail json;
ALTER TABLE patch_brief ALTER COLUMN item SET STORAGE MAIN, ALTER COLUMN configs SET STORAGE MAIN;

CREATE OR REPLACE FUNCTION patch_brief_make(first bigint, last bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO wpa.patch_brief AS b (patch_id, analysis_uid, target, names, files, findings, made_in, state, severity, has_approval, item, configs, detail)
  SELECT p.id, a.uid, g.target, t.names, t.files, n.findings, pg_current_xact_id(), p.state, p.severity,
         EXISTS (SELECT FROM wpa.approval x WHERE x.patch_id = p.id AND x.digest = p.digest AND x.withdrawn_at IS NULL),
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
              FROM wpa.test_run x WHERE x.patch_id = p.id AND x.digest = p.digest AND x.state IN ('passed','failed','error') ORDER BY x.id DESC LIMIT 1) AS test_report) i))
    FROM wpa.patch p JOIN wpa.principal c ON c.id = p.author_id LEFT JOIN wpa.principal q ON q.id = p.requester_id
    LEFT JOIN wpa.workflow_analysis a ON a.id = p.analysis_id
    CROSS JOIN LATERAL (SELECT coalesce(json_agg(e.name) FILTER (WHERE e.name IS NOT NULL), '[]') AS names,
           coalesce(json_agg(json_build_object('repository', e.repository, 'path', e.path)), '[]') AS files
           FROM (SELECT w.name, r.name AS repository, e.path FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id
                   LEFT JOIN wpa.workflow w ON w.repository_id = e.repository_id AND w.path = e.path WHERE e.patch_id = p.id ORDER BY r.name, e.path) e) t
    CROSS JOIN LATERAL (SELECT coalesce((SELECT w.name FROM wpa.workflow w WHERE w.id = coalesce(p.workflow_id, a.workflow_id)), t.names->>0) AS target) g
    CROSS JOIN LATERAL (SELECT count(*) AS findings FROM wpa.patch_finding f WHERE f.patch_id = p.id) n
   WHERE p.id BETWEEN first AND last
  ON CONFLICT (patch_id) DO UPDATE SET analysis_uid = excluded.analysis_uid, target = excluded.target, names = excluded.names, files = excluded.files, findings = excluded.findings,
    made_in = excluded.made_in, state = excluded.state, severity = excluded.severity, has_approval = excluded.has_approval, item = excluded.item,
    configs = excluded.configs, detail = excluded.detail $$;

-- A comment names what it is about; the others say which patch.
CREATE FUNCTION patch_brief_comment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog, pg_temp AS $$
DECLARE changed bigint := substr(NEW.subject, 7)::bigint;
  has_made boolean;
BEGIN
  SELECT b.made_in = pg_current_xact_id() INTO has_made FROM wpa.patch_brief b WHERE b.patch_id = changed FOR UPDATE;
  IF has_made IS NOT TRUE THEN
    PERFORM wpa.patch_brief_make(changed, changed);
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER patch_brief_comment AFTER INSERT OR UPDATE ON comment DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.subject ~ '^patch:[0-9]{1,18}$') EXECUTE FUNCTION patch_brief_comment();
CREATE CONSTRAINT TRIGGER patch_brief_keep AFTER INSERT OR UPDATE ON waiver DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION patch_brief_keep();
CREATE CONSTRAINT TRIGGER patch_brief_keep AFTER UPDATE ON test_run DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION patch_brief_keep();

-- A name that changes stands in the entries of many patches.
CREATE FUNCTION patch_brief_rename() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog, pg_temp AS $$
BEGIN
  IF TG_TABLE_NAME = 'repository' THEN
    PERFORM wpa.patch_brief_make(x.id, x.id) FROM (SELECT DISTINCT e.patch_id AS id FROM wpa.patch_edit e WHERE e.repository_id = NEW.id) x;
  ELSE
    PERFORM wpa.patch_brief_make(x.id, x.id) FROM (SELECT e.patch_id AS id FROM wpa.patch_edit e WHERE e.repository_id = NEW.repository_id AND e.path = NEW.path
      UNION SELECT p.id FROM wpa.patch p LEFT JOIN wpa.workflow_analysis a ON a.id = p.analysis_id WHERE coalesce(p.workflow_id, a.workflow_id) = NEW.id) x;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER patch_brief_rename AFTER UPDATE OF name ON workflow FOR EACH ROW WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION patch_brief_rename();
CREATE TRIGGER patch_brief_rename AFTER UPDATE OF name ON repository FOR EACH ROW WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION patch_brief_rename();

SELECT patch_brief_make(0, 9223372036854775807);
ALTER TABLE patch_brief ALTER COLUMN configs SET NOT NULL, ALTER COLUMN detail SET NOT NULL;
DROP VIEW v_api_patch, v_api_patch_detail;

REVOKE ALL ON FUNCTION wpa.patch_brief_comment(), wpa.patch_brief_rename() FROM PUBLIC;
