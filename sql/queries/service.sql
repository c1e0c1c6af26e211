-- name: service_health
-- params: workflow_id bigint
-- rows: at most one
SELECT total, uncapped, grade, coalesce(cap_reason, ''), parts, security, performance, efficiency, compatibility, quality, run_history, explanation
  FROM wpa.health WHERE workflow_id = $1::bigint;

-- name: service_workflow_label
-- params: workflow_id bigint
-- rows: at most one
SELECT r.name || '/' || regexp_replace(w.path, '^\.github/workflows/', '') FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id
 WHERE w.id = $1::bigint AND w.state = 'present' AND r.state <> 'removed';

-- name: service_workflows
-- params:
-- rows: all that can be analysed: id, label
SELECT w.id, r.name || '/' || regexp_replace(w.path, '^\.github/workflows/', '') FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id
 WHERE w.state = 'present' AND r.state <> 'removed' ORDER BY w.id;

-- name: service_review
-- params: analysis_id bigint, actor bigint
-- rows: at most one
UPDATE wpa.workflow_analysis SET status = CASE WHEN status = 'new' THEN 'reviewed' ELSE status END,
       reviewed_by = coalesce(reviewed_by, $2::bigint), reviewed_at = coalesce(reviewed_at, clock_timestamp())
 WHERE id = $1::bigint AND status IN ('new','reviewed','patched','resolved')
RETURNING id;

-- name: service_ignore
-- params: ids bigint[], actor bigint, reason text, until_us bigint
-- rows: those ignored
UPDATE wpa.finding SET state = 'ignored', ignored_by = $2::bigint, ignored_reason = $3,
       ignored_until = 'epoch'::timestamptz + $4::bigint * interval '1 microsecond'
 WHERE id = ANY($1::bigint[]) AND state IN ('open','ignored','baseline')
RETURNING id;

-- name: service_unignore
-- params: ids bigint[]
-- rows: those open again
UPDATE wpa.finding SET state = 'open', ignored_by = NULL, ignored_reason = NULL, ignored_until = NULL
 WHERE id = ANY($1::bigint[]) AND state = 'ignored'
RETURNING id;

-- name: service_comment
-- params: subject text, actor bigint, text text
-- rows: one
INSERT INTO wpa.comment (subject, principal_id, text) VALUES ($1, $2::bigint, $3) RETURNING id;

-- name: service_acknowledge
-- params: id bigint, actor bigint
-- rows: at most one
UPDATE wpa.notice SET acknowledged_by = coalesce(acknowledged_by, $2::bigint), acknowledged_at = coalesce(acknowledged_at, clock_timestamp())
 WHERE id = $1::bigint RETURNING id;

-- name: service_read_notices
-- params: id bigint, actor bigint
-- rows: none
UPDATE wpa.notice SET acknowledged_by = $2::bigint, acknowledged_at = clock_timestamp()
 WHERE ($1::bigint = 0 OR id = $1::bigint) AND level <> 'alarm' AND acknowledged_at IS NULL;

-- name: service_patch
-- params: id bigint
-- rows: at most one: state, reason, name; locked
SELECT state, coalesce(reason, ''), name FROM wpa.patch WHERE id = $1::bigint FOR UPDATE;

-- name: service_patch_pending
-- params: id bigint
-- rows: at most one
UPDATE wpa.patch SET state = 'pending', reason = NULL, comment = '' WHERE id = $1::bigint RETURNING id;

-- name: service_approve
-- params: id bigint, actor bigint, comment text
-- rows: at most one
-- why: given again it changes nothing
INSERT INTO wpa.approval (patch_id, digest, guardian_id, expires_at, comment)
SELECT p.id, p.digest, $2::bigint, clock_timestamp() + (SELECT value::int FROM wpa.setting WHERE key = 'approval_days') * interval '1 day', $3
  FROM wpa.patch p WHERE p.id = $1::bigint AND p.state IN ('tested','approved')
ON CONFLICT (patch_id, digest, guardian_id) WHERE withdrawn_at IS NULL DO NOTHING
RETURNING id;

-- name: service_approvals
-- params: id bigint, actor bigint
-- rows: one: approvals needed, those that count, would the actor's be one of them
SELECT a.need, a.valid, a.need < 2 OR (p.author_id <> $2::bigint AND p.requester_id IS DISTINCT FROM $2::bigint)
  FROM wpa.patch p CROSS JOIN LATERAL wpa.approvals_at_start(p.id, $2::bigint) a WHERE p.id = $1::bigint;

-- name: service_approved
-- params: id bigint
-- rows: one if there are enough approvals now
UPDATE wpa.patch p SET state = 'approved' FROM (SELECT value::bigint AS need FROM wpa.setting WHERE key = 'approvals_required') s
 WHERE p.id = $1::bigint AND p.state = 'tested' AND wpa.valid_approvals(p.id, p.digest, s.need >= 2) >= s.need
RETURNING p.id;

-- name: service_withdraw
-- params: id bigint, actor bigint
-- rows: at most one
UPDATE wpa.approval SET withdrawn_at = clock_timestamp() WHERE patch_id = $1::bigint AND guardian_id = $2::bigint AND withdrawn_at IS NULL
RETURNING id;

-- name: service_live_deployment
-- params: patch_id bigint
-- rows: at most one: id, state
SELECT id, state FROM wpa.deployment WHERE patch_id = $1::bigint AND state IN ('planned','running','paused','rolling_back','stuck');

-- name: service_unapprove
-- params: id bigint
-- rows: one if there are too few approvals now
UPDATE wpa.patch p SET state = 'tested' FROM (SELECT value::bigint AS need FROM wpa.setting WHERE key = 'approvals_required') s
 WHERE p.id = $1::bigint AND p.state = 'approved' AND wpa.valid_approvals(p.id, p.digest, s.need >= 2) < s.need
RETURNING p.id;

-- name: service_reject
-- params: id bigint, reason text
-- rows: at most one
UPDATE wpa.patch SET state = 'failed', reason = 'rejected', comment = $2
 WHERE id = $1::bigint AND (state IN ('pending','tested') OR (state = 'failed' AND reason IN ('test_failed','test_error')))
RETURNING id;

-- name: service_waive
-- params: id bigint, check_id text, actor bigint, reason text, until_us bigint
-- rows: at most one
INSERT INTO wpa.waiver (patch_id, digest, check_id, guardian_id, reason, expires_at)
SELECT id, digest, $2, $3::bigint, $4, 'epoch'::timestamptz + $5::bigint * interval '1 microsecond' FROM wpa.patch WHERE id = $1::bigint
RETURNING id;

-- name: service_live_job
-- params: kind text, subject text
-- rows: at most one
SELECT id FROM wpa.job WHERE kind = $1 AND subject = $2 AND state IN ('queued','running');

-- name: service_verified
-- params: n_rows bigint, to_seq bigint, to_us bigint, fault_seq bigint, fault text
-- rows: none
INSERT INTO wpa.audit_verification (n_rows, to_seq, to_at, fault_seq, fault)
VALUES ($1::bigint, $2::bigint, CASE WHEN $3::bigint > 0 THEN 'epoch'::timestamptz + $3::bigint * interval '1 microsecond' END, $4::bigint, $5);
