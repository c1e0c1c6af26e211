-- The figures of the installation, all from rows: name, labels, value. No denominator: no row, never a zero.

-- Median of the time that issues stay open, with those still open as censored (Kaplan-Meier); to the hour.
CREATE FUNCTION issue_survival_median(since timestamptz) RETURNS double precision LANGUAGE sql STABLE AS $$
  WITH t AS (
    SELECT ceil(extract(epoch FROM coalesce(fixed_at, clock_timestamp()) - first_seen) / 3600) AS hours, (fixed_at IS NOT NULL)::int AS is_closed
      FROM wpa.finding WHERE persona = 'default' AND state <> 'baseline' AND (fixed_at IS NULL OR fixed_at >= since)),
  g AS (SELECT hours, sum(is_closed) AS closed, sum(count(*)) OVER (ORDER BY hours DESC) AS at_risk FROM t GROUP BY hours),
  s AS (SELECT hours, sum(CASE WHEN closed = at_risk THEN -1e6 ELSE ln(1 - closed / at_risk) END) OVER (ORDER BY hours) AS log_left FROM g)
  SELECT (min(hours) FILTER (WHERE log_left <= ln(0.5)) * 3600)::float8 FROM s $$;

CREATE FUNCTION metrics_since(since timestamptz) RETURNS TABLE (name text, labels jsonb, value double precision) LANGUAGE sql STABLE AS $$
  WITH analysis AS (SELECT (status <> 'failed' AND is_complete)::int AS is_good FROM wpa.workflow_analysis WHERE finished_at >= since AND status NOT IN ('running','cancelled')),
  test AS (SELECT patch_id, digest, (state = 'passed')::int AS is_good, row_number() OVER (PARTITION BY patch_id ORDER BY id DESC) AS from_last,
                  row_number() OVER (PARTITION BY patch_id ORDER BY id) AS from_first
             FROM wpa.test_run WHERE finished_at >= since AND state IN ('passed','failed','error')),
  deploy AS (SELECT d.*, EXISTS (SELECT FROM wpa.deployment_target t WHERE t.deployment_id = d.id AND t.applied_oid IS NOT NULL) AS has_changed
               FROM wpa.deployment d WHERE d.finished_at >= since),
  closed AS (SELECT extract(epoch FROM fixed_at - first_seen) AS s FROM wpa.finding WHERE fixed_at >= since AND persona = 'default'),
  opened AS (SELECT f.id FROM wpa.finding f WHERE f.first_seen >= since AND f.persona = 'default' AND jsonb_array_length(f.fixes) > 0),
  wait AS (SELECT extract(epoch FROM min(a.at) - p.tested_at) AS s FROM wpa.patch p JOIN wpa.approval a ON a.patch_id = p.id AND a.digest = p.digest
            WHERE a.at >= since AND p.tested_at IS NOT NULL GROUP BY p.id),
  lead AS (SELECT extract(epoch FROM d.finished_at - p.created_at) AS s FROM deploy d JOIN wpa.patch p ON p.id = d.patch_id WHERE d.state = 'succeeded'),
  target AS (SELECT t.state FROM wpa.deployment_target t JOIN deploy d ON d.id = t.deployment_id),
  queue AS (SELECT kind, extract(epoch FROM claimed_at - created_at) AS s FROM wpa.job_history WHERE finished_at >= since AND claimed_at IS NOT NULL)
  SELECT 'wpa_analysis_success_ratio', '{}'::jsonb, avg(is_good)::float8 FROM analysis HAVING count(*) > 0
  UNION ALL SELECT 'wpa_patch_coverage_ratio', '{}', avg((EXISTS (SELECT FROM wpa.patch_finding x WHERE x.finding_id = o.id))::int)::float8 FROM opened o HAVING count(*) > 0
  UNION ALL SELECT 'wpa_test_pass_ratio', '{}', avg(is_good)::float8 FROM test WHERE from_last = 1 HAVING count(*) > 0
  UNION ALL SELECT 'wpa_test_first_pass_ratio', '{}', avg(is_good)::float8 FROM test WHERE from_first = 1 HAVING count(*) > 0
  UNION ALL SELECT 'wpa_test_flake_ratio', '{}', avg(is_flaky)::float8 FROM (SELECT (count(DISTINCT is_good) > 1)::int AS is_flaky FROM test GROUP BY patch_id, digest HAVING count(*) > 1) x HAVING count(*) > 0
  UNION ALL SELECT 'wpa_deploy_success_ratio', '{}', avg((state = 'succeeded')::int)::float8 FROM deploy
     WHERE state IN ('succeeded','rolled_back','stuck') OR (state = 'aborted' AND has_changed) HAVING count(*) > 0
  UNION ALL SELECT 'wpa_deploys_aborted_early', '{}', count(*)::float8 FROM deploy WHERE state = 'aborted' AND NOT has_changed
  UNION ALL SELECT 'wpa_rollback_ratio', '{}', avg((rolling_back_at IS NOT NULL)::int)::float8 FROM deploy WHERE has_changed HAVING count(*) > 0
  UNION ALL SELECT 'wpa_change_failure_ratio', '{}', avg((state <> 'succeeded')::int)::float8 FROM deploy WHERE has_changed HAVING count(*) > 0
  UNION ALL SELECT 'wpa_issue_resolution_seconds', jsonb_build_object('stat', q.stat), (SELECT percentile_cont(q.p) WITHIN GROUP (ORDER BY s) FROM closed) FROM (VALUES ('p50', 0.5), ('p90', 0.9)) q(stat, p)
  UNION ALL SELECT 'wpa_issue_resolution_seconds', '{"stat":"median_with_open"}', wpa.issue_survival_median(since)
  UNION ALL SELECT 'wpa_approval_wait_seconds', jsonb_build_object('stat', q.stat), (SELECT percentile_cont(q.p) WITHIN GROUP (ORDER BY s) FROM wait) FROM (VALUES ('p50', 0.5), ('p90', 0.9)) q(stat, p)
  UNION ALL SELECT 'wpa_lead_time_seconds', jsonb_build_object('stat', q.stat), (SELECT percentile_cont(q.p) WITHIN GROUP (ORDER BY s) FROM lead) FROM (VALUES ('p50', 0.5), ('p90', 0.9)) q(stat, p)
  UNION ALL SELECT 'wpa_time_to_detect_seconds', '{"stat":"p90"}', percentile_cont(0.9) WITHIN GROUP (ORDER BY (summary->>'detect_s')::float8) FROM deploy
  UNION ALL SELECT 'wpa_time_to_restore_seconds', '{"stat":"p90"}', percentile_cont(0.9) WITHIN GROUP (ORDER BY (summary->>'restore_s')::float8) FROM deploy
  UNION ALL SELECT 'wpa_blast_radius_ratio', '{}', avg((summary->>'blast_radius')::float8) FROM deploy WHERE rolling_back_at IS NOT NULL
  UNION ALL SELECT 'wpa_target_down_seconds', '{}', sum((x->>'possible_s')::float8) FROM deploy d CROSS JOIN LATERAL jsonb_array_elements(d.summary->'downtime') x
  UNION ALL SELECT 'wpa_target_conflict_ratio', '{}', avg((state = 'conflict')::int)::float8 FROM target HAVING count(*) > 0
  UNION ALL SELECT 'wpa_queue_wait_seconds', jsonb_build_object('kind', kind, 'stat', q.stat), percentile_cont(q.p) WITHIN GROUP (ORDER BY s) FROM queue, (VALUES ('p50', 0.5), ('p99', 0.99)) q(stat, p) GROUP BY kind, q.stat, q.p $$;

CREATE FUNCTION metrics_now() RETURNS TABLE (name text, labels jsonb, value double precision) LANGUAGE sql STABLE AS $$
  SELECT 'wpa_patches_created_total', '{}'::jsonb, count(*)::float8 FROM wpa.patch WHERE revision = 1
  UNION ALL SELECT 'wpa_rollbacks_total', jsonb_build_object('by', b.by, 'rule', b.rule), count(*)::float8
    FROM (SELECT CASE WHEN p.role = 'guardian' THEN 'guardian' ELSE 'automatic' END AS by, coalesce(d.rule, '') AS rule FROM wpa.deployment d
            LEFT JOIN wpa.principal p ON p.id = d.rolled_back_by WHERE d.rolling_back_at IS NOT NULL) b GROUP BY b.by, b.rule
  UNION ALL SELECT 'wpa_patches', jsonb_build_object('status', key), n::float8 FROM wpa.summary s WHERE s.name = 'patch'
  UNION ALL SELECT 'wpa_deployments', jsonb_build_object('state', key), n::float8 FROM wpa.summary s WHERE s.name = 'deployment'
  UNION ALL SELECT 'wpa_findings_open', jsonb_build_object('dimension', split_part(key, '/', 1), 'severity', split_part(key, '/', 2)), n::float8 FROM wpa.summary s WHERE s.name = 'finding'
  UNION ALL SELECT 'wpa_repositories', jsonb_build_object('state', key), n::float8 FROM wpa.summary s WHERE s.name = 'repository'
  UNION ALL SELECT 'wpa_health_score', jsonb_build_object('repository', r.name), avg(h.total) FROM wpa.repository r JOIN wpa.workflow w ON w.repository_id = r.id AND w.state = 'present'
    JOIN wpa.health h ON h.workflow_id = w.id WHERE r.state <> 'removed' GROUP BY r.name
  UNION ALL SELECT 'wpa_fleet_health_score', jsonb_build_object('stat', q.stat), (SELECT percentile_cont(q.p) WITHIN GROUP (ORDER BY h.total) FROM wpa.health h JOIN wpa.workflow w ON w.id = h.workflow_id AND w.state = 'present')
    FROM (VALUES ('p10', 0.1), ('p50', 0.5), ('p90', 0.9)) q(stat, p)
  UNION ALL SELECT 'wpa_waivers', '{}', count(*)::float8 FROM wpa.waiver WHERE withdrawn_at IS NULL AND expires_at > clock_timestamp()
  UNION ALL SELECT 'wpa_waiver_age_seconds', '{}', extract(epoch FROM clock_timestamp() - min(at))::float8 FROM wpa.waiver WHERE withdrawn_at IS NULL AND expires_at > clock_timestamp()
  UNION ALL SELECT 'wpa_jobs', jsonb_build_object('kind', kind, 'state', state), count(*)::float8 FROM wpa.job GROUP BY kind, state
  UNION ALL SELECT 'wpa_jobs_dead', jsonb_build_object('kind', kind), count(*)::float8 FROM wpa.job_history WHERE state = 'dead' AND finished_at > clock_timestamp() - interval '1 day' GROUP BY kind
  UNION ALL SELECT 'wpa_lease_losses', '{}', count(*)::float8 FROM wpa.job_history WHERE last_error = 'lease expired' AND finished_at > clock_timestamp() - interval '1 day'
  UNION ALL SELECT 'wpa_rate_limited_hosts', '{}', count(DISTINCT host)::float8 FROM wpa.rate_bucket WHERE blocked_until > clock_timestamp()
  UNION ALL SELECT 'wpa_agents', jsonb_build_object('state', CASE WHEN seen_at < clock_timestamp() - interval '30 seconds' THEN 'silent' ELSE state END), count(*)::float8 FROM wpa.agent WHERE state <> 'gone' GROUP BY 2
  UNION ALL SELECT 'wpa_notices_open', jsonb_build_object('level', level), count(*)::float8 FROM wpa.notice WHERE acknowledged_at IS NULL GROUP BY level
  UNION ALL SELECT 'wpa_audit_chain_length', '{}', seq::float8 FROM wpa.audit_head
  UNION ALL SELECT * FROM (SELECT 'wpa_audit_verified_timestamp_seconds', '{}'::jsonb, extract(epoch FROM at)::float8 FROM wpa.audit_verification ORDER BY id DESC LIMIT 1) v
  UNION ALL SELECT * FROM (SELECT 'wpa_audit_is_sound', '{}'::jsonb, (fault_seq IS NULL)::int::float8 FROM wpa.audit_verification ORDER BY id DESC LIMIT 1) v
  UNION ALL SELECT 'wpa_database_oldest_transaction_seconds', '{}', coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0)::float8 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() $$;

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.issue_survival_median(timestamptz), wpa.metrics_since(timestamptz), wpa.metrics_now() FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.issue_survival_median(timestamptz), wpa.metrics_since(timestamptz), wpa.metrics_now() TO %I', r);
    END IF;
  END LOOP;
END $$;
