-- name: feed_list
-- params: list text, sort text, descending boolean, terms jsonb, scope bigint, key text, id bigint, from_end boolean, before int, after int
-- rows: the window in order: row, key, id
SELECT item, key, id FROM wpa.list_page($1, $2, $3::boolean, $4::jsonb, $5::bigint, $6, $7::bigint, $8::boolean, $9::int, $10::int);

-- name: feed_list_ids
-- params: list text, terms jsonb, scope bigint, limit int
-- rows: ids of all that match, up to one more than the limit
SELECT id FROM wpa.list_page($1, 'default', false, $2::jsonb, $3::bigint, NULL, NULL, false, 0, $4::int);

-- name: feed_list_count
-- params: list text, sort text, descending boolean, terms jsonb, scope bigint, key text, id bigint
-- rows: one: matching, all, matching before the row
SELECT n_matching, n_all, n_before FROM wpa.list_count($1, $2, $3::boolean, $4::jsonb, $5::bigint, $6, $7::bigint);

-- name: feed_regex
-- params: regex text
-- rows: one; fails with what the database says of an expression that is none
SELECT '' ~* $1;

-- name: feed_verification
-- params:
-- rows: at most one: verified to, rows, fault
SELECT wpa.us(to_at), n_rows, CASE WHEN fault_seq IS NOT NULL THEN 'row ' || fault_seq || ': ' || fault END
  FROM wpa.audit_verification ORDER BY id DESC LIMIT 1;

-- name: feed_clock
-- params:
-- rows: one: the database's clock, its version
SELECT wpa.us(clock_timestamp()), 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1);

-- name: feed_new_notices
-- params: after bigint, but bigint[]
-- rows: oldest first
SELECT to_jsonb(v) FROM wpa.v_notice v WHERE v.id > $1::bigint AND v.id <> ALL ($2::bigint[]) ORDER BY v.id LIMIT 50;

-- name: feed_last_notices
-- params: limit bigint
-- rows: newest first: id
SELECT id FROM wpa.notice ORDER BY id DESC LIMIT $1::bigint;

-- name: feed_summary
-- params:
-- rows: name, key, n
SELECT name, key, n FROM wpa.summary;

-- name: feed_fleet_health
-- params:
-- rows: one: mean of repositories weighted by criticality, the parts, a day ago
WITH w AS (SELECT w.repository_id, r.criticality, h.total, h.security, h.performance, h.efficiency, h.compatibility, h.quality, h.run_history,
       coalesce((SELECT y.total FROM wpa.health_history y WHERE y.workflow_id = w.id AND y.at < clock_timestamp() - interval '24 hours' ORDER BY y.at DESC LIMIT 1), h.total) AS before,
       1 + log(1 + (SELECT count(*) FROM wpa.workflow_run u WHERE u.workflow_id = w.id)) AS weight
  FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id JOIN wpa.health h ON h.workflow_id = w.id WHERE w.state = 'present' AND r.state <> 'removed'),
r AS (SELECT repository_id, criticality, least(sum(total * weight) / sum(weight), min(total) + 30) AS total,
       least(sum(before * weight) / sum(weight), min(before) + 30) AS before,
       avg(security) AS security, avg(performance) AS performance, avg(efficiency) AS efficiency, avg(compatibility) AS compatibility, avg(quality) AS quality,
       avg(run_history) AS run_history FROM w GROUP BY 1, 2)
SELECT sum(total * criticality) / sum(criticality), sum(total * criticality) / sum(criticality) - sum(before * criticality) / sum(criticality),
       sum(security * criticality) / sum(criticality) FILTER (WHERE security IS NOT NULL), sum(performance * criticality) / sum(criticality) FILTER (WHERE performance IS NOT NULL),
       sum(efficiency * criticality) / sum(criticality) FILTER (WHERE efficiency IS NOT NULL), sum(compatibility * criticality) / sum(criticality) FILTER (WHERE compatibility IS NOT NULL),
       sum(quality * criticality) / sum(criticality) FILTER (WHERE quality IS NOT NULL), sum(run_history * criticality) / sum(criticality) FILTER (WHERE run_history IS NOT NULL)
  FROM r;

-- name: feed_health_days
-- params:
-- rows: one a day, oldest first, at most 90: mean of what each workflow last had by the end of that day, or null
SELECT (SELECT avg(x.total) FROM wpa.workflow w JOIN LATERAL (SELECT y.total FROM wpa.health_history y WHERE y.workflow_id = w.id AND y.at < d.day + interval '1 day'
           ORDER BY y.at DESC LIMIT 1) x ON true WHERE w.state = 'present')
  FROM generate_series(greatest(date_trunc('day', (SELECT min(at) FROM wpa.health_history)), date_trunc('day', clock_timestamp()) - interval '89 days'),
                       date_trunc('day', clock_timestamp()), interval '1 day') d(day) ORDER BY d.day;

-- name: feed_finding_times
-- params:
-- rows: by dimension: dimension, newest, opened and fixed in 24 h, opened per half day of a week as an array, oldest first
SELECT f.dimension, wpa.us(max(f.first_seen) FILTER (WHERE f.state <> 'fixed')), count(*) FILTER (WHERE f.first_seen > clock_timestamp() - interval '24 hours'),
       count(*) FILTER (WHERE f.fixed_at > clock_timestamp() - interval '24 hours'),
       (SELECT jsonb_agg(count ORDER BY i) FROM (SELECT i, count(g.id) FROM generate_series(0, 13) i LEFT JOIN wpa.finding g ON g.dimension = f.dimension AND g.persona = 'default'
           AND g.first_seen >= clock_timestamp() - interval '7 days' + i * interval '12 hours' AND g.first_seen < clock_timestamp() - interval '7 days' + (i + 1) * interval '12 hours'
           GROUP BY i) x)
  FROM wpa.finding f WHERE f.persona = 'default' GROUP BY f.dimension;

-- name: feed_finding_totals
-- params:
-- rows: one: ignored, fixed in 30 days, workflows analysed
SELECT (SELECT count(*) FROM wpa.finding WHERE state = 'ignored'), (SELECT count(*) FROM wpa.finding WHERE fixed_at > clock_timestamp() - interval '30 days'),
       (SELECT count(*) FROM wpa.workflow WHERE state = 'present' AND analysed_at IS NOT NULL);

-- name: feed_worst
-- params:
-- rows: worst first
SELECT to_jsonb(v) FROM wpa.v_workflow v WHERE v.shown ORDER BY v.k_default COLLATE "C", v.id LIMIT 60;

-- name: feed_testing
-- params:
-- rows: latest first
SELECT to_jsonb(v) FROM wpa.v_patch v WHERE v.state = 'testing' ORDER BY v.id DESC LIMIT 20;

-- name: feed_live
-- params:
-- rows: worst first, each with its check nearest to failing
SELECT to_jsonb(v) || jsonb_build_object('back_to', (SELECT encode(sha256(string_agg(coalesce(e.before_oid, ''), ',' ORDER BY e.repository_id, e.path)::bytea), 'hex')
         FROM wpa.patch_edit e WHERE e.patch_id = v.patch_id),
       'nearest', (SELECT to_jsonb(c) FROM wpa.v_check c WHERE c.deployment_id = v.id AND c.n = v.stage ORDER BY c.hits::float8 / c.hits_limit DESC, c.id LIMIT 1))
  FROM wpa.v_deployment v WHERE v.is_live
 ORDER BY array_position(ARRAY['stuck','rolling_back','paused','running','planned'], v.state), v.id DESC LIMIT 20;

-- name: feed_last_rollback
-- params:
-- rows: at most one
SELECT to_jsonb(v) FROM wpa.v_deployment v WHERE v.state = 'rolled_back' ORDER BY v.ended_at_us DESC, v.id DESC LIMIT 1;

-- name: feed_needs
-- params:
-- rows: by harm: object subject, verb, text, state, since; then the number of all
WITH n AS (
  SELECT 0 AS harm, CASE WHEN subject <> '' THEN subject ELSE 'notice:' || id END AS subject, 'alarm' AS verb, message AS text, 'alarm' AS state, wpa.us(at) AS since
    FROM wpa.notice WHERE level = 'alarm' AND acknowledged_at IS NULL
  UNION ALL
  SELECT 1, 'deployment:' || d.id, 'decide', d.state || ': ' || coalesce(d.reason, ''), d.state, wpa.us(d.updated_at)
    FROM wpa.deployment d WHERE d.state = 'stuck' OR (d.state = 'paused' AND d.rollback_at IS NULL)
  UNION ALL
  SELECT 2, 'finding:' || f.id, 'triage', 'CRIT ' || f.message || ' in ' || f.workflow, f.state, f.first_seen_us FROM (
    SELECT v.* FROM wpa.v_finding v WHERE v.shown AND v.severity = 'critical' AND v.kind <> 'opportunity' AND v.state = 'open' ORDER BY v.id DESC LIMIT 40) f
  UNION ALL
  SELECT 3, 'patch:' || p.id, 'decide', replace(p.reason, '_', ' ') || ': ' || p.name, p.state, wpa.us(p.updated_at)
    FROM wpa.patch p WHERE p.state = 'failed' AND p.reason IN ('test_failed','test_error','deploy_failed','partial','rollback_incomplete')
      AND NOT EXISTS (SELECT FROM wpa.patch s WHERE s.supersedes = p.id)
  UNION ALL
  SELECT 4, 'patch:' || p.id, CASE p.state WHEN 'tested' THEN 'approve' ELSE 'deploy' END, p.name, p.state, wpa.us(p.updated_at)
    FROM wpa.patch p WHERE p.state = 'tested' OR (p.state = 'approved' AND NOT EXISTS (SELECT FROM wpa.deployment d WHERE d.patch_id = p.id
      AND d.state IN ('planned','running','paused','rolling_back','stuck')))
  UNION ALL
  SELECT 5, 'workflow:' || w.id, 'review', 'score fell ' || round((-w.change_24h)::numeric) || ' today: ' || w.name, 'new', w.analysed_at_us
    FROM wpa.v_workflow w WHERE w.shown AND w.change_24h <= -5)
SELECT subject, verb, text, state, since, count(*) OVER () FROM n ORDER BY harm, since DESC LIMIT 40;

-- name: feed_activity
-- params:
-- rows: newest first, of the last five thousand entries
-- why: who comes and goes is in the audit log, and every test is told of by its patch
SELECT to_jsonb(v) || jsonb_build_object('reason', coalesce(v.detail::jsonb ->> 'reason',
         CASE WHEN v.action LIKE 'repository.%' THEN v.detail::jsonb ->> 'name' WHEN v.action = 'job.ordered' THEN v.detail::jsonb ->> 'kind' END))
  FROM wpa.v_audit v
 WHERE v.action !~ '^(stage|target|session|test)\.' AND v.seq > (SELECT coalesce(max(seq), 0) - 5000 FROM wpa.audit) ORDER BY v.seq DESC LIMIT 40;

-- name: feed_jobs
-- params:
-- rows: running, then waiting; then how many of each
SELECT to_jsonb(v), count(*) FILTER (WHERE v.state = 'running') OVER (), count(*) FILTER (WHERE v.state = 'queued') OVER ()
  FROM wpa.v_job v WHERE v.state IN ('running','queued') AND v.shown ORDER BY v.k_default COLLATE "C" LIMIT 20;

-- name: feed_alarms
-- params:
-- rows: newest first, then how many notices are unread
SELECT to_jsonb(v) FROM wpa.v_notice v WHERE v.level = 'alarm' AND NOT v.is_acknowledged ORDER BY v.id DESC LIMIT 8;

-- name: feed_unread
-- params:
-- rows: one
SELECT count(*) FROM wpa.notice WHERE acknowledged_at IS NULL;

-- name: feed_agents
-- params:
-- rows: agents that are alive: name, capacity, busy
SELECT name, capacity, busy FROM wpa.agent WHERE state <> 'gone' AND seen_at > clock_timestamp() - interval '30 seconds' ORDER BY name, started_at;

-- name: feed_people
-- params:
-- rows: consoles that somebody is signed in to and that were heard of: name, role, place, address, seen
SELECT p.name, p.role, s.place, s.address, s.seen_at
  FROM wpa.session s JOIN wpa.principal p ON p.id = s.principal_id
 WHERE s.kind = 'console' AND s.ended_at IS NULL AND s.expires_at > clock_timestamp() AND p.active
   AND s.seen_at > clock_timestamp() - interval '75 seconds'
 ORDER BY s.seen_at DESC LIMIT 40;

-- name: feed_workflow
-- params: id bigint
-- rows: at most one
SELECT to_jsonb(v) || jsonb_build_object('triggers', (SELECT w.triggers FROM wpa.workflow w WHERE w.id = v.id),
       'tally', (SELECT coalesce(jsonb_object_agg(sev, n), '{}') FROM (SELECT f.sev, count(*) AS n FROM wpa.v_finding f WHERE f.workflow_id = v.id AND f.shown GROUP BY f.sev) t))
  FROM wpa.v_workflow v WHERE v.id = $1::bigint;

-- name: feed_workflow_findings
-- params: id bigint
-- rows: worst first
SELECT to_jsonb(v) FROM wpa.v_finding v WHERE v.workflow_id = $1::bigint AND v.shown ORDER BY v.k_default COLLATE "C" LIMIT 100;

-- name: feed_workflow_patches
-- params: id bigint
-- rows: newest first
SELECT to_jsonb(v) FROM wpa.v_patch v WHERE v.id IN (SELECT pf.patch_id FROM wpa.patch_finding pf JOIN wpa.finding f ON f.id = pf.finding_id
   WHERE f.workflow_id = $1::bigint) ORDER BY v.id DESC LIMIT 20;

-- name: feed_workflow_deployments
-- params: id bigint
-- rows: newest first
SELECT to_jsonb(v) FROM wpa.v_deployment v WHERE v.patch_id IN (SELECT pf.patch_id FROM wpa.patch_finding pf JOIN wpa.finding f ON f.id = pf.finding_id
   WHERE f.workflow_id = $1::bigint) ORDER BY v.id DESC LIMIT 20;

-- name: feed_workflow_runs
-- params: id bigint
-- rows: newest first
SELECT to_jsonb(v) FROM wpa.v_run v WHERE v.workflow_id = $1::bigint ORDER BY v.started_at_us DESC LIMIT 30;

-- name: feed_workflow_uses
-- params: id bigint
-- rows: what the file names, in its order: the name, its line; of a file of the fleet also its own name, id and score
SELECT x.use ->> 'name', (x.use ->> 'line')::int, wpa.slash_name(t.name, t.path), t.id, h.total
  FROM wpa.workflow w, LATERAL jsonb_array_elements(w.uses) WITH ORDINALITY AS x(use, n),
       LATERAL (SELECT rtrim(split_part(x.use ->> 'name', '@', 1), '/') AS slug) AS s,
       LATERAL (SELECT s.slug LIKE './%' AS is_local, split_part(s.slug, '/', 2) AS repository,
                       CASE WHEN s.slug LIKE './%' THEN substr(s.slug, 3) ELSE regexp_replace(s.slug, '^[^/]*/[^/]*/?', '') END AS path) AS p
  LEFT JOIN LATERAL (SELECT u.id, r.name, u.path FROM wpa.repository r JOIN wpa.workflow u ON u.repository_id = r.id
        WHERE CASE WHEN p.is_local THEN r.id = w.repository_id ELSE s.slug NOT LIKE '%:%' AND r.name = p.repository END
          AND u.path IN (p.path, ltrim(p.path || '/action.yml', '/'), ltrim(p.path || '/action.yaml', '/'))
          AND u.state = 'present' AND u.id <> w.id ORDER BY u.id LIMIT 1) AS t ON true
  LEFT JOIN wpa.health h ON h.workflow_id = t.id
 WHERE w.id = $1::bigint ORDER BY x.n LIMIT 200;

-- name: feed_workflow_used_by
-- params: id bigint
-- rows: workflows of the fleet that name this file: the name they use, its line, their own name, id and score
SELECT x.use ->> 'name', (x.use ->> 'line')::int, wpa.slash_name(r.name, u.path), u.id, h.total
  FROM wpa.workflow w JOIN wpa.repository o ON o.id = w.repository_id, wpa.workflow u JOIN wpa.repository r ON r.id = u.repository_id
       LEFT JOIN wpa.health h ON h.workflow_id = u.id,
       LATERAL jsonb_array_elements(u.uses) AS x(use)
 WHERE w.id = $1::bigint AND u.id <> w.id AND u.state = 'present' AND ((u.repository_id = w.repository_id AND x.use ->> 'name' LIKE './%'
       AND (x.use ->> 'name' = './' || w.path OR w.path LIKE substr(x.use ->> 'name', 3) || '/action.y%'))
    OR x.use ->> 'name' LIKE '%/' || o.name || '/' || w.path || '@%' OR (w.kind = 'action' AND x.use ->> 'name' LIKE '%/' || o.name || '@%' AND w.path LIKE 'action.y%'))
 ORDER BY 3, 2 LIMIT 200;

-- name: feed_finding
-- params: id bigint
-- rows: at most one: row, source text
SELECT to_jsonb(v) || jsonb_build_object('repository', r.name, 'fingerprint', f.fingerprint, 'commit', w.head_commit, 'last_seen_us', wpa.us(f.last_seen),
         'ignored_reason', f.ignored_reason, 'ignored_until_us', wpa.us(f.ignored_until), 'help', f.help, 'related', f.related, 'fixes', f.fixes, 'data', f.data,
         'start_line', f.start_line, 'start_column', f.start_column, 'end_line', f.end_line, 'end_column', f.end_column,
         'score', h.total, 'score_fixed', (SELECT (l ->> 'fixed')::float8 FROM jsonb_array_elements(h.explanation) l WHERE l ->> 'finding' = f.id::text LIMIT 1)),
       s.content
  FROM wpa.v_finding v JOIN wpa.finding f ON f.id = v.id JOIN wpa.workflow w ON w.id = f.workflow_id JOIN wpa.repository r ON r.id = w.repository_id
  LEFT JOIN wpa.health h ON h.workflow_id = w.id LEFT JOIN wpa.source s ON s.blob_oid = coalesce(f.blob_oid, w.blob_oid)
 WHERE v.id = $1::bigint;

-- name: feed_finding_also
-- params: id bigint
-- rows: same rule elsewhere, then how many
SELECT to_jsonb(v), count(*) OVER () FROM wpa.v_finding v WHERE v.rule = (SELECT rule FROM wpa.finding WHERE id = $1::bigint) AND v.id <> $1::bigint AND v.shown
 ORDER BY v.k_default COLLATE "C" LIMIT 20;

-- name: feed_finding_neighbours
-- params: id bigint
-- rows: one: previous, next in the order of the list
SELECT (SELECT v.id FROM wpa.v_finding v, wpa.v_finding me WHERE me.id = $1::bigint AND v.shown AND v.k_default COLLATE "C" < me.k_default ORDER BY v.k_default COLLATE "C" DESC LIMIT 1),
       (SELECT v.id FROM wpa.v_finding v, wpa.v_finding me WHERE me.id = $1::bigint AND v.shown AND v.k_default COLLATE "C" > me.k_default ORDER BY v.k_default COLLATE "C" LIMIT 1);

-- name: feed_patch
-- params: id bigint
-- rows: at most one
SELECT to_jsonb(v) FROM wpa.v_patch v WHERE v.id = $1::bigint;

-- name: feed_patch_more
-- params: id bigint
-- rows: one
SELECT jsonb_build_object('issue', p.issue, 'description', wpa.patch_words(p), 'digest', encode(p.digest, 'hex'), 'requester', q.name, 'added', p.lines_added, 'removed', p.lines_removed,
         'rules', (SELECT string_agg(DISTINCT f.code, ', ') FROM wpa.patch_finding pf JOIN wpa.finding f ON f.id = pf.finding_id WHERE pf.patch_id = p.id),
         'n_findings', (SELECT count(*) FROM wpa.patch_finding pf WHERE pf.patch_id = p.id),
         'approvals', wpa.valid_approvals(p.id, p.digest, (SELECT value::int FROM wpa.setting WHERE key = 'approvals_required') >= 2),
         'required', (SELECT value::int FROM wpa.setting WHERE key = 'approvals_required'),
         'approved_by', (SELECT string_agg(g.name, ', ' ORDER BY a.id) FROM wpa.approval a JOIN wpa.principal g ON g.id = a.guardian_id WHERE a.patch_id = p.id AND a.digest = p.digest AND a.withdrawn_at IS NULL),
         'explicit', (SELECT value = 'on' FROM wpa.setting WHERE key = 'explicit_approval') OR (SELECT value::int >= 2 FROM wpa.setting WHERE key = 'approvals_required'),
         'safe', (SELECT bool_and(coalesce(f.fixes -> 0 ->> 'safety' = 'safe', false)) FROM wpa.patch_finding pf JOIN wpa.finding f ON f.id = pf.finding_id WHERE pf.patch_id = p.id),
         'overlaps', (SELECT string_agg(DISTINCT 'd-' || c.deployment_id, ', ') FROM wpa.target_claim c JOIN wpa.patch_edit e ON e.repository_id = c.target_id AND e.ref = c.ref
            JOIN wpa.deployment d ON d.id = c.deployment_id WHERE e.patch_id = p.id AND d.patch_id <> p.id))
  FROM wpa.patch p LEFT JOIN wpa.principal q ON q.id = p.requester_id WHERE p.id = $1::bigint;

-- name: feed_patch_findings
-- params: id bigint
-- rows: worst first
SELECT to_jsonb(v) FROM wpa.v_finding v JOIN wpa.patch_finding pf ON pf.finding_id = v.id WHERE pf.patch_id = $1::bigint ORDER BY v.k_default COLLATE "C" LIMIT 100;

-- name: feed_patch_checks
-- params: test_run_id bigint
-- rows: by phase, then id
SELECT to_jsonb(c) || jsonb_build_object('waiver', (SELECT g.name || ': ' || w.reason || ', until ' || to_char(w.expires_at, 'YYYY-MM-DD') FROM wpa.waiver w
         JOIN wpa.principal g ON g.id = w.guardian_id JOIN wpa.test_run r ON r.id = c.test_run_id WHERE w.patch_id = r.patch_id AND w.digest = r.digest AND w.check_id = c.check_id
          AND w.withdrawn_at IS NULL AND w.expires_at > clock_timestamp() LIMIT 1))
  FROM wpa.test_check c WHERE c.test_run_id = $1::bigint
 ORDER BY array_position(ARRAY['isolated','integration','safety','compatibility'], c.phase), c.check_id, c.subject;

-- name: feed_patch_edits
-- params: id bigint
-- rows: repository, path, before oid, after oid, before, after
SELECT r.name, e.path, e.before_oid, e.after_oid, e.before_bytes, e.after_bytes FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id
 WHERE e.patch_id = $1::bigint ORDER BY r.name, e.path LIMIT 500;

-- name: feed_targets_of_patch
-- params: id bigint
-- rows: of its latest deployment
SELECT to_jsonb(t) FROM wpa.v_target t WHERE t.deployment_id = (SELECT max(d.id) FROM wpa.deployment d WHERE d.patch_id = $1::bigint) ORDER BY t.n, t.ordinal LIMIT 500;

-- name: feed_history
-- params: subject text, like text
-- rows: oldest first
SELECT to_jsonb(v) || jsonb_build_object('reason', v.detail::jsonb ->> 'reason') FROM wpa.v_audit v WHERE v.subject = $1 OR v.subject LIKE $2 ORDER BY v.seq LIMIT 200;

-- name: feed_comments
-- params: subject text
-- rows: oldest first: time, who, text
SELECT wpa.us(c.at), p.name, c.text FROM wpa.comment c JOIN wpa.principal p ON p.id = c.principal_id WHERE c.subject = $1 ORDER BY c.id LIMIT 200;

-- name: feed_deployment
-- params: id bigint
-- rows: at most one
SELECT to_jsonb(v) || jsonb_build_object('back_to', (SELECT encode(sha256(string_agg(coalesce(e.before_oid, ''), ',' ORDER BY e.repository_id, e.path)::bytea), 'hex')
         FROM wpa.patch_edit e WHERE e.patch_id = v.patch_id),
       'nearest', (SELECT to_jsonb(c) FROM wpa.v_check c WHERE c.deployment_id = v.id AND c.n = v.stage ORDER BY c.hits::float8 / c.hits_limit DESC, c.id LIMIT 1),
       'probe_interval_ms', (SELECT min(interval_ms) FROM wpa.probe b WHERE b.deployment_id = v.id AND b.kind IN ('http','command')),
       'fires', (SELECT string_agg(DISTINCT b.name || ' fails ' || b.hits_limit || CASE b.hits_limit WHEN 1 THEN ' time' ELSE ' times' END, ', ') FROM wpa.probe b WHERE b.deployment_id = v.id AND NOT b.dry_run))
  FROM wpa.v_deployment v WHERE v.id = $1::bigint;

-- name: feed_stages
-- params: id bigint
-- rows: in order
SELECT to_jsonb(s) || jsonb_build_object('scope', t.scope, 'done', t.done, 'started_at_us', wpa.us(s.started_at), 'bake_until_us', wpa.us(s.bake_until),
       'baked_ms', CASE WHEN s.baking_at IS NOT NULL
                        THEN s.bake_ms - coalesce(s.bake_left_ms, (wpa.us(s.bake_until) - wpa.us(coalesce(s.finished_at, clock_timestamp()))) / 1000) END)
  FROM wpa.deployment_stage s LEFT JOIN LATERAL (SELECT sum(x.workflows) AS scope, sum(x.workflows) FILTER (WHERE x.is_switched) AS done FROM wpa.v_target x
    WHERE x.deployment_id = s.deployment_id AND x.n <= s.n) t ON true
 WHERE s.deployment_id = $1::bigint ORDER BY s.n;

-- name: feed_checks
-- params: id bigint, stage int
-- rows: in order; of a deployment with one target the repository is not said again and again
SELECT to_jsonb(c) || CASE WHEN (SELECT count(*) FROM wpa.deployment_target t WHERE t.deployment_id = c.deployment_id) > 1
                           THEN '{}' ELSE jsonb_build_object('name', b.name) END
  FROM wpa.v_check c JOIN wpa.probe b ON b.id = c.id WHERE c.deployment_id = $1::bigint AND c.n = $2::int ORDER BY c.id LIMIT 100;

-- name: feed_downtime
-- params: id bigint
-- rows: what http and command checks saw after the change, by check and time: stage, check, interval in ms, started, result
SELECT b.n, b.id, b.interval_ms, wpa.us(m.started_at), m.result FROM wpa.probe b JOIN wpa.measurement m ON m.probe_id = b.id
 WHERE b.deployment_id = $1::bigint AND NOT b.dry_run AND b.kind IN ('http','command') AND m.phase <> 'baseline'
 ORDER BY b.id, m.due LIMIT 50001;

-- name: feed_hits
-- params: id bigint
-- rows: measurements that counted against a check, oldest first: check, time, value, limit, number, message
SELECT c.name, wpa.us(m.ended_at), coalesce(m.value_text, m.value::text), nullif(c.limit_text, ''), row_number() OVER (PARTITION BY c.id ORDER BY m.id), m.message
  FROM wpa.v_check c JOIN wpa.measurement m ON m.probe_id = c.id WHERE c.deployment_id = $1::bigint AND m.result = 'failure' AND m.phase <> 'baseline' AND NOT c.dry_run
 ORDER BY m.ended_at LIMIT 100;

-- name: feed_targets
-- params: id bigint
-- rows: in order of application
SELECT to_jsonb(t) FROM wpa.v_target t WHERE t.deployment_id = $1::bigint ORDER BY t.n, t.ordinal, t.target_id LIMIT 500;

-- name: feed_audit
-- params: seq bigint
-- rows: at most one: row, whether its hash is that of its fields
SELECT to_jsonb(v), a.hash = wpa.audit_hash(a.prev, a.seq, a.at, a.actor, a.action, a.subject, a.detail)
  FROM wpa.v_audit v JOIN wpa.audit a ON a.seq = v.seq WHERE v.seq = $1::bigint;

-- name: feed_job
-- params: id bigint
-- rows: at most one
SELECT to_jsonb(v) FROM wpa.v_job v WHERE v.id = $1::bigint;
