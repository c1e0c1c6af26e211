-- ---- reading -----------------------------------------------------------------------------------------

-- name: deploy_get
-- params: id bigint
-- rows: at most one
SELECT d.id, d.patch_id, encode(d.digest, 'hex'), d.state, d.reason, d.plan, d.rollback_at, d.rollback_by, d.rollback_reason,
       d.audit_anchor, d.started_at, d.paused_at, d.rolling_back_at, d.version, p.state, p.name, p.revision, p.patch_version,
       (SELECT value FROM wpa.setting WHERE key = 'commit_name'), (SELECT value FROM wpa.setting WHERE key = 'commit_email'),
       clock_timestamp(), p.issue, d.rule, d.is_paused_by_rollback
  FROM wpa.deployment d JOIN wpa.patch p ON p.id = d.patch_id WHERE d.id = $1::bigint;

-- name: deploy_stages
-- params: id bigint
SELECT n, name, state, reason, bake_ms, bake_until, started_at, baking_at, bake_left_ms
  FROM wpa.deployment_stage WHERE deployment_id = $1::bigint ORDER BY n;

-- name: deploy_targets
-- params: id bigint
SELECT t.n, t.target_id, t.ref, t.state, t.base_oid, t.applied_oid, t.revert_oid, t.note, t.moves, t.retry_at, t.ordinal,
       r.name, r.url, r.branch, r.criticality, t.version, t.applied_at, t.reverted_at,
       (SELECT max(e.base_commit) FROM wpa.patch_edit e JOIN wpa.deployment d ON d.patch_id = e.patch_id
         WHERE d.id = t.deployment_id AND e.repository_id = t.target_id AND e.ref = t.ref)
  FROM wpa.deployment_target t JOIN wpa.repository r ON r.id = t.target_id
 WHERE t.deployment_id = $1::bigint ORDER BY t.n, t.ordinal, t.target_id;

-- name: deploy_edits
-- params: patch_id bigint, repository_id bigint, ref text
SELECT path, before_oid, after_oid, before_bytes, after_bytes FROM wpa.patch_edit
 WHERE patch_id = $1::bigint AND repository_id = $2::bigint AND ref = $3 ORDER BY path COLLATE "C";

-- name: deploy_state
-- params: id bigint
-- rows: one: state
SELECT state FROM wpa.deployment WHERE id = $1::bigint;

-- name: deploy_of_patch
-- params: patch_id bigint
-- rows: the newest: id
SELECT id FROM wpa.deployment WHERE patch_id = $1::bigint ORDER BY id DESC LIMIT 1;

-- ---- planning ----------------------------------------------------------------------------------------

-- name: deploy_plan_patch
-- params: id bigint
SELECT id, encode(digest, 'hex'), state, rollback || rollback_config, name, severity, deployment_config FROM wpa.patch WHERE id = $1::bigint;

-- name: deploy_plan_targets
-- params: patch_id bigint
-- rows: one a path
SELECT e.repository_id, e.ref, e.path, r.name, r.owner, r.criticality, r.labels, r.health_checks, r.rollout,
       r.integration_points, r.state
  FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id
 WHERE e.patch_id = $1::bigint ORDER BY r.name, e.ref, e.path COLLATE "C";

-- name: deploy_settings
-- params:
-- rows: one: approvals_required, explicit_approval, approval_days
SELECT coalesce((SELECT value FROM wpa.setting WHERE key = 'approvals_required'), '1'),
       coalesce((SELECT value FROM wpa.setting WHERE key = 'explicit_approval'), 'off'),
       coalesce((SELECT value FROM wpa.setting WHERE key = 'approval_days'), '7');

-- name: deploy_approvals
-- params: patch_id bigint, guardian_id bigint
-- rows: one: approvals needed, those that count, those of others than the guardian, must there be one of these
SELECT need, valid, others, is_separate FROM wpa.approvals_at_start($1::bigint, $2::bigint);

-- name: deploy_approve
-- params: patch_id bigint, guardian_id bigint, days int
-- rows: none if he has approved this content already
INSERT INTO wpa.approval (patch_id, digest, guardian_id, expires_at, comment, is_explicit)
SELECT p.id, p.digest, $2::bigint, clock_timestamp() + $3::int * interval '1 day', 'by starting the deployment', false
  FROM wpa.patch p WHERE p.id = $1::bigint
ON CONFLICT (patch_id, digest, guardian_id) WHERE withdrawn_at IS NULL DO NOTHING;

-- name: deploy_patch_approved
-- params: patch_id bigint
UPDATE wpa.patch SET state = 'approved' WHERE id = $1::bigint AND state = 'tested' RETURNING id;

-- name: deploy_insert
-- params: patch_id bigint, plan jsonb, started_by bigint
-- rows: one: id; none: another deployment of the patch has not ended
INSERT INTO wpa.deployment (patch_id, digest, plan, started_by)
SELECT p.id, p.digest, $2::jsonb, $3::bigint FROM wpa.patch p WHERE p.id = $1::bigint
ON CONFLICT (patch_id) WHERE state IN ('planned','running','paused','rolling_back','stuck') DO NOTHING
RETURNING id;

-- name: deploy_stage_insert
-- params: deployment_id bigint, n int, name text, percent double precision, bake_ms bigint, spec jsonb
INSERT INTO wpa.deployment_stage (deployment_id, n, name, percent, bake_ms, spec)
VALUES ($1::bigint, $2::int, $3, $4::double precision, $5::bigint, $6::jsonb);

-- name: deploy_target_insert
-- params: deployment_id bigint, n int, target_id bigint, ref text, ordinal int
INSERT INTO wpa.deployment_target (deployment_id, n, target_id, ref, ordinal)
VALUES ($1::bigint, $2::int, $3::bigint, $4, $5::int);

-- name: deploy_probe_insert
-- params: deployment_id bigint, n int, target_id bigint, name text, kind text, spec jsonb, interval_ms bigint, critical boolean, dry_run boolean, limit_text text, limit_value double precision, hits_limit int
INSERT INTO wpa.probe (deployment_id, n, target_id, name, kind, spec, interval_ms, critical, dry_run, limit_text, limit_value, hits_limit)
VALUES ($1::bigint, $2::int, $3::bigint, $4, $5, $6::jsonb, $7::bigint, $8::boolean, $9::boolean, $10, $11::double precision, $12::int);

-- ---- transitions of the deployment -------------------------------------------------------------------

-- name: deploy_move
-- params: id bigint, from_state text, to_state text, reason text, token bigint, rule text
-- rows: one: id; none: it was in another state
UPDATE wpa.deployment SET state = $3, reason = $4, token = greatest(token, $5::bigint), rule = coalesce($6, rule),
       started_at = CASE WHEN $3 = 'running' THEN coalesce(started_at, clock_timestamp()) ELSE started_at END,
       paused_at = CASE WHEN $3 = 'paused' THEN clock_timestamp() END,
       rolling_back_at = CASE WHEN $3 = 'rolling_back' THEN clock_timestamp() ELSE rolling_back_at END,
       finished_at = CASE WHEN $3 IN ('succeeded','aborted','rolled_back','stuck') THEN clock_timestamp() END,
       rollback_at = CASE WHEN $3 IN ('running','paused','succeeded') THEN rollback_at END,
       rollback_by = CASE WHEN $3 IN ('running','paused','succeeded') THEN rollback_by END,
       rolled_back_by = CASE WHEN $3 = 'rolling_back' AND $6 IS NULL THEN coalesce(rollback_by, wpa.actor()) ELSE rolled_back_by END,
       is_paused_by_rollback = CASE WHEN $3 = 'paused' THEN is_paused_by_rollback ELSE false END
 WHERE id = $1::bigint AND state = $2
RETURNING id;

-- name: deploy_begin_running
-- params: id bigint, token bigint
-- rows: one: id
-- why: the head of the audit chain goes into every commit, so that the chain is anchored in N repositories
UPDATE wpa.deployment SET state = 'running', token = greatest(token, $2::bigint), started_at = clock_timestamp(), current_stage = 1,
       audit_anchor = (SELECT h.seq || ':' || left(encode(h.hash, 'hex'), 16) FROM wpa.audit_head h)
 WHERE id = $1::bigint AND state = 'planned'
RETURNING id;

-- name: deploy_stage_clock_stop
-- params: id bigint
-- why: bake clocks stand while the deployment is paused
UPDATE wpa.deployment_stage SET bake_left_ms = greatest(0, extract(epoch FROM bake_until - clock_timestamp()) * 1000)::bigint
 WHERE deployment_id = $1::bigint AND state = 'baking' AND bake_left_ms IS NULL;

-- name: deploy_stage_clock_go
-- params: id bigint
-- why: an inconclusive stage bakes anew; any other goes on where it stood, and what was measured in it before counts
UPDATE wpa.deployment_stage s
   SET bake_until = clock_timestamp() + CASE WHEN s.reason LIKE 'inconclusive%' THEN s.bake_ms ELSE coalesce(s.bake_left_ms, 0) END * interval '1 millisecond',
       baking_at = CASE WHEN s.reason LIKE 'inconclusive%' THEN clock_timestamp() ELSE s.baking_at END,
       reason = NULL, bake_left_ms = NULL
 WHERE s.deployment_id = $1::bigint AND s.state = 'baking';

-- name: deploy_gate_open
-- params: id bigint
UPDATE wpa.deployment_stage SET reason = 'gate open'
 WHERE deployment_id = $1::bigint AND state = 'waiting'
   AND n = (SELECT min(n) FROM wpa.deployment_stage WHERE deployment_id = $1::bigint AND state = 'waiting');

-- name: deploy_order_rollback
-- params: id bigint, delay_ms bigint, guardian_id bigint, reason text, was_running boolean
-- rows: one: id; none: it cannot be rolled back now
UPDATE wpa.deployment
   SET rollback_at = clock_timestamp() + $2::bigint * interval '1 millisecond', rollback_by = $3::bigint, rollback_reason = $4,
       is_paused_by_rollback = $5::boolean
 WHERE id = $1::bigint AND state IN ('running','paused','succeeded')
RETURNING id;

-- name: deploy_cancel_rollback
-- params: id bigint
-- rows: one: was_paused_by_it; none: no window is open
UPDATE wpa.deployment d SET rollback_at = NULL, rollback_by = NULL, rollback_reason = NULL
 WHERE d.id = $1::bigint AND d.rollback_at IS NOT NULL AND d.state IN ('running','paused','succeeded')
RETURNING d.is_paused_by_rollback AND d.state = 'paused';

-- name: deploy_stage_move
-- params: id bigint, n int, from_state text, to_state text, reason text
-- rows: one: n
UPDATE wpa.deployment_stage
   SET state = $4, reason = $5,
       started_at = CASE WHEN $4 = 'applying' THEN coalesce(started_at, clock_timestamp()) ELSE started_at END,
       baking_at = CASE WHEN $4 = 'baking' THEN clock_timestamp() ELSE baking_at END,
       bake_until = CASE WHEN $4 = 'baking' THEN clock_timestamp() + bake_ms * interval '1 millisecond' ELSE bake_until END,
       bake_left_ms = NULL,
       finished_at = CASE WHEN $4 IN ('passed','failed','skipped','reverted') THEN clock_timestamp() END
 WHERE deployment_id = $1::bigint AND n = $2::int AND state = $3
RETURNING n;

-- name: deploy_stage_note
-- params: id bigint, n int, reason text
UPDATE wpa.deployment_stage SET reason = $3 WHERE deployment_id = $1::bigint AND n = $2::int;

-- name: deploy_stage_promote
-- params: id bigint, guardian_id bigint, reason text
-- rows: one: n; none: no stage bakes
UPDATE wpa.deployment_stage SET state = 'passed', promoted_by = $2::bigint, reason = $3, finished_at = clock_timestamp(), bake_left_ms = NULL
 WHERE deployment_id = $1::bigint AND state = 'baking'
RETURNING n;

-- name: deploy_current_stage
-- params: id bigint, n int
UPDATE wpa.deployment SET current_stage = $2::int WHERE id = $1::bigint AND current_stage IS DISTINCT FROM $2::int;

-- name: deploy_desire
-- params: id bigint, n int, desired text
-- why: n 0 is all stages
UPDATE wpa.deployment_target SET desired = $3
 WHERE deployment_id = $1::bigint AND ($2::int = 0 OR n = $2::int) AND desired <> $3;

-- name: deploy_stages_skip
-- params: id bigint
UPDATE wpa.deployment_stage SET state = 'skipped', finished_at = clock_timestamp()
 WHERE deployment_id = $1::bigint AND state = 'waiting';

-- name: deploy_targets_skip
-- params: id bigint, note text
-- why: what has not been changed when the deployment ends never will be by it
UPDATE wpa.deployment_target SET state = 'skipped', note = coalesce(note, $2)
 WHERE deployment_id = $1::bigint AND state IN ('planned','conflict','failed');

-- name: deploy_stages_reverted
-- params: id bigint
UPDATE wpa.deployment_stage s SET state = 'reverted', finished_at = clock_timestamp(), bake_left_ms = NULL
 WHERE s.deployment_id = $1::bigint AND s.state IN ('applying','baking','passed','failed');

-- ---- transitions of a target -------------------------------------------------------------------------

-- name: deploy_target_move
-- params: id bigint, target_id bigint, from_state text, to_state text, note text, base_oid text, applied_oid text, revert_oid text, observed_oid text
-- rows: one: target_id; none: it was in another state
UPDATE wpa.deployment_target
   SET state = $4, note = $5, base_oid = coalesce($6, base_oid), applied_oid = coalesce($7, applied_oid),
       revert_oid = coalesce($8, revert_oid),
       observed_oid = coalesce($9, observed_oid),
       observed_at = CASE WHEN $9 IS NULL THEN observed_at ELSE clock_timestamp() END,
       applied_at = CASE WHEN $4 = 'applied' AND $3 = 'intended' THEN clock_timestamp() ELSE applied_at END,
       verified_at = CASE WHEN $4 = 'verified' THEN clock_timestamp() ELSE verified_at END,
       reverted_at = CASE WHEN $4 = 'reverted' THEN clock_timestamp() ELSE reverted_at END,
       moves = CASE WHEN ($3, $4) IN (('intended','planned'), ('revert_intended','applied')) THEN moves + 1 ELSE moves END,
       retry_at = NULL
 WHERE deployment_id = $1::bigint AND target_id = $2::bigint AND state = $3
RETURNING target_id;

-- name: deploy_target_wait
-- params: id bigint, target_id bigint, delay_ms bigint, note text
-- why: a negative delay: not before a guardian says so
UPDATE wpa.deployment_target
   SET retry_at = CASE WHEN $3::bigint >= 0 THEN clock_timestamp() + $3::bigint * interval '1 millisecond' END, note = $4
 WHERE deployment_id = $1::bigint AND target_id = $2::bigint;

-- name: deploy_target_retry
-- params: id bigint
UPDATE wpa.deployment_target SET state = 'planned', note = NULL, moves = 0, retry_at = NULL
 WHERE deployment_id = $1::bigint AND state = 'failed';

-- name: deploy_blocked_retry
-- params: id bigint
UPDATE wpa.deployment_target SET retry_at = clock_timestamp()
 WHERE deployment_id = $1::bigint AND state = 'revert_blocked';

-- name: deploy_target_skip
-- params: id bigint, target_id bigint, note text
-- rows: one: state before
UPDATE wpa.deployment_target SET state = 'skipped', note = $3
 WHERE deployment_id = $1::bigint AND target_id = $2::bigint AND state IN ('planned','conflict','failed')
RETURNING target_id;

-- name: deploy_intent_open
-- params: target_id bigint, ref text
-- rows: at most one
SELECT id, deployment_id, kind, old_oid, new_oid, commit_object FROM wpa.target_intent
 WHERE target_id = $1::bigint AND ref = $2 AND state = 'intended';

-- name: deploy_intent_insert
-- params: id uuid, deployment_id bigint, target_id bigint, kind text, ref text, old_oid text, new_oid text, commit_object bytea, token bigint
INSERT INTO wpa.target_intent (id, deployment_id, target_id, kind, ref, old_oid, new_oid, commit_object, token)
VALUES ($1::uuid, $2::bigint, $3::bigint, $4, $5, $6, $7, $8::bytea, $9::bigint);

-- name: deploy_intent_end
-- params: id uuid, state text, token bigint
-- rows: one: id
UPDATE wpa.target_intent SET state = $2, done_at = clock_timestamp(), token = greatest(token, $3::bigint)
 WHERE id = $1::uuid AND state = 'intended'
RETURNING id;

-- name: deploy_claim
-- params: id bigint
-- why: all or none; what another deployment holds is reported by deploy_claim_holders
INSERT INTO wpa.target_claim (target_id, ref, deployment_id)
SELECT t.target_id, t.ref, t.deployment_id FROM wpa.deployment_target t
 WHERE t.deployment_id = $1::bigint AND t.state NOT IN ('skipped')
 ORDER BY t.target_id
ON CONFLICT DO NOTHING;

-- name: deploy_claim_holders
-- params: id bigint
-- rows: targets that another deployment holds: repository, ref, deployment
SELECT r.name, t.ref, c.deployment_id
  FROM wpa.deployment_target t JOIN wpa.target_claim c ON c.target_id = t.target_id AND c.ref = t.ref
  JOIN wpa.repository r ON r.id = t.target_id
 WHERE t.deployment_id = $1::bigint AND c.deployment_id <> t.deployment_id ORDER BY r.name;

-- name: deploy_unclaim
-- params: id bigint
DELETE FROM wpa.target_claim WHERE deployment_id = $1::bigint;

-- ---- the patch ---------------------------------------------------------------------------------------

-- name: deploy_patch_move
-- params: patch_id bigint, to_state text, reason text
-- rows: one: id
UPDATE wpa.patch SET state = $2, reason = $3 WHERE id = $1::bigint AND state IN ('approved','deployed','failed') RETURNING id;

-- name: deploy_scan_targets
-- params: id bigint
SELECT t.target_id, r.name FROM wpa.deployment_target t JOIN wpa.repository r ON r.id = t.target_id
 WHERE t.deployment_id = $1::bigint AND t.applied_oid IS NOT NULL;

-- name: deploy_summary
-- params: id bigint, summary jsonb
UPDATE wpa.deployment SET summary = $2::jsonb WHERE id = $1::bigint;

-- name: deploy_notice
-- params: level text, key text, subject text, message text
SELECT wpa.notice_add($1, $2, $3, $4);

-- ---- health checks -----------------------------------------------------------------------------------

-- name: deploy_probes
-- params: id bigint, n int
-- rows: those of one stage (0: of all)
SELECT p.id, p.n, p.target_id, p.name, p.kind, p.spec, p.interval_ms, p.critical, p.dry_run, p.baseline, p.verdict, p.reason
  FROM wpa.probe p WHERE p.deployment_id = $1::bigint AND ($2::int = 0 OR p.n = $2::int) ORDER BY p.id;

-- name: deploy_measurements
-- params: probe_id bigint, since timestamptz, phase text
-- rows: in order of their due times
SELECT due, result, value, message, started_at, ended_at FROM wpa.measurement
 WHERE probe_id = $1::bigint AND phase = $3 AND due >= $2::timestamptz ORDER BY due;

-- name: deploy_measure
-- params: probe_id bigint, due timestamptz, phase text, started_at timestamptz, ended_at timestamptz, result text, value double precision, value_text text, latency_ms double precision, samples bigint, baseline double precision, resolved text, conditions text, message text
-- rows: none if another agent has measured for this time
INSERT INTO wpa.measurement (probe_id, due, phase, started_at, ended_at, result, value, value_text, latency_ms, samples, baseline, resolved, conditions, message)
VALUES ($1::bigint, $2::timestamptz, $3, $4::timestamptz, $5::timestamptz, $6, $7::double precision, $8, $9::double precision, $10::bigint,
        $11::double precision, $12, $13, $14)
ON CONFLICT (probe_id, due) DO NOTHING RETURNING id;

-- name: deploy_baseline
-- params: probe_id bigint, baseline double precision, baseline_text text
UPDATE wpa.probe SET baseline = $2::double precision, baseline_text = $3 WHERE id = $1::bigint;

-- name: deploy_probe_verdict
-- params: probe_id bigint, verdict text, reason text, hits int
UPDATE wpa.probe SET verdict = $2, reason = $3, hits = $4::int WHERE id = $1::bigint
   AND (verdict, reason, hits) IS DISTINCT FROM ($2, $3, $4::int);

-- name: deploy_critical_failure
-- params: id bigint
-- rows: critical checks that failed in the stage that bakes
SELECT p.name FROM wpa.probe p JOIN wpa.deployment_stage s ON s.deployment_id = p.deployment_id AND s.n = p.n
 WHERE p.deployment_id = $1::bigint AND s.state = 'baking' AND p.critical AND p.verdict = 'failure';

-- name: deploy_downtime_rows
-- params: id bigint
-- rows: what was measured of each target after its change, in order
SELECT p.target_id, p.id, p.interval_ms, m.started_at, m.ended_at, m.result
  FROM wpa.probe p JOIN wpa.measurement m ON m.probe_id = p.id
 WHERE p.deployment_id = $1::bigint AND NOT p.dry_run AND p.kind IN ('http','command') AND m.phase <> 'baseline'
 ORDER BY p.target_id, p.id, m.due;
