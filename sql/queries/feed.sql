-- name: feed_list
-- params: list text, sort text, descending boolean, terms jsonb, scope bigint, key text, id bigint, from_end boolean, before int, after int
-- rows: the window in order: row, key, id
SELECT item, key, id FROM wpa.list_page($1, $2, $3::boolean, $4::jsonb, $5::bigint, $6, $7::bigint, $8::boolean, $9::int, $10::int);

-- name: feed_list_count
-- params: list text, sort text, descending boolean, terms jsonb, scope bigint, key text, id bigint
-- rows: one: matching, all, matching before the row
SELECT n_matching, n_all, n_before FROM wpa.list_count($1, $2, $3::boolean, $4::jsonb, $5::bigint, $6, $7::bigint);

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
-- params: after bigint
-- rows: oldest first
SELECT to_jsonb(v) FROM wpa.v_notice v WHERE v.id > $1::bigint ORDER BY v.id LIMIT 50;

-- name: feed_last_notice
-- params:
-- rows: one
SELECT coalesce(max(id), 0) FROM wpa.notice;

-- name: feed_summary
-- params:
-- rows: name, key, n
SELECT name, key, n FROM wpa.summary;

-- name: feed_fleet_health
-- params:
-- rows: one: mean of repositories weighted by criticality (ENGINE.md 14), the parts, a day ago
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
-- rows: newest first
SELECT to_jsonb(v) || jsonb_build_object('reason', v.detail::jsonb ->> 'reason') FROM wpa.v_audit v
 WHERE v.action !~ '^(stage|target)\.' ORDER BY v.seq DESC LIMIT 40;

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
