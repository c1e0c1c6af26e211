-- Lists of the REST API that stay fast when they are long: an index for what each is filtered by, and
-- pages in two steps. First the ids of a page, planned for the filters that are given; then what is
-- told about these few, by a plan that is kept.

CREATE INDEX finding_shown ON finding (id DESC) WHERE state IN ('open','in_patch','verifying') AND persona = 'default';
CREATE INDEX finding_shown_severity ON finding (severity, id DESC) WHERE state IN ('open','in_patch','verifying') AND persona = 'default';
CREATE INDEX finding_shown_dimension ON finding (dimension, id DESC) WHERE state IN ('open','in_patch','verifying') AND persona = 'default';
CREATE INDEX finding_of_workflow ON finding (workflow_id, id DESC);
CREATE INDEX finding_state ON finding (state, id DESC);
CREATE INDEX patch_severity ON patch (severity, id DESC);
CREATE INDEX patch_edit_of ON patch_edit (repository_id, path, patch_id);
CREATE INDEX analysis_status ON workflow_analysis (status, id DESC);
CREATE INDEX deployment_of ON deployment (patch_id, id DESC);
CREATE INDEX deployment_state ON deployment (state, id DESC);
CREATE INDEX audit_actor ON audit (actor, seq DESC);
CREATE INDEX audit_action ON audit (action, seq DESC);
CREATE INDEX notice_level ON notice (level, id DESC);

-- Stable, as to_char is: only so it is made part of the queries that call it.
CREATE OR REPLACE FUNCTION api_time(t timestamptz) RETURNS text LANGUAGE sql STABLE AS
 $$ SELECT CASE WHEN isfinite(t) THEN to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END $$;

CREATE OR REPLACE VIEW v_api_patch AS
SELECT p.id, p.uid, p.version, p.state, p.severity,
       jsonb_build_object('id', p.uid, 'short_id', 'p-' || p.id, 'patch_name', p.name, 'patch_version', p.patch_version, 'patch_type', p.type,
         'status', p.state, 'reason', p.reason, 'comment', nullif(p.comment, ''), 'severity', p.severity, 'revision', p.revision,
         'description', p.description, 'issue_identified', p.issue, 'analysis_id', a.uid,
         'target_workflow', t.names->0, 'target_workflows', t.names, 'files_modified', t.files,
         'lines_added', p.lines_added, 'lines_removed', p.lines_removed,
         'findings', (SELECT count(*) FROM wpa.patch_finding f WHERE f.patch_id = p.id),
         'created_by', wpa.api_author(c), 'requested_by', q.name, 'reviewed_by', p.reviewed_by,
         -- as valid_approvals counts them, but part of the query: a call for each row costs more than all the rest
         'approvals', (SELECT count(DISTINCT x.guardian_id) FROM wpa.approval x JOIN wpa.principal g ON g.id = x.guardian_id AND g.role = 'guardian' AND g.active
            WHERE x.patch_id = p.id AND x.digest = p.digest AND x.withdrawn_at IS NULL AND x.expires_at > statement_timestamp()
              AND (n.need < 2 OR (x.guardian_id <> p.author_id AND x.guardian_id IS DISTINCT FROM p.requester_id))), 'approvals_required', n.need,
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

-- The rest of one patch. A view, since a function's own queries are planned anew at each call of it.
CREATE VIEW v_api_patch_detail AS
SELECT p.id, jsonb_build_object('diff', p.diff, 'declares', p.declares,
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
           FROM wpa.comment c JOIN wpa.principal g ON g.id = c.principal_id WHERE c.subject = 'patch:' || p.id)) AS detail
  FROM wpa.patch p;
DROP FUNCTION patch_detail(bigint);

-- What the console's filter asks of each finding.
CREATE FUNCTION api_finding_row(f finding) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('at_us', wpa.us(f.first_seen), 'text', f.message, 'rule', f.rule, 'code', f.code,
    'has', CASE WHEN jsonb_array_length(f.fixes) > 0 THEN ARRAY['fix'] ELSE '{}' END || CASE WHEN EXISTS (SELECT FROM wpa.patch_finding x
       JOIN wpa.patch p ON p.id = x.patch_id WHERE x.finding_id = f.id AND p.state NOT IN ('failed','rolled_back')) THEN ARRAY['patch'] ELSE '{}' END) $$;

-- ---- ids of a page, the newest first ---------------------------------------------------------------------
-- Each is planned anew: then a filter that is not given is no condition, and the index fits those that are.

CREATE FUNCTION api_page_patches(before bigint, n bigint, workflow bigint, wanted_state text, wanted_severity text) RETURNS bigint[]
  LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
  IF workflow IS NULL THEN
    RETURN ARRAY(SELECT p.id FROM wpa.patch p
      WHERE (before IS NULL OR p.id < before) AND (wanted_state IS NULL OR p.state = wanted_state) AND (wanted_severity IS NULL OR p.severity = wanted_severity)
      ORDER BY p.id DESC LIMIT n);
  END IF;
  RETURN ARRAY(SELECT p.id FROM wpa.workflow w JOIN wpa.patch_edit e ON e.repository_id = w.repository_id AND e.path = w.path JOIN wpa.patch p ON p.id = e.patch_id
    WHERE w.id = workflow AND (before IS NULL OR p.id < before) AND (wanted_state IS NULL OR p.state = wanted_state) AND (wanted_severity IS NULL OR p.severity = wanted_severity)
    GROUP BY p.id ORDER BY p.id DESC LIMIT n);
END $$;

-- terms: the console's filter, as row_matches takes it; null: none. What it says about things that are few (severities, rules,
-- workflows) is answered for each of these once; only the rest is asked of every finding.
CREATE FUNCTION api_page_findings(before bigint, n bigint, workflow bigint, repository text, wanted_state text, wanted_severity text, wanted_dimension text,
    wanted_kind text, wanted_rule text, wanted_fix boolean, part text, terms jsonb) RETURNS bigint[]
  LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE of_workflows bigint[] := CASE WHEN workflow IS NOT NULL THEN ARRAY[workflow] END;
  fields text[] := ARRAY(SELECT t->>'field' FROM jsonb_array_elements(terms) t);
  pattern text := (SELECT t->'values'->>0 FROM jsonb_array_elements(terms) t WHERE t->>'field' = 'regex' AND NOT (t->>'not')::boolean LIMIT 1);
  word text := (SELECT t->'values'->>0 FROM jsonb_array_elements(terms) t WHERE t->>'field' = 'text' AND NOT (t->>'not')::boolean AND t->'values'->>0 !~ '[*?]' LIMIT 1);
  states text[]; sevs text[]; dimensions text[]; rules text[]; rest jsonb; is_shown boolean := wanted_state IS NULL AND NOT 'state' = ANY(fields);
BEGIN
  IF repository IS NOT NULL THEN
    of_workflows := ARRAY(SELECT w.id FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id WHERE r.name = repository AND (workflow IS NULL OR w.id = workflow));
  END IF;
  IF fields && '{wf,repo,path}' THEN
    of_workflows := ARRAY(SELECT w.id FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id WHERE (of_workflows IS NULL OR w.id = ANY(of_workflows))
      AND wpa.row_matches(jsonb_build_object('wf', wpa.slash_name(r.name, w.path), 'repo', r.name, 'path', w.path), terms));
  END IF;
  IF 'sev' = ANY(fields) THEN
    sevs := ARRAY(SELECT x FROM unnest(ARRAY['critical','high','medium','low','opportunity']) x WHERE wpa.row_matches(jsonb_build_object('sev', x), terms)); END IF;
  IF 'cat' = ANY(fields) THEN
    dimensions := ARRAY(SELECT x FROM unnest(ARRAY['security','performance','efficiency','compatibility','quality']) x WHERE wpa.row_matches(jsonb_build_object('cat', x), terms)); END IF;
  IF 'state' = ANY(fields) THEN
    states := ARRAY(SELECT x FROM unnest(ARRAY['open','ignored','baseline','in_patch','verifying','fixed']) x WHERE wpa.row_matches(jsonb_build_object('state', x), terms)); END IF;
  IF 'rule' = ANY(fields) AND is_shown THEN -- each of them once, by jumping from one to the next
    rules := ARRAY(WITH RECURSIVE every AS (
        (SELECT f.rule, f.code FROM wpa.finding f WHERE f.state IN ('open','in_patch','verifying') ORDER BY f.rule LIMIT 1)
        UNION ALL SELECT b.rule, b.code FROM every e CROSS JOIN LATERAL (SELECT f.rule, f.code FROM wpa.finding f WHERE f.state IN ('open','in_patch','verifying')
          AND f.rule > e.rule ORDER BY f.rule LIMIT 1) b)
      SELECT e.rule FROM every e WHERE wpa.row_matches(jsonb_build_object('rule', e.rule, 'code', e.code), terms));
  END IF;
  rest := (SELECT jsonb_agg(t) FROM jsonb_array_elements(terms) t WHERE t->>'field' IN ('age','has','text','regex') OR (t->>'field' = 'rule' AND NOT is_shown));
  IF is_shown THEN
    RETURN ARRAY(SELECT f.id FROM wpa.finding f
      WHERE f.state IN ('open','in_patch','verifying') AND f.persona = 'default'
        AND (before IS NULL OR f.id < before) AND (of_workflows IS NULL OR f.workflow_id = ANY(of_workflows))
        AND (wanted_severity IS NULL OR f.severity = wanted_severity) AND (wanted_dimension IS NULL OR f.dimension = wanted_dimension)
        AND (sevs IS NULL OR (f.severity = ANY(sevs) AND f.kind <> 'opportunity') OR (f.kind = 'opportunity' AND 'opportunity' = ANY(sevs)))
        AND (dimensions IS NULL OR f.dimension = ANY(dimensions)) AND (rules IS NULL OR f.rule = ANY(rules))
        AND (wanted_kind IS NULL OR f.kind = wanted_kind) AND (wanted_rule IS NULL OR f.rule = wanted_rule)
        AND (wanted_fix IS NULL OR (jsonb_array_length(f.fixes) > 0) = wanted_fix) AND (part IS NULL OR strpos(lower(f.message), lower(part)) > 0)
        AND (pattern IS NULL OR f.message ~* pattern) AND (word IS NULL OR strpos(lower(f.message), lower(word)) > 0)
        AND (pattern IS NULL OR f.message ~* pattern) AND (word IS NULL OR strpos(lower(f.message), lower(word)) > 0)
        AND (rest IS NULL OR wpa.row_matches(wpa.api_finding_row(f), rest))
      ORDER BY f.id DESC LIMIT n);
  END IF;
  RETURN ARRAY(SELECT f.id FROM wpa.finding f
    WHERE (wanted_state IS NULL OR f.state = wanted_state) AND (states IS NULL OR f.state = ANY(states))
      AND (before IS NULL OR f.id < before) AND (of_workflows IS NULL OR f.workflow_id = ANY(of_workflows))
      AND (wanted_severity IS NULL OR f.severity = wanted_severity) AND (wanted_dimension IS NULL OR f.dimension = wanted_dimension)
      AND (sevs IS NULL OR (f.severity = ANY(sevs) AND f.kind <> 'opportunity') OR (f.kind = 'opportunity' AND 'opportunity' = ANY(sevs)))
      AND (dimensions IS NULL OR f.dimension = ANY(dimensions))
      AND (wanted_kind IS NULL OR f.kind = wanted_kind) AND (wanted_rule IS NULL OR f.rule = wanted_rule)
      AND (wanted_fix IS NULL OR (jsonb_array_length(f.fixes) > 0) = wanted_fix) AND (part IS NULL OR strpos(lower(f.message), lower(part)) > 0)
      AND (pattern IS NULL OR f.message ~* pattern) AND (word IS NULL OR strpos(lower(f.message), lower(word)) > 0)
      AND (rest IS NULL OR wpa.row_matches(wpa.api_finding_row(f), rest))
    ORDER BY f.id DESC LIMIT n);
END $$;

CREATE FUNCTION api_page_analyses(before bigint, n bigint, workflow bigint, wanted_status text) RETURNS bigint[]
  LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
  RETURN ARRAY(SELECT a.id FROM wpa.workflow_analysis a
    WHERE (before IS NULL OR a.id < before) AND (workflow IS NULL OR a.workflow_id = workflow) AND (wanted_status IS NULL OR a.status = wanted_status)
    ORDER BY a.id DESC LIMIT n);
END $$;

CREATE FUNCTION api_page_deployments(before bigint, n bigint, wanted_state text, patch bigint) RETURNS bigint[]
  LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
  RETURN ARRAY(SELECT d.id FROM wpa.deployment d
    WHERE (before IS NULL OR d.id < before) AND (wanted_state IS NULL OR d.state = wanted_state) AND (patch IS NULL OR d.patch_id = patch)
    ORDER BY d.id DESC LIMIT n);
END $$;

-- who is a principal's name, or what stands in the log where there was none.
CREATE FUNCTION api_page_audit(before bigint, n bigint, who text, wanted_action text, wanted_subject text) RETURNS bigint[]
  LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE actors text[] := CASE WHEN who IS NOT NULL THEN ARRAY(SELECT p.id::text FROM wpa.principal p WHERE p.name = who) || who END;
BEGIN
  RETURN ARRAY(SELECT a.seq FROM wpa.audit a
    WHERE (before IS NULL OR a.seq < before) AND (actors IS NULL OR a.actor = ANY(actors)) AND (wanted_subject IS NULL OR a.subject = wanted_subject)
      AND (wanted_action IS NULL OR a.action = wanted_action OR starts_with(a.action, wanted_action || '.'))
    ORDER BY a.seq DESC LIMIT n);
END $$;

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.api_finding_row(wpa.finding), wpa.api_page_patches(bigint, bigint, bigint, text, text), wpa.api_page_analyses(bigint, bigint, bigint, text),
    wpa.api_page_findings(bigint, bigint, bigint, text, text, text, text, text, text, boolean, text, jsonb),
    wpa.api_page_deployments(bigint, bigint, text, bigint), wpa.api_page_audit(bigint, bigint, text, text, text) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.v_api_patch_detail TO %I', r);
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.api_finding_row(wpa.finding), wpa.api_page_patches(bigint, bigint, bigint, text, text), wpa.api_page_analyses(bigint, bigint, bigint, text),
        wpa.api_page_findings(bigint, bigint, bigint, text, text, text, text, text, text, boolean, text, jsonb),
        wpa.api_page_deployments(bigint, bigint, text, bigint), wpa.api_page_audit(bigint, bigint, text, text, text) TO %I', r);
    END IF;
  END LOOP;
END $$;
