-- name: cli_agents_alive
-- params:
-- rows: one
-- why: whether a command that waits for work needs workers of its own
SELECT count(*) FROM wpa.agent
 WHERE state = 'active' AND capacity > 0 AND seen_at > clock_timestamp() - interval '30 seconds';

-- name: cli_agents
-- params:
-- rows: one per agent that is not gone for longer than a day
SELECT name, host, pid, version, state, busy, capacity, started_at, seen_at
  FROM wpa.agent
 WHERE state <> 'gone' OR seen_at > clock_timestamp() - interval '1 day'
 ORDER BY state, name, pid;

-- name: cli_queue
-- params: kind text, limit bigint
-- rows: one per live job, running ones first, then in the order in which they are due
SELECT j.id, j.state, j.kind, j.subject, j.label, j.attempt, j.max_attempts,
       CASE WHEN j.run_after < 'infinity' THEN j.run_after END, j.run_after = 'infinity' AS on_hold,
       j.done_count, j.total_count, j.note, j.owner, p.name, j.last_error, j.created_at
  FROM wpa.job j LEFT JOIN wpa.principal p ON p.id = j.requested_by
 WHERE ($1::text IS NULL OR j.kind = $1)
 ORDER BY j.state DESC, j.priority, j.run_after, j.id
 LIMIT $2;

-- name: cli_queue_history
-- params: kind text, limit bigint
-- rows: one per job that has ended, latest first
SELECT j.id, j.state, j.kind, j.subject, j.label, j.attempt, p.name, j.last_error, j.finished_at
  FROM wpa.job_history j LEFT JOIN wpa.principal p ON p.id = j.requested_by
 WHERE ($1::text IS NULL OR j.kind = $1)
 ORDER BY j.finished_at DESC, j.id DESC
 LIMIT $2;

-- name: cli_now
-- params:
-- rows: one
SELECT clock_timestamp();

-- name: cli_given_up
-- params: kinds text[], since timestamptz, repository text
-- rows: one per job that was given up since then, in the order of their ids; NULL: of all repositories
SELECT j.id, coalesce(nullif(j.label, ''), j.kind || ' ' || j.subject), coalesce(j.last_error, '')
  FROM wpa.job_history j
 WHERE j.kind = ANY ($1::text[]) AND j.state = 'dead' AND j.finished_at >= $2::timestamptz
   AND ($3::text IS NULL
        OR j.subject IN (SELECT 'repository:' || r.id FROM wpa.repository r WHERE r.name = $3
                          UNION ALL
                         SELECT 'workflow:' || w.id FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id
                          WHERE r.name = $3))
 ORDER BY j.id;

-- name: cli_findings
-- params: workflow_id bigint, severity text, rule text, dimension text, state text, after_id bigint, limit bigint
-- rows: one per finding, worst and newest first; without a state those that count as open
SELECT f.id, f.severity, f.rule, r.name || '/' || regexp_replace(w.path, '^\.github/workflows/', ''),
       f.start_line, f.start_column, f.message, jsonb_array_length(f.fixes) > 0, f.state, f.kind,
       f.dimension, f.confidence, f.persona, f.first_seen, f.last_seen, f.path, f.fingerprint, f.workflow_id
  FROM wpa.finding f
  JOIN wpa.workflow w ON w.id = f.workflow_id
  JOIN wpa.repository r ON r.id = w.repository_id
 WHERE ($1::bigint IS NULL OR f.workflow_id = $1)
   AND ($2::text IS NULL OR f.severity = $2)
   AND ($3::text IS NULL OR f.rule = $3)
   AND ($4::text IS NULL OR f.dimension = $4)
   AND CASE WHEN $5::text IS NULL THEN f.state IN ('open', 'in_patch', 'verifying') AND f.persona = 'default'
            ELSE f.state = $5 END
   AND ($6::bigint IS NULL
        OR (f.rank, f.id) < (SELECT a.rank, a.id FROM wpa.finding a WHERE a.id = $6))
 ORDER BY f.rank DESC, f.id DESC
 LIMIT $7;

-- name: cli_finding
-- params: id bigint
-- rows: at most one
SELECT f.id, f.severity, f.kind, f.dimension, f.confidence, f.rule,
       r.name || '/' || regexp_replace(w.path, '^\.github/workflows/', ''), f.path,
       f.start_line, f.start_column, f.end_line, f.end_column, f.state, f.message, f.help, f.evidence,
       f.first_seen, f.last_seen, f.fixed_at, i.name, f.ignored_reason, f.ignored_until, f.fingerprint, f.fixes,
       f.related, f.data
  FROM wpa.finding f
  JOIN wpa.workflow w ON w.id = f.workflow_id
  JOIN wpa.repository r ON r.id = w.repository_id
  LEFT JOIN wpa.principal i ON i.id = f.ignored_by
 WHERE f.id = $1;

-- name: cli_finding_source
-- params: id bigint
-- rows: one if the text that was analysed is kept
SELECT s.content FROM wpa.finding f JOIN wpa.source s ON s.blob_oid = f.blob_oid WHERE f.id = $1;

-- name: cli_fixable
-- params: workflow_id bigint, rule text
-- rows: one per open finding that has a fix and that no patch under way answers
-- why: one that comes back after a rollback is open, and another patch may have been made of it before
SELECT f.id FROM wpa.finding f
 WHERE ($1::bigint IS NULL OR f.workflow_id = $1) AND ($2::text IS NULL OR f.rule = $2)
   AND f.state = 'open' AND f.persona = 'default' AND jsonb_array_length(f.fixes) > 0
   AND NOT EXISTS (SELECT FROM wpa.patch_finding pf JOIN wpa.patch p ON p.id = pf.patch_id
                    WHERE pf.finding_id = f.id AND p.state IN ('pending','testing','tested','approved'))
 ORDER BY f.id;

-- name: cli_health
-- params: workflow_id bigint, limit bigint
-- rows: one per workflow that has a score, worst first
SELECT w.id, r.name || '/' || regexp_replace(w.path, '^\.github/workflows/', ''), h.total, h.grade,
       h.security, h.performance, h.efficiency, h.compatibility, h.quality, h.run_history, w.open_findings,
       h.cap_reason, h.computed_at
  FROM wpa.health h
  JOIN wpa.workflow w ON w.id = h.workflow_id AND w.state = 'present'
  JOIN wpa.repository r ON r.id = w.repository_id AND r.state <> 'removed'
 WHERE $1::bigint IS NULL OR w.id = $1
 ORDER BY h.total, w.id
 LIMIT $2;

-- name: cli_unread
-- params: workflow_id bigint
-- rows: one per workflow that has no score since it cannot be analysed: id, name, why; by name
SELECT w.id, wpa.slash_name(r.name, w.path) AS name, w.error
  FROM wpa.workflow w
  JOIN wpa.repository r ON r.id = w.repository_id AND r.state <> 'removed'
 WHERE w.state = 'present' AND w.error IS NOT NULL AND ($1::bigint IS NULL OR w.id = $1)
   AND NOT EXISTS (SELECT FROM wpa.health h WHERE h.workflow_id = w.id)
 ORDER BY name;

-- name: cli_patches
-- params: state text, before_id bigint, limit bigint
-- rows: one per patch, newest first
SELECT p.id, p.state, p.reason, p.name, p.patch_version, p.type, p.severity,
       (SELECT count(*) FROM wpa.patch_edit e WHERE e.patch_id = p.id), p.lines_added, p.lines_removed,
       a.name, q.name, p.created_at, p.uid
  FROM wpa.patch p
  JOIN wpa.principal a ON a.id = p.author_id
  LEFT JOIN wpa.principal q ON q.id = p.requester_id
 WHERE ($1::text IS NULL OR p.state = $1) AND ($2::bigint IS NULL OR p.id < $2)
 ORDER BY p.id DESC
 LIMIT $3;

-- name: cli_patch
-- params: id bigint
-- rows: at most one
SELECT p.id, p.state, p.reason, p.name, p.patch_version, p.revision, p.type, p.severity, p.issue, wpa.patch_words(p),
       p.comment, a.name, q.name, p.created_at, p.tested_at, encode(p.digest, 'hex'), p.lines_added,
       p.lines_removed, p.uid, p.version, p.plan, p.rollback, p.confidence
  FROM wpa.patch p
  JOIN wpa.principal a ON a.id = p.author_id
  LEFT JOIN wpa.principal q ON q.id = p.requester_id
 WHERE p.id = $1;

-- name: cli_patch_diff
-- params: id bigint
-- rows: at most one
SELECT diff FROM wpa.patch WHERE id = $1;

-- name: cli_patch_files
-- params: id bigint
-- rows: one per file
SELECT r.name, e.path, e.ref, e.before_oid, e.after_oid
  FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id
 WHERE e.patch_id = $1
 ORDER BY r.name, e.path;

-- name: cli_patch_findings
-- params: id bigint
-- rows: one per finding that it answers
SELECT f.id, f.severity, f.rule, f.state, f.message
  FROM wpa.patch_finding pf JOIN wpa.finding f ON f.id = pf.finding_id
 WHERE pf.patch_id = $1
 ORDER BY f.rank DESC, f.id;

-- name: cli_patch_checks
-- params: id bigint
-- rows: one per check of its latest test
SELECT c.phase, c.check_id, coalesce(c.result, 'running'), c.subject, c.title, c.required, c.cases, c.cases_failed,
       c.duration_ms, c.test_run_id, c.reason
  FROM wpa.test_check c
 WHERE c.test_run_id = (SELECT max(id) FROM wpa.test_run WHERE patch_id = $1)
 ORDER BY c.id;

-- name: cli_patch_approvals
-- params: id bigint
-- rows: one per approval
SELECT g.name, a.at, a.expires_at, a.withdrawn_at, a.is_explicit, a.comment,
       a.digest = p.digest AND a.withdrawn_at IS NULL AND a.expires_at > clock_timestamp() AND g.active
  FROM wpa.approval a JOIN wpa.principal g ON g.id = a.guardian_id JOIN wpa.patch p ON p.id = a.patch_id
 WHERE a.patch_id = $1
 ORDER BY a.id;

-- name: cli_patch_state
-- params: id bigint
-- rows: at most one
SELECT p.state, p.reason, coalesce(t.state, ''), coalesce(t.phase, ''), coalesce(t.checks_done, 0), coalesce(t.checks_total, 0)
  FROM wpa.patch p
  LEFT JOIN LATERAL (SELECT state, phase, checks_done, checks_total FROM wpa.test_run
                      WHERE patch_id = p.id ORDER BY id DESC LIMIT 1) t ON true
 WHERE p.id = $1;

-- name: cli_deployments
-- params: live boolean, before_id bigint, limit bigint
-- rows: one per deployment, newest first
SELECT d.id, d.state, d.reason, d.patch_id, p.name, d.current_stage,
       (SELECT count(*) FROM wpa.deployment_stage s WHERE s.deployment_id = d.id),
       (SELECT count(*) FROM wpa.deployment_target t WHERE t.deployment_id = d.id),
       g.name, d.created_at, d.finished_at, d.rollback_at
  FROM wpa.deployment d
  JOIN wpa.patch p ON p.id = d.patch_id
  JOIN wpa.principal g ON g.id = d.started_by
 WHERE (NOT $1 OR d.state IN ('planned', 'running', 'paused', 'rolling_back', 'stuck'))
   AND ($2::bigint IS NULL OR d.id < $2)
 ORDER BY d.id DESC
 LIMIT $3;

-- name: cli_deployment
-- params: id bigint
-- rows: at most one
SELECT d.id, d.state, d.reason, d.rule, d.patch_id, p.name, d.current_stage, g.name, d.created_at, d.started_at,
       d.finished_at, d.rollback_at, r.name, d.rollback_reason, encode(d.digest, 'hex'), d.version, d.uid, d.summary, d.plan
  FROM wpa.deployment d
  JOIN wpa.patch p ON p.id = d.patch_id
  JOIN wpa.principal g ON g.id = d.started_by
  LEFT JOIN wpa.principal r ON r.id = coalesce(d.rolled_back_by, d.rollback_by)
 WHERE d.id = $1;

-- name: cli_deployment_stages
-- params: id bigint
-- rows: one per stage
SELECT s.n, s.name, s.state, s.reason,
       (SELECT count(*) FROM wpa.deployment_target t WHERE t.deployment_id = s.deployment_id AND t.n = s.n
           AND t.state IN ('applied', 'verified')),
       (SELECT count(*) FROM wpa.deployment_target t WHERE t.deployment_id = s.deployment_id AND t.n = s.n),
       s.bake_ms,
       CASE WHEN s.state = 'baking'
            THEN greatest(0, coalesce(s.bake_left_ms, extract(epoch FROM s.bake_until - clock_timestamp()) * 1000))::bigint END,
       s.started_at, s.finished_at
  FROM wpa.deployment_stage s
 WHERE s.deployment_id = $1
 ORDER BY s.n;

-- name: cli_deployment_targets
-- params: id bigint
-- rows: one per target
SELECT t.n, r.name, t.ref, t.state, left(t.base_oid, 12), left(t.applied_oid, 12), left(t.revert_oid, 12), t.note, t.target_id
  FROM wpa.deployment_target t JOIN wpa.repository r ON r.id = t.target_id
 WHERE t.deployment_id = $1
 ORDER BY t.n, t.ordinal, t.target_id;

-- name: cli_deployment_probes
-- params: id bigint
-- rows: one per health check, with its latest measurement
SELECT b.n, b.name, b.kind, coalesce(r.name, ''), b.verdict, m.result, m.value, b.limit_text, m.message, b.critical, m.ended_at
  FROM wpa.probe b
  LEFT JOIN wpa.repository r ON r.id = b.target_id
  LEFT JOIN LATERAL (SELECT result, value, message, ended_at FROM wpa.measurement
                      WHERE probe_id = b.id ORDER BY id DESC LIMIT 1) m ON true
 WHERE b.deployment_id = $1
 ORDER BY b.n NULLS FIRST, b.id;

-- name: cli_deployment_state
-- params: id bigint
-- rows: at most one
SELECT d.state, d.reason, coalesce(d.current_stage, 0), coalesce(s.state, ''), coalesce(s.name, ''), d.version,
       d.rollback_at IS NOT NULL
  FROM wpa.deployment d
  LEFT JOIN wpa.deployment_stage s ON s.deployment_id = d.id AND s.n = d.current_stage
 WHERE d.id = $1;

-- name: cli_deployment_of_patch
-- params: patch_id bigint
-- rows: at most one: its latest
SELECT id FROM wpa.deployment WHERE patch_id = $1 ORDER BY id DESC LIMIT 1;

-- name: cli_audit
-- params: subject text, before_seq bigint, limit bigint
-- rows: one per row of the audit log, latest first
SELECT a.seq, a.at, coalesce(p.name, a.actor), a.action, a.subject, a.detail, encode(a.hash, 'hex')
  FROM wpa.audit a
  LEFT JOIN wpa.principal p ON p.id = CASE WHEN a.actor ~ '^[0-9]{1,18}$' THEN a.actor::bigint END
 WHERE ($1::text IS NULL OR a.subject = $1) AND ($2::bigint IS NULL OR a.seq < $2)
 ORDER BY a.seq DESC
 LIMIT $3;
