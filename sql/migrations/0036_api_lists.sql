-- Lists of the REST API without a look elsewhere for each of their rows: on its way down an index the database is slower than
-- with all that it reads and says of fifty rows. So a page is the rows themselves, not their ids; a patch's entry is kept as
-- it is told; a finding knows the names of where it was found, and whether a patch was ever made for it.

-- ---- findings ----------------------------------------------------------------------------------------
-- Written with the finding; NULL: to be looked up (rows from before, or when a name has changed).
ALTER TABLE finding ADD COLUMN repository text, ADD COLUMN workflow_name text, ADD COLUMN had_patch boolean NOT NULL DEFAULT false;

ALTER TABLE finding DISABLE TRIGGER USER;
UPDATE finding f SET had_patch = true WHERE EXISTS (SELECT FROM patch_finding x WHERE x.finding_id = f.id);
ALTER TABLE finding ENABLE TRIGGER USER;

-- The newest patch of a finding is the last entry of its.
CREATE INDEX patch_of_finding ON patch_finding (finding_id, patch_id);
DROP INDEX patch_finding_back;

CREATE OR REPLACE FUNCTION patch_finding_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE wpa.finding SET state = CASE state WHEN 'open' THEN 'in_patch' ELSE state END, had_patch = true
   WHERE id = NEW.finding_id AND (state = 'open' OR NOT had_patch);
  UPDATE wpa.workflow_analysis a SET status='patched' FROM wpa.finding f
   WHERE f.id=NEW.finding_id AND a.id=f.analysis_id AND a.status IN ('new','reviewed');
  RETURN NULL;
END $$;

CREATE FUNCTION finding_names_forget() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog, pg_temp AS $$
BEGIN
  IF TG_TABLE_NAME = 'workflow' THEN
    UPDATE wpa.finding SET workflow_name = NULL WHERE workflow_id = NEW.id;
  ELSE
    UPDATE wpa.finding f SET repository = NULL FROM wpa.workflow w WHERE w.repository_id = NEW.id AND f.workflow_id = w.id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER finding_names_forget AFTER UPDATE OF name ON workflow FOR EACH ROW WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION finding_names_forget();
CREATE TRIGGER finding_names_forget AFTER UPDATE OF name ON repository FOR EACH ROW WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION finding_names_forget();

CREATE OR REPLACE VIEW v_api_finding AS
SELECT f.id AS key, f.version, 'wpa.finding/1' AS schema, f.uid AS id, 'f-' || f.id AS short_id, f.fingerprint, f.rule, f.code, f.check_name AS "check",
       f.dimension, f.kind, f.severity, f.confidence, f.persona, f.state, f.message, r.name AS repository, w.name AS workflow_name, f.path,
       f.start_line AS "span.start.line", f.start_column AS "span.start.column", f.end_line AS "span.end.line", f.end_column AS "span.end.column",
       ARRAY[f.start_byte, f.end_byte] AS "span.bytes", f.related, f.structure, f.aliases, f.help, f.data, f.fixes, f.fixes <> '[]' AS has_fix,
       (SELECT p.uid FROM wpa.patch_finding x JOIN wpa.patch p ON p.id = x.patch_id WHERE x.finding_id = f.id AND p.state NOT IN ('failed','rolled_back')
         ORDER BY x.patch_id DESC LIMIT 1) AS patch_id,
       CASE WHEN f.ignored_by IS NOT NULL THEN json_build_object('by', (SELECT g.name FROM wpa.principal g WHERE g.id = f.ignored_by),
         'reason', f.ignored_reason, 'until', wpa.api_time(f.ignored_until)) END AS ignored, f.first_seen, f.last_seen, f.fixed_at
  FROM wpa.finding f JOIN wpa.workflow w ON w.id = f.workflow_id JOIN wpa.repository r ON r.id = w.repository_id;

-- As api_page_findings, which gave ids.
CREATE FUNCTION api_findings_page(before bigint, n bigint, workflow bigint, of_repository text, wanted_state text, wanted_severity text, wanted_dimension text,
    wanted_kind text, wanted_rule text, wanted_fix boolean, part text, terms jsonb) RETURNS SETOF finding
  LANGUAGE plpgsql STABLE ROWS 50 SET plan_cache_mode = force_generic_plan AS $$
DECLARE top bigint := coalesce(before, 9223372036854775807);
  of_workflows bigint[];
BEGIN
  IF num_nonnulls(wanted_kind, wanted_fix, part, terms) > 0 OR num_nonnulls(workflow, of_repository, wanted_state, wanted_severity, wanted_dimension, wanted_rule) > 1 THEN
    RETURN QUERY SELECT f.* FROM wpa.finding f WHERE f.id = ANY(wpa.api_page_findings_by(before, n, workflow, of_repository, wanted_state, wanted_severity,
        wanted_dimension, wanted_kind, wanted_rule, wanted_fix, part, terms)) ORDER BY f.id DESC;
  ELSIF wanted_severity IS NOT NULL THEN
    RETURN QUERY SELECT f.* FROM wpa.finding f WHERE f.state IN ('open','in_patch','verifying') AND f.persona = 'default'
      AND (f.severity, f.id) < (wanted_severity, top) AND f.severity >= wanted_severity ORDER BY f.severity DESC, f.id DESC LIMIT n;
  ELSIF wanted_dimension IS NOT NULL THEN
    RETURN QUERY SELECT f.* FROM wpa.finding f WHERE f.state IN ('open','in_patch','verifying') AND f.persona = 'default'
      AND (f.dimension, f.id) < (wanted_dimension, top) AND f.dimension >= wanted_dimension ORDER BY f.dimension DESC, f.id DESC LIMIT n;
  ELSIF wanted_rule IS NOT NULL THEN
    RETURN QUERY SELECT f.* FROM wpa.finding f WHERE f.state IN ('open','in_patch','verifying') AND f.persona = 'default'
      AND (f.rule, f.id) < (wanted_rule, top) AND f.rule >= wanted_rule ORDER BY f.rule DESC, f.id DESC LIMIT n;
  ELSIF wanted_state IS NOT NULL THEN
    RETURN QUERY SELECT f.* FROM wpa.finding f WHERE (f.state, f.id) < (wanted_state, top) AND f.state >= wanted_state ORDER BY f.state DESC, f.id DESC LIMIT n;
  ELSIF workflow IS NULL AND of_repository IS NULL THEN
    RETURN QUERY SELECT f.* FROM wpa.finding f WHERE f.state IN ('open','in_patch','verifying') AND f.persona = 'default' AND f.id < top ORDER BY f.id DESC LIMIT n;
  ELSE
    of_workflows := CASE WHEN workflow IS NOT NULL THEN ARRAY[workflow]
      ELSE ARRAY(SELECT w.id FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id WHERE r.name = of_repository) END;
    RETURN QUERY SELECT g.* FROM wpa.finding g WHERE g.id = ANY(ARRAY(SELECT y.id FROM unnest(of_workflows) u(id) CROSS JOIN LATERAL
       (SELECT f.id FROM wpa.finding f WHERE f.workflow_id = u.id AND f.state IN ('open','in_patch','verifying') AND f.persona = 'default' AND f.id < top
         ORDER BY f.id DESC LIMIT n) y ORDER BY y.id DESC LIMIT n)) ORDER BY g.id DESC;
  END IF;
END $$;
DROP FUNCTION api_page_findings(bigint, bigint, bigint, text, text, text, text, text, text, boolean, text, jsonb);

-- ---- patches -----------------------------------------------------------------------------------------
-- The whole entry of a list but for its approvals, which end with time; has_approval: there may be some.
ALTER TABLE patch_brief ADD COLUMN state text, ADD COLUMN severity text, ADD COLUMN item json, ADD COLUMN has_approval boolean NOT NULL DEFAULT false;

CREATE OR REPLACE FUNCTION patch_brief_make(first bigint, last bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO wpa.patch_brief AS b (patch_id, analysis_uid, target, names, files, findings, made_in, state, severity, has_approval, item)
  SELECT p.id, a.uid, g.target, t.names, t.files, n.findings, pg_current_xact_id(), p.state, p.severity,
         EXISTS (SELECT FROM wpa.approval x WHERE x.patch_id = p.id AND x.digest = p.digest AND x.withdrawn_at IS NULL),
         row_to_json((SELECT i FROM (SELECT p.uid AS id, 'p-' || p.id AS short_id, p.name AS patch_name, p.patch_version, p.type AS patch_type, p.state AS status,
           p.reason, nullif(p.comment, '') AS comment, p.severity, p.revision, p.description, p.issue AS issue_identified, a.uid AS analysis_id,
           g.target AS target_workflow, t.names AS target_workflows, t.files AS files_modified, p.lines_added, p.lines_removed, n.findings,
           wpa.api_author(c) AS created_by, q.name AS requested_by, p.reviewed_by,
           (p.plan - 'stages') || jsonb_build_object('changes', p.deployment_config) AS deployment_config, (p.rollback - 'files') || p.rollback_config AS rollback_config,
           (SELECT d.uid FROM wpa.deployment d WHERE d.patch_id = p.id ORDER BY d.id DESC LIMIT 1) AS deployment_id, encode(p.digest, 'hex') AS digest,
           wpa.api_time(p.created_at) AS created_at, wpa.api_time(p.tested_at) AS tested_at, wpa.api_time(p.updated_at) AS updated_at) i))
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
    made_in = excluded.made_in, state = excluded.state, severity = excluded.severity, has_approval = excluded.has_approval, item = excluded.item $$;

-- At the end of a transaction, once for each patch of it. Whoever else changes something of the same patch waits before he
-- looks, and so sees it.
CREATE OR REPLACE FUNCTION patch_brief_keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog, pg_temp AS $$
DECLARE changed bigint;
  has_made boolean;
BEGIN
  IF TG_TABLE_NAME = 'patch' THEN changed := NEW.id; ELSE changed := coalesce(NEW.patch_id, OLD.patch_id); END IF;
  SELECT b.made_in = pg_current_xact_id() INTO has_made FROM wpa.patch_brief b WHERE b.patch_id = changed FOR UPDATE;
  IF has_made IS NOT TRUE THEN
    PERFORM wpa.patch_brief_make(changed, changed);
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER patch_brief_keep AFTER INSERT OR UPDATE ON patch DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION patch_brief_keep();
CREATE CONSTRAINT TRIGGER patch_brief_keep AFTER INSERT OR UPDATE ON approval DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION patch_brief_keep();
CREATE CONSTRAINT TRIGGER patch_brief_keep AFTER INSERT ON deployment DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION patch_brief_keep();

SELECT patch_brief_make(0, 9223372036854775807);
ALTER TABLE patch_brief ALTER COLUMN state SET NOT NULL, ALTER COLUMN severity SET NOT NULL, ALTER COLUMN item SET NOT NULL;
CREATE INDEX patch_brief_state ON patch_brief (state, patch_id);
CREATE INDEX patch_brief_both ON patch_brief ((state || '/' || severity), patch_id);
CREATE INDEX patch_brief_severity ON patch_brief (severity, patch_id);

CREATE FUNCTION api_patches_page(before bigint, n bigint, workflow bigint, wanted_state text, wanted_severity text) RETURNS SETOF patch_brief
  LANGUAGE plpgsql STABLE ROWS 50 SET plan_cache_mode = force_generic_plan AS $$
DECLARE top bigint := coalesce(before, 9223372036854775807);
BEGIN
  IF workflow IS NULL AND wanted_state IS NOT NULL AND wanted_severity IS NOT NULL THEN
    RETURN QUERY SELECT b.* FROM wpa.patch_brief b WHERE (b.state || '/' || b.severity, b.patch_id) < (wanted_state || '/' || wanted_severity, top)
      AND b.state || '/' || b.severity >= wanted_state || '/' || wanted_severity ORDER BY b.state || '/' || b.severity DESC, b.patch_id DESC LIMIT n;
  ELSIF num_nonnulls(workflow, wanted_state, wanted_severity) > 1 THEN
    RETURN QUERY SELECT b.* FROM wpa.patch_brief b WHERE b.patch_id = ANY(wpa.api_page_patches_by(before, n, workflow, wanted_state, wanted_severity)) ORDER BY b.patch_id DESC;
  ELSIF wanted_state IS NOT NULL THEN
    RETURN QUERY SELECT b.* FROM wpa.patch_brief b WHERE (b.state, b.patch_id) < (wanted_state, top) AND b.state >= wanted_state
      ORDER BY b.state DESC, b.patch_id DESC LIMIT n;
  ELSIF wanted_severity IS NOT NULL THEN
    RETURN QUERY SELECT b.* FROM wpa.patch_brief b WHERE (b.severity, b.patch_id) < (wanted_severity, top) AND b.severity >= wanted_severity
      ORDER BY b.severity DESC, b.patch_id DESC LIMIT n;
  ELSIF workflow IS NOT NULL THEN
    RETURN QUERY SELECT b.* FROM wpa.patch_brief b WHERE b.patch_id = ANY(ARRAY(SELECT DISTINCT e.patch_id FROM wpa.workflow w
      JOIN wpa.patch_edit e ON e.repository_id = w.repository_id AND e.path = w.path WHERE w.id = workflow AND e.patch_id < top ORDER BY e.patch_id DESC LIMIT n))
      ORDER BY b.patch_id DESC;
  ELSE
    RETURN QUERY SELECT b.* FROM wpa.patch_brief b WHERE b.patch_id < top ORDER BY b.patch_id DESC LIMIT n;
  END IF;
END $$;
DROP FUNCTION api_page_patches(bigint, bigint, bigint, text, text);

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.finding_names_forget(), wpa.api_patches_page(bigint, bigint, bigint, text, text),
    wpa.api_findings_page(bigint, bigint, bigint, text, text, text, text, text, text, boolean, text, jsonb) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.patch_brief TO %I', r);
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.api_patches_page(bigint, bigint, bigint, text, text),
        wpa.api_findings_page(bigint, bigint, bigint, text, text, text, text, text, text, boolean, text, jsonb) TO %I', r);
    END IF;
  END LOOP;
END $$;
