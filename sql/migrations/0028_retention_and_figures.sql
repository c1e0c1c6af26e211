-- What has ended is let go of after a while, where it was kept for ever; and the figures that were missing, or counted
-- what is not kept: leases that were lost, who took over, what waits because a receiver said so.

-- ---- retention -----------------------------------------------------------------------------------------
-- A matter that has ended goes once nothing of the outbox tells of it any more (notify_clean).
CREATE INDEX matter_ended ON matter (ended_at) WHERE ended_at IS NOT NULL;
-- Nothing leads into the own network unless somebody says so; what stands keeps what it has.
ALTER TABLE destination ALTER COLUMN private_addresses SET DEFAULT false;

-- ---- leases that were lost -------------------------------------------------------------------------------
-- A job that is done has no error, and leaves the table: that its agent was lost on the way is kept here.
CREATE TABLE lease_loss (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job_id bigint NOT NULL, kind text NOT NULL, owner text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(), taken_by text, taken_at timestamptz,
  CHECK ((taken_by IS NULL) = (taken_at IS NULL)));
CREATE INDEX lease_loss_at ON lease_loss (at);
CREATE INDEX lease_loss_open ON lease_loss (job_id) WHERE taken_at IS NULL;

CREATE FUNCTION lease_lost() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, wpa, pg_temp AS $$
BEGIN
  DELETE FROM wpa.lease_loss WHERE at < clock_timestamp() - interval '91 days';
  INSERT INTO wpa.lease_loss (job_id, kind, owner) VALUES (OLD.id, OLD.kind, OLD.owner);
  RETURN NULL;
END $$;
-- Not one that was given back in order, whatever was wrong with it before: its lease had not ended.
CREATE TRIGGER lease_lost AFTER UPDATE ON job FOR EACH ROW WHEN (OLD.state = 'running' AND NEW.state IN ('queued','dead')
  AND NEW.last_error = 'lease expired' AND NEW.run_after > OLD.lease_until) EXECUTE FUNCTION lease_lost();

CREATE FUNCTION lease_taken() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, wpa, pg_temp AS $$
BEGIN
  UPDATE wpa.lease_loss SET taken_by = NEW.owner, taken_at = clock_timestamp() WHERE job_id = NEW.id AND taken_at IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER lease_taken AFTER UPDATE ON job FOR EACH ROW WHEN (OLD.state = 'queued' AND NEW.state = 'running'
  AND OLD.last_error = 'lease expired') EXECUTE FUNCTION lease_taken();

-- ---- figures of the installation ---------------------------------------------------------------------------
CREATE INDEX finding_fixed ON finding (fixed_at) WHERE fixed_at IS NOT NULL;
CREATE INDEX test_run_finished ON test_run (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX deployment_finished ON deployment (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX analysis_finished ON workflow_analysis (finished_at) WHERE finished_at IS NOT NULL;

-- How a deployment ended. One that was taken back a day after its success, or later, had succeeded.
CREATE FUNCTION deployment_end(d deployment) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN d.rolling_back_at IS NOT NULL AND EXISTS (SELECT FROM wpa.audit a WHERE a.subject = 'deployment:' || d.id
           AND a.action = 'deployment.succeeded' AND a.at <= d.rolling_back_at - interval '24 hours') THEN 'succeeded' ELSE d.state END $$;
CREATE FUNCTION deployment_has_changed(d deployment) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM wpa.deployment_target t WHERE t.deployment_id = d.id AND t.applied_oid IS NOT NULL) $$;

CREATE OR REPLACE FUNCTION metrics_since(since timestamptz) RETURNS TABLE (name text, labels jsonb, value double precision) LANGUAGE sql STABLE SET work_mem = '64MB' SET jit = off AS $$
  WITH analysis AS (SELECT (status <> 'failed' AND is_complete)::int AS is_good FROM wpa.workflow_analysis WHERE finished_at >= since AND status NOT IN ('running','cancelled')),
  test AS (SELECT patch_id, digest, (state = 'passed')::int AS is_good, row_number() OVER (PARTITION BY patch_id ORDER BY id DESC) AS from_last,
                  row_number() OVER (PARTITION BY patch_id ORDER BY id) AS from_first
             FROM wpa.test_run WHERE finished_at >= since AND state IN ('passed','failed','error')),
  deploy AS MATERIALIZED (SELECT d.id, d.patch_id, d.summary, d.rolling_back_at, d.finished_at, wpa.deployment_end(d) AS state, wpa.deployment_has_changed(d) AS has_changed
               FROM wpa.deployment d WHERE d.finished_at >= since),
  closed AS (SELECT id, first_seen, fixed_at, extract(epoch FROM fixed_at - first_seen) AS s FROM wpa.finding WHERE fixed_at >= since AND persona = 'default'),
  opened AS (SELECT f.id FROM wpa.finding f WHERE f.first_seen >= since AND f.persona = 'default' AND jsonb_array_length(f.fixes) > 0),
  -- Of a finding that a patch has closed: the patch whose deployment came last before it was gone.
  way AS (SELECT c.first_seen, p.created_at, p.tested_at, a.at AS approved_at, d.finished_at AS deployed_at, c.fixed_at FROM closed c
            CROSS JOIN LATERAL (SELECT d.patch_id, d.finished_at FROM wpa.patch_finding x JOIN wpa.deployment d ON d.patch_id = x.patch_id
               WHERE x.finding_id = c.id AND d.state = 'succeeded' AND d.finished_at <= c.fixed_at ORDER BY d.finished_at DESC LIMIT 1) d
            JOIN wpa.patch p ON p.id = d.patch_id
            LEFT JOIN LATERAL (SELECT min(a.at) AS at FROM wpa.approval a WHERE a.patch_id = p.id AND a.digest = p.digest) a ON true),
  phase AS (SELECT x.phase, extract(epoch FROM x.ended - x.began) AS s FROM way CROSS JOIN LATERAL (VALUES ('detected_to_patch', first_seen, created_at),
       ('patch_to_tested', created_at, tested_at), ('tested_to_approved', tested_at, approved_at), ('approved_to_deployed', approved_at, deployed_at),
       ('deployed_to_verified', deployed_at, fixed_at)) x(phase, began, ended) WHERE x.ended >= x.began),
  wait AS (SELECT extract(epoch FROM min(a.at) - p.tested_at) AS s FROM wpa.patch p JOIN wpa.approval a ON a.patch_id = p.id AND a.digest = p.digest
            WHERE a.at >= since AND p.tested_at IS NOT NULL GROUP BY p.id),
  lead AS (SELECT extract(epoch FROM d.finished_at - p.created_at) AS s FROM deploy d JOIN wpa.patch p ON p.id = d.patch_id WHERE d.state = 'succeeded' AND d.rolling_back_at IS NULL),
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
  UNION ALL SELECT 'wpa_issue_phase_seconds', jsonb_build_object('phase', x.phase, 'stat', q.stat), percentile_cont(q.p) WITHIN GROUP (ORDER BY x.s)
     FROM phase x, (VALUES ('p50', 0.5), ('p90', 0.9)) q(stat, p) GROUP BY x.phase, q.stat, q.p
  UNION ALL SELECT 'wpa_approval_wait_seconds', jsonb_build_object('stat', q.stat), (SELECT percentile_cont(q.p) WITHIN GROUP (ORDER BY s) FROM wait) FROM (VALUES ('p50', 0.5), ('p90', 0.9)) q(stat, p)
  UNION ALL SELECT 'wpa_lead_time_seconds', jsonb_build_object('stat', q.stat), (SELECT percentile_cont(q.p) WITHIN GROUP (ORDER BY s) FROM lead) FROM (VALUES ('p50', 0.5), ('p90', 0.9)) q(stat, p)
  UNION ALL SELECT 'wpa_time_to_detect_seconds', jsonb_build_object('stat', q.stat), (SELECT percentile_cont(q.p) WITHIN GROUP (ORDER BY (summary->>'detect_s')::float8) FROM deploy) FROM (VALUES ('p50', 0.5), ('p90', 0.9)) q(stat, p)
  UNION ALL SELECT 'wpa_time_to_restore_seconds', jsonb_build_object('stat', q.stat), (SELECT percentile_cont(q.p) WITHIN GROUP (ORDER BY (summary->>'restore_s')::float8) FROM deploy) FROM (VALUES ('p50', 0.5), ('p90', 0.9)) q(stat, p)
  UNION ALL SELECT 'wpa_blast_radius_ratio', '{}', avg((summary->>'blast_radius')::float8) FROM deploy WHERE rolling_back_at IS NOT NULL
  UNION ALL SELECT 'wpa_target_down_seconds', '{}', sum((x->>'possible_s')::float8) FROM deploy d CROSS JOIN LATERAL jsonb_array_elements(d.summary->'downtime') x
  UNION ALL SELECT 'wpa_target_conflict_ratio', '{}', avg((state = 'conflict')::int)::float8 FROM target HAVING count(*) > 0
  UNION ALL SELECT 'wpa_queue_wait_seconds', jsonb_build_object('kind', kind, 'stat', q.stat), percentile_cont(q.p) WITHIN GROUP (ORDER BY s) FROM queue, (VALUES ('p50', 0.5), ('p99', 0.99)) q(stat, p) GROUP BY kind, q.stat, q.p $$;

CREATE OR REPLACE FUNCTION metrics_now() RETURNS TABLE (name text, labels jsonb, value double precision) LANGUAGE sql STABLE AS $$
  WITH workflow AS (SELECT w.repository_id, h.total, 1 + log(1 + (SELECT count(*) FROM wpa.workflow_run u WHERE u.workflow_id = w.id)) AS weight
     FROM wpa.workflow w JOIN wpa.health h ON h.workflow_id = w.id WHERE w.state = 'present'),
  repository AS MATERIALIZED (SELECT r.name, nullif(r.owner, '') AS owner, r.criticality, least(sum(w.total * w.weight) / sum(w.weight), min(w.total) + 30) AS total
     FROM workflow w JOIN wpa.repository r ON r.id = w.repository_id WHERE r.state <> 'removed' GROUP BY r.id),
  waiting AS (SELECT o.destination_id FROM wpa.outbox o WHERE o.state = 'waiting' AND o.answer_status = 429 AND o.due_at > clock_timestamp()),
  loss AS (SELECT owner, taken_by FROM wpa.lease_loss WHERE at > clock_timestamp() - interval '1 day')
  SELECT 'wpa_patches_created_total', '{}'::jsonb, count(*)::float8 FROM wpa.patch WHERE revision = 1
  UNION ALL SELECT 'wpa_rollbacks_total', jsonb_build_object('by', b.by, 'rule', b.rule), count(*)::float8
    FROM (SELECT CASE WHEN p.role = 'guardian' THEN 'guardian' ELSE 'automatic' END AS by, coalesce(d.rule, '') AS rule FROM wpa.deployment d
            LEFT JOIN wpa.principal p ON p.id = d.rolled_back_by WHERE d.rolling_back_at IS NOT NULL) b GROUP BY b.by, b.rule
  UNION ALL SELECT 'wpa_patches', jsonb_build_object('status', key), n::float8 FROM wpa.summary s WHERE s.name = 'patch'
  UNION ALL SELECT 'wpa_deployments', jsonb_build_object('state', key), n::float8 FROM wpa.summary s WHERE s.name = 'deployment'
  UNION ALL SELECT 'wpa_findings_open', jsonb_build_object('dimension', split_part(key, '/', 1), 'severity', split_part(key, '/', 2)), n::float8 FROM wpa.summary s WHERE s.name = 'finding'
  UNION ALL SELECT 'wpa_repositories', jsonb_build_object('state', key), n::float8 FROM wpa.summary s WHERE s.name = 'repository'
  UNION ALL SELECT 'wpa_health_score', jsonb_build_object('repository', r.name), r.total FROM repository r
  UNION ALL SELECT 'wpa_owner_health_score', jsonb_build_object('owner', r.owner, 'stat', 'mean'), sum(r.total * r.criticality) / sum(r.criticality) FROM repository r WHERE r.owner IS NOT NULL GROUP BY r.owner
  UNION ALL SELECT 'wpa_owner_health_score', jsonb_build_object('owner', r.owner, 'stat', q.stat), percentile_cont(q.p) WITHIN GROUP (ORDER BY r.total)
    FROM repository r, (VALUES ('p10', 0.1), ('p50', 0.5), ('p90', 0.9)) q(stat, p) WHERE r.owner IS NOT NULL GROUP BY r.owner, q.stat, q.p
  UNION ALL SELECT 'wpa_fleet_health_score', '{"stat":"mean"}', sum(r.total * r.criticality) / sum(r.criticality) FROM repository r
  UNION ALL SELECT 'wpa_fleet_health_score', jsonb_build_object('stat', q.stat), (SELECT percentile_cont(q.p) WITHIN GROUP (ORDER BY r.total) FROM repository r)
    FROM (VALUES ('p10', 0.1), ('p50', 0.5), ('p90', 0.9)) q(stat, p)
  UNION ALL SELECT 'wpa_waivers', '{}', count(*)::float8 FROM wpa.waiver WHERE withdrawn_at IS NULL AND expires_at > clock_timestamp()
  UNION ALL SELECT 'wpa_waiver_age_seconds', '{}', extract(epoch FROM clock_timestamp() - min(at))::float8 FROM wpa.waiver WHERE withdrawn_at IS NULL AND expires_at > clock_timestamp()
  UNION ALL SELECT 'wpa_jobs', jsonb_build_object('kind', kind, 'state', state), count(*)::float8 FROM wpa.job GROUP BY kind, state
  UNION ALL SELECT 'wpa_jobs_dead', jsonb_build_object('kind', kind), count(*)::float8 FROM wpa.job_history WHERE state = 'dead' AND finished_at > clock_timestamp() - interval '1 day' GROUP BY kind
  UNION ALL SELECT 'wpa_lease_losses', '{}', count(*)::float8 FROM loss
  UNION ALL SELECT 'wpa_takeovers', '{}', count(*)::float8 FROM loss WHERE taken_by <> owner
  UNION ALL SELECT 'wpa_rate_limited_hosts', '{}', count(DISTINCT destination_id)::float8 FROM waiting
  UNION ALL SELECT 'wpa_rate_limit_waits', '{}', count(*)::float8 FROM waiting
  UNION ALL SELECT 'wpa_agents', jsonb_build_object('state', CASE WHEN seen_at < clock_timestamp() - interval '30 seconds' THEN 'silent' ELSE state END), count(*)::float8 FROM wpa.agent WHERE state <> 'gone' GROUP BY 2
  UNION ALL SELECT 'wpa_notices_open', jsonb_build_object('level', level), count(*)::float8 FROM wpa.notice WHERE acknowledged_at IS NULL GROUP BY level
  UNION ALL SELECT 'wpa_audit_chain_length', '{}', seq::float8 FROM wpa.audit_head
  UNION ALL SELECT * FROM (SELECT 'wpa_audit_verified_timestamp_seconds', '{}'::jsonb, extract(epoch FROM at)::float8 FROM wpa.audit_verification ORDER BY id DESC LIMIT 1) v
  UNION ALL SELECT * FROM (SELECT 'wpa_audit_is_sound', '{}'::jsonb, (fault_seq IS NULL)::int::float8 FROM wpa.audit_verification ORDER BY id DESC LIMIT 1) v
  UNION ALL SELECT 'wpa_database_oldest_transaction_seconds', '{}', coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0)::float8 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() $$;

-- ---- the same by rule, repository and owner ------------------------------------------------------------------
-- Under the rules whose findings a patch answers, the repositories that it changes, and who owns these. Of
-- repositories the window of 30 days alone: there may be thousands of them.
CREATE FUNCTION metrics_split() RETURNS TABLE (name text, labels jsonb, value double precision) LANGUAGE sql STABLE SET work_mem = '64MB' SET jit = off AS $$
  WITH w(label, days, since) AS MATERIALIZED (SELECT v.days || 'd', v.days, now() - v.days * interval '1 day' FROM (VALUES (7), (30), (90)) v(days)),
  place AS MATERIALIZED (SELECT w.id, r.name AS repository, nullif(r.owner, '') AS owner FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id),
  -- findings
  opened_within AS (SELECT days, CASE WHEN grouping(rule) = 0 THEN 'rule' WHEN grouping(repository) = 0 THEN 'repository' ELSE 'owner' END AS by, coalesce(rule, repository, owner) AS key,
       count(*) AS n, count(*) FILTER (WHERE is_fixable) AS n_fixable, count(*) FILTER (WHERE is_fixable AND has_patch) AS n_patched
     FROM (SELECT f.rule, p.repository, p.owner, CASE WHEN f.first_seen >= now() - interval '7 days' THEN 7 WHEN f.first_seen >= now() - interval '30 days' THEN 30 ELSE 90 END AS days,
             jsonb_array_length(f.fixes) > 0 AS is_fixable, x.finding_id IS NOT NULL AS has_patch
           FROM wpa.finding f JOIN place p ON p.id = f.workflow_id LEFT JOIN (SELECT DISTINCT finding_id FROM wpa.patch_finding) x ON x.finding_id = f.id
          WHERE f.first_seen >= now() - interval '90 days' AND f.persona = 'default') f
    GROUP BY GROUPING SETS ((days, rule), (days, repository), (days, owner))),
  opened AS (SELECT w.label, o.by, o.key, sum(o.n) AS n, sum(o.n_patched) / nullif(sum(o.n_fixable), 0) AS coverage
     FROM w JOIN opened_within o ON o.days <= w.days GROUP BY w.label, o.by, o.key),
  gone AS MATERIALIZED (SELECT w.label, f.rule, p.repository, p.owner, date_part('epoch', f.fixed_at - f.first_seen) AS s
     FROM w JOIN wpa.finding f ON f.fixed_at >= w.since AND f.persona = 'default' JOIN place p ON p.id = f.workflow_id),
  closed AS (SELECT label, CASE WHEN grouping(rule) = 0 THEN 'rule' WHEN grouping(repository) = 0 THEN 'repository' ELSE 'owner' END AS by,
       coalesce(rule, repository, owner) AS key, count(*) AS n, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY s) AS p
     FROM gone GROUP BY GROUPING SETS ((label, rule), (label, repository), (label, owner))),
  -- as issue_survival_median does it
  ended AS (SELECT label, CASE WHEN grouping(rule) = 0 THEN 'rule' WHEN grouping(repository) = 0 THEN 'repository' ELSE 'owner' END AS by,
       coalesce(rule, repository, owner) AS key, ceil(s / 3600) AS hours, count(*) AS n
     FROM gone GROUP BY GROUPING SETS ((label, ceil(s / 3600), rule), (label, ceil(s / 3600), repository), (label, ceil(s / 3600), owner))),
  still AS (SELECT CASE WHEN grouping(rule) = 0 THEN 'rule' WHEN grouping(repository) = 0 THEN 'repository' ELSE 'owner' END AS by,
       coalesce(rule, repository, owner) AS key, hours, count(*) AS n
     FROM (SELECT f.rule, p.repository, p.owner, ceil(date_part('epoch', now() - f.first_seen) / 3600) AS hours
             FROM wpa.finding f JOIN place p ON p.id = f.workflow_id WHERE f.fixed_at IS NULL AND f.persona = 'default' AND f.state <> 'baseline') f
    GROUP BY GROUPING SETS ((hours, rule), (hours, repository), (hours, owner))),
  age AS (SELECT label, by, key, hours, sum(closed) AS closed, sum(sum(n)) OVER (PARTITION BY label, by, key ORDER BY hours DESC) AS at_risk
     FROM (SELECT label, by, key, hours, n AS closed, n FROM ended UNION ALL
           SELECT c.label, s.by, s.key, s.hours, 0, s.n FROM closed c JOIN still s ON s.by = c.by AND s.key = c.key) x GROUP BY label, by, key, hours),
  left_over AS (SELECT label, by, key, hours, sum(CASE WHEN closed = at_risk THEN -1e6 ELSE ln(1 - closed / at_risk) END) OVER (PARTITION BY label, by, key ORDER BY hours) AS log_left FROM age),
  median AS (SELECT label, by, key, (min(hours) FILTER (WHERE log_left <= ln(0.5)) * 3600)::float8 AS s FROM left_over GROUP BY label, by, key),
  -- patches, their tests, their deployments
  patch_key AS MATERIALIZED (SELECT 'rule' AS by, f.rule AS key, x.patch_id FROM wpa.patch_finding x JOIN wpa.finding f ON f.id = x.finding_id GROUP BY f.rule, x.patch_id
     UNION ALL SELECT k.by, k.key, e.patch_id FROM (SELECT DISTINCT patch_id, repository_id FROM wpa.patch_edit) e JOIN wpa.repository r ON r.id = e.repository_id
       CROSS JOIN LATERAL (VALUES ('repository', r.name), ('owner', nullif(r.owner, ''))) k(by, key) WHERE k.key IS NOT NULL GROUP BY k.by, k.key, e.patch_id),
  test AS MATERIALIZED (SELECT w.label, t.patch_id, t.digest, (t.state = 'passed')::int AS is_good, row_number() OVER (PARTITION BY w.label, t.patch_id ORDER BY t.id DESC) AS from_last,
       row_number() OVER (PARTITION BY w.label, t.patch_id ORDER BY t.id) AS from_first
     FROM w JOIN wpa.test_run t ON t.finished_at >= w.since AND t.state IN ('passed','failed','error')),
  tested AS (SELECT t.label, k.by, k.key, avg(t.is_good) FILTER (WHERE t.from_last = 1) AS passed, avg(t.is_good) FILTER (WHERE t.from_first = 1) AS passed_first
     FROM test t JOIN patch_key k ON k.patch_id = t.patch_id GROUP BY t.label, k.by, k.key),
  repeated AS (SELECT label, patch_id, (count(DISTINCT is_good) > 1)::int AS is_flaky FROM test GROUP BY label, patch_id, digest HAVING count(*) > 1),
  flaky AS (SELECT r.label, k.by, k.key, avg(r.is_flaky) AS ratio FROM repeated r JOIN patch_key k ON k.patch_id = r.patch_id GROUP BY r.label, k.by, k.key),
  deploy_key AS MATERIALIZED (SELECT k.by, k.key, d.id FROM wpa.deployment d JOIN patch_key k ON k.patch_id = d.patch_id AND k.by = 'rule'
     UNION ALL SELECT k.by, k.key, t.deployment_id FROM wpa.deployment_target t JOIN wpa.repository r ON r.id = t.target_id
       CROSS JOIN LATERAL (VALUES ('repository', r.name), ('owner', nullif(r.owner, ''))) k(by, key) WHERE k.key IS NOT NULL GROUP BY k.by, k.key, t.deployment_id),
  deploy AS MATERIALIZED (SELECT w.label, d.id, d.rolling_back_at IS NOT NULL AS is_rolled_back, wpa.deployment_end(d) AS state, wpa.deployment_has_changed(d) AS has_changed
     FROM w JOIN wpa.deployment d ON d.finished_at >= w.since),
  deployed AS (SELECT d.label, k.by, k.key, avg((d.state = 'succeeded')::int) FILTER (WHERE d.state IN ('succeeded','rolled_back','stuck') OR (d.state = 'aborted' AND d.has_changed)) AS succeeded,
       avg(d.is_rolled_back::int) FILTER (WHERE d.has_changed) AS rolled_back
     FROM deploy d JOIN deploy_key k ON k.id = d.id GROUP BY d.label, k.by, k.key),
  analysis AS (SELECT w.label, CASE WHEN grouping(p.repository) = 0 THEN 'repository' ELSE 'owner' END AS by, coalesce(p.repository, p.owner) AS key,
       avg((a.status <> 'failed' AND a.is_complete)::int) AS succeeded
     FROM w JOIN wpa.workflow_analysis a ON a.finished_at >= w.since AND a.status NOT IN ('running','cancelled') JOIN place p ON p.id = a.workflow_id
    GROUP BY GROUPING SETS ((w.label, p.repository), (w.label, p.owner))),
  figure(name, by, key, label, stat, value) AS (
    SELECT x.name, o.by, o.key, o.label, NULL, x.value FROM opened o CROSS JOIN LATERAL (VALUES ('findings_opened', o.n::float8), ('patch_coverage_ratio', o.coverage::float8)) x(name, value)
    UNION ALL SELECT 'findings_fixed', c.by, c.key, c.label, NULL, c.n::float8 FROM closed c
    UNION ALL SELECT 'issue_resolution_seconds', c.by, c.key, c.label, x.stat, x.value FROM closed c CROSS JOIN LATERAL (VALUES ('p50', c.p[1]), ('p90', c.p[2])) x(stat, value)
    UNION ALL SELECT 'issue_resolution_seconds', m.by, m.key, m.label, 'median_with_open', m.s FROM median m
    UNION ALL SELECT x.name, t.by, t.key, t.label, NULL, x.value FROM tested t
      CROSS JOIN LATERAL (VALUES ('test_pass_ratio', t.passed::float8), ('test_first_pass_ratio', t.passed_first::float8)) x(name, value)
    UNION ALL SELECT 'test_flake_ratio', f.by, f.key, f.label, NULL, f.ratio::float8 FROM flaky f
    UNION ALL SELECT x.name, d.by, d.key, d.label, NULL, x.value FROM deployed d
      CROSS JOIN LATERAL (VALUES ('deploy_success_ratio', d.succeeded::float8), ('rollback_ratio', d.rolled_back::float8)) x(name, value)
    UNION ALL SELECT 'analysis_success_ratio', a.by, a.key, a.label, NULL, a.succeeded::float8 FROM analysis a
    UNION ALL SELECT 'patches_created_total', k.by, k.key, NULL, NULL, count(*)::float8 FROM patch_key k JOIN wpa.patch p ON p.id = k.patch_id AND p.revision = 1 GROUP BY k.by, k.key
    UNION ALL SELECT 'rollbacks_total', k.by, k.key, NULL, NULL, count(*)::float8 FROM deploy_key k JOIN wpa.deployment d ON d.id = k.id AND d.rolling_back_at IS NOT NULL GROUP BY k.by, k.key
    UNION ALL SELECT 'findings_open', k.by, k.key, NULL, NULL, sum(w.open_findings)::float8 FROM wpa.workflow w JOIN place p ON p.id = w.id
      CROSS JOIN LATERAL (VALUES ('repository', p.repository), ('owner', p.owner)) k(by, key) WHERE w.state = 'present' GROUP BY k.by, k.key)
  SELECT 'wpa_' || f.by || '_' || f.name, jsonb_strip_nulls(jsonb_build_object(f.by, f.key, 'window', f.label, 'stat', f.stat)), f.value
    FROM figure f WHERE f.key IS NOT NULL AND (f.by <> 'repository' OR coalesce(f.label, '30d') = '30d') $$;

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.metrics_split(), wpa.deployment_end(wpa.deployment), wpa.deployment_has_changed(wpa.deployment), wpa.lease_lost(), wpa.lease_taken() FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.metrics_split(), wpa.deployment_end(wpa.deployment), wpa.deployment_has_changed(wpa.deployment) TO %I', r);
      EXECUTE format('GRANT SELECT ON wpa.lease_loss TO %I', r);
    END IF;
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_agent') THEN
    GRANT DELETE ON wpa.matter TO wpa_agent;
  END IF;
  -- Nothing deletes sessions: they end, and stay as what was.
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    REVOKE DELETE ON wpa.session FROM wpa_api;
  END IF;
END $$;
