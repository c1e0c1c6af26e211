-- What a list of patches says beside a patch's own row and stays as it is once it is made: kept by triggers, since looking it
-- up in five tables for each of fifty patches costs more than all the rest.

-- The workflow that its order names, which it need not change.
ALTER TABLE patch ADD COLUMN workflow_id bigint REFERENCES workflow;

CREATE TABLE patch_brief (
  patch_id bigint PRIMARY KEY REFERENCES patch, analysis_uid uuid, target text, names json NOT NULL, files json NOT NULL, findings bigint NOT NULL,
  made_in xid8 NOT NULL);

-- For the patches from one id to another.
CREATE FUNCTION patch_brief_make(first bigint, last bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO wpa.patch_brief AS b (patch_id, analysis_uid, target, names, files, findings, made_in)
  SELECT p.id, a.uid, coalesce((SELECT w.name FROM wpa.workflow w WHERE w.id = coalesce(p.workflow_id, a.workflow_id)), t.names->>0), t.names, t.files,
         (SELECT count(*) FROM wpa.patch_finding f WHERE f.patch_id = p.id), pg_current_xact_id()
    FROM wpa.patch p LEFT JOIN wpa.workflow_analysis a ON a.id = p.analysis_id
    CROSS JOIN LATERAL (SELECT coalesce(json_agg(e.name) FILTER (WHERE e.name IS NOT NULL), '[]') AS names,
           coalesce(json_agg(json_build_object('repository', e.repository, 'path', e.path)), '[]') AS files
           FROM (SELECT w.name, r.name AS repository, e.path FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id
                   LEFT JOIN wpa.workflow w ON w.repository_id = e.repository_id AND w.path = e.path WHERE e.patch_id = p.id ORDER BY r.name, e.path) e) t
   WHERE p.id BETWEEN first AND last
  ON CONFLICT (patch_id) DO UPDATE SET analysis_uid = excluded.analysis_uid, target = excluded.target, names = excluded.names, files = excluded.files, findings = excluded.findings,
    made_in = excluded.made_in $$;

-- At the end of a transaction, once for each patch of it.
CREATE FUNCTION patch_brief_keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog, pg_temp AS $$
DECLARE changed bigint := coalesce(NEW.patch_id, OLD.patch_id);
BEGIN
  IF NOT EXISTS (SELECT FROM wpa.patch_brief b WHERE b.patch_id = changed AND b.made_in = pg_current_xact_id()) THEN
    PERFORM wpa.patch_brief_make(changed, changed);
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER patch_brief_keep AFTER INSERT OR UPDATE OR DELETE ON patch_edit DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION patch_brief_keep();
CREATE CONSTRAINT TRIGGER patch_brief_keep AFTER INSERT OR DELETE ON patch_finding DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION patch_brief_keep();

-- A file that a patch has made becomes a workflow with a name when it is scanned.
CREATE FUNCTION patch_brief_name() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog, pg_temp AS $$
BEGIN
  PERFORM wpa.patch_brief_make(e.patch_id, e.patch_id) FROM wpa.patch_edit e WHERE e.repository_id = NEW.repository_id AND e.path = NEW.path;
  RETURN NULL;
END $$;
CREATE TRIGGER patch_brief_name AFTER INSERT ON workflow FOR EACH ROW EXECUTE FUNCTION patch_brief_name();

SELECT patch_brief_make(0, 9223372036854775807);

CREATE OR REPLACE VIEW v_api_patch AS
SELECT p.id AS key, p.version, p.uid AS id, 'p-' || p.id AS short_id, p.name AS patch_name, p.patch_version, p.type AS patch_type, p.state AS status, p.reason,
       nullif(p.comment, '') AS comment, p.severity, p.revision, p.description, p.issue AS issue_identified, b.analysis_uid AS analysis_id,
       b.target AS target_workflow, coalesce(b.names, '[]') AS target_workflows, coalesce(b.files, '[]') AS files_modified, p.lines_added, p.lines_removed,
       coalesce(b.findings, 0) AS findings, wpa.api_author(c) AS created_by, q.name AS requested_by, p.reviewed_by,
       -- as valid_approvals counts them, but part of the query: a call for each row costs more than all the rest
       (SELECT count(DISTINCT x.guardian_id) FROM wpa.approval x JOIN wpa.principal g ON g.id = x.guardian_id AND g.role = 'guardian' AND g.active
         WHERE x.patch_id = p.id AND x.digest = p.digest AND x.withdrawn_at IS NULL AND x.expires_at > statement_timestamp()
           AND (n.need < 2 OR (x.guardian_id <> p.author_id AND x.guardian_id IS DISTINCT FROM p.requester_id))) AS approvals, n.need AS approvals_required,
       (p.plan - 'stages') || jsonb_build_object('changes', p.deployment_config) AS deployment_config,
       (p.rollback - 'files') || p.rollback_config AS rollback_config,
       (SELECT d.uid FROM wpa.deployment d WHERE d.patch_id = p.id ORDER BY d.id DESC LIMIT 1) AS deployment_id,
       encode(p.digest, 'hex') AS digest, p.created_at, p.tested_at, p.updated_at
  FROM wpa.patch p JOIN wpa.principal c ON c.id = p.author_id LEFT JOIN wpa.principal q ON q.id = p.requester_id
  LEFT JOIN wpa.patch_brief b ON b.patch_id = p.id
  CROSS JOIN LATERAL (SELECT coalesce((SELECT value::bigint FROM wpa.setting WHERE key = 'approvals_required'), 1) AS need) n;

REVOKE ALL ON FUNCTION wpa.patch_brief_make(bigint, bigint), wpa.patch_brief_keep(), wpa.patch_brief_name() FROM PUBLIC;
