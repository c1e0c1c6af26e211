-- What front ends show: one view for each kind of row. k_<sort> are sort keys (ascending, bytes), the
-- fields of filters have their filter's name, "shown" is what a list shows unless a filter asks for states.

CREATE FUNCTION us(t timestamptz) RETURNS bigint LANGUAGE sql STABLE AS
 $$ SELECT CASE WHEN t IS NULL OR NOT isfinite(t) THEN 0 ELSE (extract(epoch FROM t) * 1000000)::bigint END $$;
-- Sort keys: smaller first, greater first; null last in both.
CREATE FUNCTION key_up(n double precision) RETURNS text LANGUAGE sql IMMUTABLE AS
 $$ SELECT coalesce(to_char((n * 1000)::bigint + 1000000000000000, 'FM00000000000000000000'), '~') $$;
CREATE FUNCTION key_down(n double precision) RETURNS text LANGUAGE sql IMMUTABLE AS
 $$ SELECT coalesce(to_char(9000000000000000000 - (n * 1000)::bigint, 'FM00000000000000000000'), '~') $$;
CREATE FUNCTION key_newest(t timestamptz) RETURNS text LANGUAGE sql STABLE AS
 $$ SELECT to_char(9000000000000000000 - wpa.us(t), 'FM00000000000000000000') $$;
CREATE FUNCTION slash_name(repository text, path text) RETURNS text LANGUAGE sql IMMUTABLE AS
 $$ SELECT repository || '/' || regexp_replace(path, '^\.github/workflows/', '') $$;

CREATE VIEW v_workflow AS
SELECT w.id, wpa.slash_name(r.name, w.path) AS name, r.name AS repository, w.kind, w.path, r.url, r.branch, w.head_commit,
       w.jobs, h.total, h.uncapped, h.cap_reason, h.parts, h.security, h.performance, h.efficiency, h.compatibility, h.quality,
       h.run_history, h.explanation, coalesce(h.total - (SELECT y.total FROM wpa.health_history y WHERE y.workflow_id = w.id
           AND y.at < clock_timestamp() - interval '24 hours' ORDER BY y.at DESC LIMIT 1), 0) AS change_24h,
       w.open_findings AS findings,
       (SELECT coalesce(jsonb_agg(x.result ORDER BY x.started_at), '[]') FROM (SELECT started_at, CASE conclusion WHEN 'success' THEN 2
            WHEN 'cancelled' THEN 1 WHEN 'skipped' THEN 1 ELSE 0 END AS result FROM wpa.workflow_run u
            WHERE u.workflow_id = w.id AND u.completed_at IS NOT NULL ORDER BY started_at DESC LIMIT 30) x) AS runs,
       w.analysed_at, wpa.us(w.analysed_at) AS analysed_at_us, coalesce(w.error, CASE WHEN r.state = 'error' THEN r.error END) AS error,
       w.state = 'present' AND r.state <> 'removed' AS shown, w.id AS workflow_id,
       wpa.slash_name(r.name, w.path) AS wf, r.name AS repo, w.state, h.total AS score, wpa.us(w.last_seen) AS at_us,
       wpa.slash_name(r.name, w.path) || ' ' || w.title AS text,
       wpa.key_up(h.total) AS k_default, wpa.key_up(h.total) AS k_score, lower(wpa.slash_name(r.name, w.path)) AS k_name,
       wpa.key_newest(w.analysed_at) AS k_age, wpa.key_down(w.open_findings) AS k_findings
  FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id LEFT JOIN wpa.health h ON h.workflow_id = w.id;

CREATE VIEW v_finding AS
SELECT f.id, f.severity, f.kind, f.confidence, f.dimension, f.state, f.code, f.rule, wpa.slash_name(r.name, f.path) AS workflow,
       f.workflow_id, f.start_line AS line, f.message, jsonb_array_length(f.fixes) > 0 AS has_fix,
       (SELECT max(pf.patch_id) FROM wpa.patch_finding pf JOIN wpa.patch p ON p.id = pf.patch_id
         WHERE pf.finding_id = f.id AND p.state NOT IN ('failed','rolled_back')) AS patch_id,
       wpa.us(f.first_seen) AS first_seen_us,
       f.state IN ('open','in_patch','verifying') AND f.persona = 'default' AS shown,
       CASE f.kind WHEN 'opportunity' THEN 'opportunity' ELSE f.severity END AS sev, f.dimension AS cat,
       wpa.slash_name(r.name, f.path) AS wf, r.name AS repo, f.path, wpa.us(f.first_seen) AS at_us, f.message AS text,
       CASE WHEN jsonb_array_length(f.fixes) > 0 THEN ARRAY['fix'] ELSE '{}' END || CASE WHEN EXISTS (SELECT FROM wpa.patch_finding pf
         JOIN wpa.patch p ON p.id = pf.patch_id WHERE pf.finding_id = f.id AND p.state NOT IN ('failed','rolled_back')) THEN ARRAY['patch'] ELSE '{}' END AS has,
       to_char(9 - f.rank, 'FM0') || wpa.key_down(f.id) AS k_default, to_char(9 - f.rank, 'FM0') || wpa.key_down(f.id) AS k_severity,
       lower(wpa.slash_name(r.name, f.path)) || to_char(f.start_line, '000000') AS k_name, wpa.key_newest(f.first_seen) AS k_age, f.state AS k_state
  FROM wpa.finding f JOIN wpa.workflow w ON w.id = f.workflow_id JOIN wpa.repository r ON r.id = w.repository_id;

CREATE VIEW v_patch AS
SELECT p.id, p.state, p.reason, p.name, p.patch_version AS version, p.type, p.severity, p.revision, p.comment,
       (SELECT count(*) FROM wpa.patch_edit e WHERE e.patch_id = p.id) AS n_workflows,
       (SELECT count(DISTINCT e.repository_id) FROM wpa.patch_edit e WHERE e.patch_id = p.id) AS n_repositories,
       t.id AS test_run_id, t.state AS test_state, t.phase AS test_phase, t.reason AS test_reason, t.attempt AS test_attempt,
       wpa.us(t.started_at) AS test_started_us, wpa.us(t.finished_at) AS test_finished_us,
       t.checks_done AS n_checks_done, t.checks_total AS n_checks,
       (SELECT coalesce(jsonb_object_agg(c.phase, jsonb_build_object('n', c.n, 'pass', c.pass, 'fail', c.fail, 'error', c.error, 'open', c.open, 'ms', c.ms)), '{}')
          FROM (SELECT phase, count(*) AS n, count(*) FILTER (WHERE result IN ('pass','warn','skipped')) AS pass,
                  count(*) FILTER (WHERE result = 'fail' AND required) AS fail, count(*) FILTER (WHERE result = 'error' AND required) AS error,
                  count(*) FILTER (WHERE result IS NULL) AS open, coalesce(sum(duration_ms), 0) AS ms
                  FROM wpa.test_check WHERE test_run_id = t.id GROUP BY phase) c) AS suites,
       a.name AS author, q.name AS requester, wpa.us(p.created_at) AS created_at_us, wpa.us(p.updated_at) AS updated_at_us,
       d.id AS deployment_id, coalesce(d.state IN ('planned','running','paused','rolling_back','stuck','succeeded'), false) AS is_live,
       CASE WHEN d.state IN ('planned','running','paused','rolling_back','stuck') THEN coalesce(d.current_stage, 0) ELSE 0 END AS stage,
       CASE WHEN d.state IN ('planned','running','paused','rolling_back','stuck') THEN (SELECT count(*) FROM wpa.deployment_stage s WHERE s.deployment_id = d.id) ELSE 0 END AS n_stages,
       true AS shown,
       (SELECT coalesce(jsonb_agg(DISTINCT f.workflow_id), '[]') FROM wpa.patch_finding pf JOIN wpa.finding f ON f.id = pf.finding_id WHERE pf.patch_id = p.id) AS workflow_ids,
       p.severity AS sev, a.name AS by, wpa.us(p.created_at) AS at_us, p.name || ' ' || p.issue AS text,
       (SELECT coalesce(array_agg(DISTINCT wpa.slash_name(r.name, e.path)), '{}') FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id WHERE e.patch_id = p.id) AS wf,
       (SELECT coalesce(array_agg(DISTINCT r.name), '{}') FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id WHERE e.patch_id = p.id) AS repo,
       (SELECT coalesce(array_agg(DISTINCT f.code) || array_agg(DISTINCT f.rule), '{}') FROM wpa.patch_finding pf JOIN wpa.finding f ON f.id = pf.finding_id WHERE pf.patch_id = p.id) AS rule,
       to_char(array_position(ARRAY['tested','failed','testing','approved','pending','deployed','rolled_back'], p.state), 'FM0') || wpa.key_down(p.id) AS k_default,
       lower(p.name) AS k_name, wpa.key_newest(p.created_at) AS k_age, p.state AS k_state,
       to_char(array_position(ARRAY['critical','high','medium','low'], p.severity), 'FM0') AS k_severity
  FROM wpa.patch p JOIN wpa.principal a ON a.id = p.author_id LEFT JOIN wpa.principal q ON q.id = p.requester_id
  LEFT JOIN LATERAL (SELECT * FROM wpa.test_run t WHERE t.patch_id = p.id ORDER BY t.id DESC LIMIT 1) t ON true
  LEFT JOIN LATERAL (SELECT * FROM wpa.deployment d WHERE d.patch_id = p.id ORDER BY d.id DESC LIMIT 1) d ON true;

-- Workflows that a target holds.
CREATE VIEW v_target AS
SELECT t.deployment_id, t.n, t.target_id, t.ref, t.state, t.base_oid, t.applied_oid, t.revert_oid, t.note, t.ordinal,
       r.name AS repository, wpa.us(t.applied_at) AS applied_at_us, wpa.us(t.reverted_at) AS reverted_at_us,
       (SELECT count(*) FROM wpa.patch_edit e JOIN wpa.deployment d ON d.patch_id = e.patch_id WHERE d.id = t.deployment_id AND e.repository_id = t.target_id) AS workflows,
       t.state IN ('applied','verified','revert_intended','revert_blocked') AS is_switched, t.state = 'reverted' AS is_back
  FROM wpa.deployment_target t JOIN wpa.repository r ON r.id = t.target_id;

CREATE VIEW v_check AS
SELECT b.id, b.deployment_id, b.n, coalesce(r.name || ': ', '') || b.name AS name, b.kind, b.verdict, b.reason, b.interval_ms, b.baseline, b.baseline_text,
       b.limit_text, b.limit_value, b.hits, b.hits_limit, b.critical, b.dry_run, m.result AS last_result, m.value AS last_value, m.value_text AS last_text,
       m.latency_ms AS last_latency_ms, m.message AS last_message, wpa.us(m.due) AS last_due_us, coalesce(m.n, 0) AS n_measured, coalesce(m.n_failed, 0) AS n_failed
  FROM wpa.probe b LEFT JOIN wpa.repository r ON r.id = b.target_id
  LEFT JOIN LATERAL (SELECT x.*, count(*) OVER () AS n, count(*) FILTER (WHERE x.result = 'failure') OVER () AS n_failed
    FROM wpa.measurement x WHERE x.probe_id = b.id AND x.phase <> 'baseline' ORDER BY x.id DESC LIMIT 1) m ON true;

CREATE VIEW v_deployment AS
SELECT d.id, d.version, d.patch_id, p.name AS patch, p.patch_version, d.state, d.reason, coalesce(d.current_stage, 0) AS stage,
       (SELECT count(*) FROM wpa.deployment_stage s WHERE s.deployment_id = d.id) AS n_stages,
       s.state AS stage_state, s.name AS stage_label, wpa.us(s.bake_until) AS bake_until_us, coalesce(s.bake_ms, 0) AS bake_ms, s.bake_left_ms,
       coalesce(c.done, 0) AS n_done, coalesce(c.total, 0) AS n_total, coalesce(c.switched, 0) AS n_switched, coalesce(c.back, 0) AS n_back,
       coalesce(k.ok, 0) AS n_checks_ok, coalesce(k.n, 0) AS n_checks, coalesce(k.measured, 0) AS n_probes, coalesce(k.failed, 0) AS n_probes_failed,
       d.summary, g.name AS started_by, wpa.us(coalesce(d.started_at, d.created_at)) AS started_at_us, wpa.us(d.finished_at) AS ended_at_us,
       wpa.us(d.updated_at) AS updated_at_us,
       d.state IN ('running','paused') OR (d.state = 'succeeded' AND NOT EXISTS (SELECT FROM wpa.target_claim x JOIN wpa.deployment_target t
          ON t.target_id = x.target_id AND t.ref = x.ref WHERE t.deployment_id = d.id AND x.deployment_id <> d.id)) AS can_roll_back,
       encode(d.digest, 'hex') AS digest, wpa.us(d.rollback_at) AS rollback_at_us, o.name AS rollback_by, d.rollback_reason, d.rule,
       wpa.us(d.rolling_back_at) AS rolling_back_at_us, u.name AS rolled_back_by,
       d.state IN ('rolling_back','rolled_back','stuck') AND d.rolled_back_by IS NULL AS is_automatic,
       d.state IN ('planned','running','paused','rolling_back','stuck') AS is_live,
       true AS shown, d.state AS status, g.name AS by, wpa.us(d.created_at) AS at_us, p.name AS text,
       (SELECT coalesce(jsonb_agg(DISTINCT f.workflow_id), '[]') FROM wpa.patch_finding pf JOIN wpa.finding f ON f.id = pf.finding_id WHERE pf.patch_id = p.id) AS workflow_ids,
       (SELECT coalesce(array_agg(DISTINCT r.name), '{}') FROM wpa.deployment_target t JOIN wpa.repository r ON r.id = t.target_id WHERE t.deployment_id = d.id) AS repo,
       CASE WHEN d.state IN ('planned','running','paused','rolling_back','stuck') THEN '0' ELSE '1' END || wpa.key_down(d.id) AS k_default,
       lower(p.name) AS k_name, wpa.key_newest(d.created_at) AS k_age, d.state AS k_state
  FROM wpa.deployment d JOIN wpa.patch p ON p.id = d.patch_id JOIN wpa.principal g ON g.id = d.started_by
  LEFT JOIN wpa.principal o ON o.id = d.rollback_by LEFT JOIN wpa.principal u ON u.id = d.rolled_back_by
  LEFT JOIN wpa.deployment_stage s ON s.deployment_id = d.id AND s.n = d.current_stage
  LEFT JOIN LATERAL (SELECT sum(t.workflows) FILTER (WHERE t.n <= coalesce(d.current_stage, 1)) AS total,
         sum(t.workflows) FILTER (WHERE t.is_switched AND t.n <= coalesce(d.current_stage, 1)) AS done,
         sum(t.workflows) FILTER (WHERE t.is_switched) AS switched, sum(t.workflows) FILTER (WHERE t.is_back) AS back
         FROM wpa.v_target t WHERE t.deployment_id = d.id) c ON true
  LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE n = d.current_stage AND verdict <> 'failure' AND hits = 0) AS ok, count(*) FILTER (WHERE n = d.current_stage) AS n,
         sum(n_measured) AS measured, sum(n_failed) AS failed FROM wpa.v_check k WHERE k.deployment_id = d.id) k ON true;

CREATE VIEW v_job AS
SELECT j.*, j.state NOT IN ('queued','running') OR j.run_after < 'infinity' AS shown, j.label AS text, wpa.us(j.created_at) AS at_us,
       CASE j.state WHEN 'running' THEN '0' WHEN 'queued' THEN '1' ELSE '2' END || wpa.key_down(j.id) AS k_default,
       lower(j.label) AS k_name, wpa.key_newest(j.created_at) AS k_age, j.state AS k_state
  FROM (SELECT id, state, kind, subject, label, note, done_count, total_count, attempt, max_attempts, owner, last_error, created_at, run_after,
               wpa.us(claimed_at) AS started_at_us, wpa.us(run_after) AS run_after_us, 0::bigint AS finished_at_us FROM wpa.job
        UNION ALL
        SELECT id, state, kind, subject, label, note, done_count, total_count, attempt, attempt, NULL, last_error, created_at, finished_at,
               wpa.us(claimed_at), 0, wpa.us(finished_at) FROM wpa.job_history WHERE finished_at > clock_timestamp() - interval '7 days') j;

CREATE VIEW v_notice AS
SELECT n.id, wpa.us(n.last_at) AS at_us, n.level, n.message, n.subject, n.count, n.acknowledged_at IS NOT NULL AS is_acknowledged, p.name AS by,
       true AS shown, n.level AS state, n.message AS text, wpa.key_down(n.id) AS k_default, wpa.key_down(n.id) AS k_age, n.level AS k_state
  FROM wpa.notice n LEFT JOIN wpa.principal p ON p.id = n.acknowledged_by;

CREATE VIEW v_audit AS
SELECT a.seq AS id, a.seq, wpa.us(a.at) AS at_us, coalesce(p.name, a.actor) AS who, a.detail::jsonb ->> 'address' AS address, a.action, a.subject, a.detail,
       encode(a.hash, 'hex') AS hash, encode(a.prev, 'hex') AS prev, true AS shown, coalesce(p.name, a.actor) AS by, a.action AS state,
       a.action || ' ' || a.subject || ' ' || a.detail AS text, wpa.key_down(a.seq) AS k_default, wpa.key_down(a.seq) AS k_age, coalesce(p.name, a.actor) AS k_name
  FROM wpa.audit a LEFT JOIN wpa.principal p ON p.id::text = a.actor;

CREATE VIEW v_run AS
SELECT u.id, wpa.slash_name(r.name, w.path) AS workflow, u.workflow_id, CASE u.conclusion WHEN 'success' THEN 2 WHEN 'cancelled' THEN 1 WHEN 'skipped' THEN 1 ELSE 0 END AS result,
       u.commit_oid AS commit, wpa.us(u.started_at) AS started_at_us, CASE WHEN u.completed_at IS NULL THEN -1 ELSE (wpa.us(u.completed_at) - wpa.us(u.started_at)) / 1000 END AS took_ms,
       CASE WHEN u.queued_at IS NULL THEN -1 ELSE (wpa.us(u.started_at) - wpa.us(u.queued_at)) / 1000 END AS queue_ms,
       true AS shown, wpa.slash_name(r.name, w.path) AS wf, r.name AS repo, u.conclusion AS state, wpa.us(u.started_at) AS at_us, u.event AS text,
       wpa.key_newest(u.started_at) AS k_default, wpa.key_newest(u.started_at) AS k_age, lower(w.name) AS k_name, u.conclusion AS k_state
  FROM wpa.workflow_run u JOIN wpa.workflow w ON w.id = u.workflow_id JOIN wpa.repository r ON r.id = w.repository_id;

-- ---- filters ------------------------------------------------------------------------------------------
-- A value with * and ? against one text; quoted ones as they are.
CREATE FUNCTION text_matches(value text, pattern text, is_exact boolean, is_word boolean) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN is_exact OR (is_word AND pattern !~ '[*?]') THEN CASE WHEN is_word THEN strpos(lower(value), lower(pattern)) > 0 ELSE lower(value) = lower(pattern) END
    ELSE lower(value) LIKE replace(replace(replace(replace(replace(lower(pattern), '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'), '?', '_') END $$;

CREATE FUNCTION severity_rank(s text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN s ILIKE 'crit%' THEN 4 WHEN s ILIKE 'hi%' THEN 3 WHEN s ILIKE 'med%' THEN 2 WHEN s ILIKE 'lo%' THEN 1 WHEN s ILIKE 'opp%' THEN 0 END $$;

CREATE FUNCTION compares(a double precision, op text, b double precision) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE op WHEN '<' THEN a < b WHEN '<=' THEN a <= b WHEN '>' THEN a > b WHEN '>=' THEN a >= b ELSE a = b END $$;

-- Milliseconds of "7d", "4h", "10m", "2w"; null if it is none.
CREATE FUNCTION age_ms(s text) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN s ~ '^\d+(\.\d+)?[smhdw]$' THEN left(s, -1)::float8 * CASE right(s, 1) WHEN 's' THEN 1000 WHEN 'm' THEN 60000
    WHEN 'h' THEN 3600000 WHEN 'd' THEN 86400000 ELSE 604800000 END END $$;

-- One term: {"field","op","not","exact","values":[...]}; a field that the row lacks is passed over.
CREATE FUNCTION term_matches(item jsonb, term jsonb) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE f text := term->>'field'; op text := term->>'op'; v jsonb := item->(CASE f WHEN 'regex' THEN 'text' ELSE f END); is_any boolean := false; x text;
BEGIN
  IF f = 'age' THEN v := item->'at_us'; END IF;
  IF v IS NULL THEN RETURN true; END IF;
  FOR x IN SELECT jsonb_array_elements_text(term->'values') LOOP
    is_any := is_any OR coalesce(CASE
      WHEN f = 'age' THEN wpa.compares((wpa.us(clock_timestamp()) - (v #>> '{}')::bigint) / 1000.0, op, wpa.age_ms(x))
      WHEN f = 'sev' THEN wpa.compares(wpa.severity_rank(v #>> '{}'), op, wpa.severity_rank(x))
      WHEN f = 'score' THEN wpa.compares((v #>> '{}')::float8, op, CASE WHEN x ~ '^\d+(\.\d+)?$' THEN x::float8 END)
      WHEN f = 'regex' THEN (v #>> '{}') ~* x
      WHEN f = 'cat' THEN (v #>> '{}') ILIKE left(x, 3) || '%' OR (lower(x) IN ('cmp','compat') AND v #>> '{}' = 'compatibility') OR (lower(x) IN ('prf') AND v #>> '{}' = 'performance')
      WHEN f = 'rule' AND jsonb_typeof(v) = 'string' THEN wpa.text_matches(v #>> '{}', x, (term->>'exact')::boolean, false)
          OR wpa.text_matches(item->>'code', x, (term->>'exact')::boolean, false)
      WHEN jsonb_typeof(v) = 'array' THEN EXISTS (SELECT FROM jsonb_array_elements_text(v) e(t) WHERE wpa.text_matches(e.t, x, (term->>'exact')::boolean, false))
      ELSE wpa.text_matches(v #>> '{}', x, (term->>'exact')::boolean, f = 'text') END, false);
  END LOOP;
  RETURN is_any <> coalesce((term->>'not')::boolean, false);
END $$;

CREATE FUNCTION row_matches(item jsonb, terms jsonb) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT EXISTS (SELECT FROM jsonb_array_elements(terms) t(term) WHERE NOT wpa.term_matches(item, t.term)) $$;

-- ---- pages --------------------------------------------------------------------------------------------
-- A window of a list around a row, by key, never by offset. The names come from these tables alone.
CREATE TABLE list_view (list text PRIMARY KEY, view text NOT NULL, sorts text[] NOT NULL);
INSERT INTO list_view VALUES
 ('workflows','v_workflow','{default,name,age,score,findings}'), ('findings','v_finding','{default,name,age,state,severity}'),
 ('patches','v_patch','{default,name,age,state,severity}'), ('deployments','v_deployment','{default,name,age,state}'),
 ('audit','v_audit','{default,age,name}'), ('notices','v_notice','{default,age,state}'), ('jobs','v_job','{default,name,age,state}'),
 ('runs','v_run','{default,name,age,state}');

-- From every view: the condition of a list. $1 terms, $2 workflow that it is scoped to.
CREATE FUNCTION list_condition(terms jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN terms @? '$[*] ? (@.field == "state")' THEN 'true' ELSE 'v.shown' END ||
    ' AND ($2 = 0 OR to_jsonb(v)->''workflow_id'' = to_jsonb($2) OR to_jsonb(v)->''workflow_ids'' @> to_jsonb($2))' ||
    CASE WHEN jsonb_array_length(terms) > 0 THEN ' AND wpa.row_matches(to_jsonb(v), $1)' ELSE '' END $$;

CREATE FUNCTION list_page(list text, sort text, is_descending boolean, terms jsonb, scope bigint, cursor_key text, cursor_id bigint,
    from_end boolean, n_before int, n_after int) RETURNS TABLE (item jsonb, key text, id bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE l wpa.list_view; k text; before text; behind text;
BEGIN
  SELECT * INTO STRICT l FROM wpa.list_view x WHERE x.list = list_page.list;
  k := 'k_' || CASE WHEN sort = ANY(l.sorts) THEN sort ELSE 'default' END;
  before := CASE WHEN is_descending THEN '>' ELSE '<' END; behind := CASE WHEN is_descending THEN '<=' ELSE '>=' END;
  IF cursor_key IS NULL AND NOT from_end THEN n_before := 0; n_after := n_after + 1;
  ELSIF cursor_key IS NULL THEN n_before := n_before + 1; n_after := 0;
  ELSE n_after := n_after + 1; END IF;
  RETURN QUERY EXECUTE format(
    'SELECT q.item, q.key, q.id FROM (
       (SELECT to_jsonb(v) AS item, v.%1$I COLLATE "C" AS key, v.id FROM wpa.%2$I v WHERE %3$s AND ($3 IS NULL OR (v.%1$I COLLATE "C", v.id) %4$s ($3, $4))
         ORDER BY 2 %6$s, 3 %6$s LIMIT $5)
       UNION ALL
       (SELECT to_jsonb(v), v.%1$I COLLATE "C", v.id FROM wpa.%2$I v WHERE %3$s AND ($3 IS NULL OR (v.%1$I COLLATE "C", v.id) %5$s ($3, $4))
         ORDER BY 2 %7$s, 3 %7$s LIMIT $6)) q ORDER BY q.key COLLATE "C" %7$s, q.id %7$s',
    k, l.view, wpa.list_condition(terms), before, behind, CASE WHEN is_descending THEN 'ASC' ELSE 'DESC' END,
    CASE WHEN is_descending THEN 'DESC' ELSE 'ASC' END) USING terms, scope, cursor_key, cursor_id, n_before, n_after;
END $$;

-- How many match, how many there are, and the place of a row among the matching.
CREATE FUNCTION list_count(list text, sort text, is_descending boolean, terms jsonb, scope bigint, first_key text, first_id bigint)
  RETURNS TABLE (n_matching bigint, n_all bigint, n_before bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE l wpa.list_view; k text;
BEGIN
  SELECT * INTO STRICT l FROM wpa.list_view x WHERE x.list = list_count.list;
  k := 'k_' || CASE WHEN sort = ANY(l.sorts) THEN sort ELSE 'default' END;
  RETURN QUERY EXECUTE format(
    'SELECT count(*), (SELECT count(*) FROM wpa.%2$I v WHERE %5$s), count(*) FILTER (WHERE (v.%1$I COLLATE "C", v.id) %4$s ($3, $4)) FROM wpa.%2$I v WHERE %3$s',
    k, l.view, wpa.list_condition(terms), CASE WHEN is_descending THEN '>' ELSE '<' END, wpa.list_condition('[]'))
    USING terms, scope, first_key, first_id;
END $$;

DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA wpa TO %I', r);
      EXECUTE format('REVOKE ALL ON wpa.credential, wpa.secret, wpa.sign_in_try FROM %I', r);
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.us(timestamptz), wpa.key_up(float8), wpa.key_down(float8), wpa.key_newest(timestamptz),
        wpa.slash_name(text, text), wpa.text_matches(text, text, boolean, boolean), wpa.severity_rank(text), wpa.compares(float8, text, float8),
        wpa.age_ms(text), wpa.term_matches(jsonb, jsonb), wpa.row_matches(jsonb, jsonb), wpa.list_condition(jsonb),
        wpa.list_page(text, text, boolean, jsonb, bigint, text, bigint, boolean, int, int),
        wpa.list_count(text, text, boolean, jsonb, bigint, text, bigint) TO %I', r);
    END IF;
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON wpa.credential, wpa.secret, wpa.sign_in_try TO wpa_api;
  END IF;
END $$;
