-- name: api_jobs_ended
-- params: ids bigint[]
-- rows: one per job that has ended, or is unknown
SELECT i FROM unnest($1::bigint[]) AS u(i)
 WHERE NOT EXISTS (SELECT FROM wpa.job j WHERE j.id = i AND j.state IN ('queued','running'));

-- name: api_snapshot
-- params:
-- rows: one: what a statement sees that begins now
-- why: two statements with the same snapshot see the same rows, so an answer made for one is the other's
SELECT pg_current_snapshot()::text;

-- name: api_token_find
-- params: hash bytea
-- rows: one if the token stands: principal, name, role, scopes
SELECT principal_id, name, role, scopes FROM wpa.api_token_find($1);

-- name: api_callers_gone
-- params: kinds text[], keys text[], principals bigint[]
-- rows: keys of those whose token would not be taken now: of a session its id, of a machine the token's hash, of the provider's what it is revoked by
SELECT c.key FROM unnest($1::text[], $2::text[], $3::bigint[]) c(kind, key, principal_id)
 WHERE NOT EXISTS (SELECT FROM wpa.principal p WHERE p.id = c.principal_id AND p.active)
    OR CASE c.kind WHEN 'session' THEN NOT EXISTS (SELECT FROM wpa.session s WHERE s.jti = c.key::uuid AND s.ended_at IS NULL AND s.expires_at > clock_timestamp())
                   WHEN 'machine' THEN NOT EXISTS (SELECT FROM wpa.api_token_find(decode(c.key, 'hex')))
                   ELSE EXISTS (SELECT FROM wpa.token_revoked t WHERE t.key = decode(c.key, 'hex'))
                     OR NOT EXISTS (SELECT FROM wpa.principal_subject b JOIN wpa.setting i ON i.key = 'oidc_issuer' AND i.value = b.issuer
                                     WHERE b.principal_id = c.principal_id) END;

-- name: api_idempotency_take
-- params: principal_id bigint, key text, digest bytea
-- rows: one: was it free; else digest, status, answer, location of the first call
-- why: a key whose first call never ended (a killed server) is free again after ten minutes
WITH ended AS (
  DELETE FROM wpa.api_idempotency WHERE made_at < clock_timestamp() - interval '1 day'
      OR (principal_id = $1::bigint AND key = $2 AND status IS NULL AND made_at < clock_timestamp() - interval '10 minutes')
  RETURNING principal_id, key),
taken AS (
  INSERT INTO wpa.api_idempotency AS i (principal_id, key, digest) VALUES ($1::bigint, $2, $3::bytea)
      ON CONFLICT (principal_id, key) DO NOTHING RETURNING i.digest)
SELECT true, NULL::bytea, NULL::int, NULL::text, NULL::text FROM taken
UNION ALL
SELECT false, i.digest, i.status, i.answer, i.location FROM wpa.api_idempotency i
 WHERE i.principal_id = $1::bigint AND i.key = $2 AND NOT EXISTS (SELECT FROM taken);

-- name: api_idempotency_keep
-- params: principal_id bigint, key text, status integer, answer text, location text
-- rows: none
-- why: status null frees the key
WITH freed AS (
  DELETE FROM wpa.api_idempotency WHERE principal_id = $1::bigint AND key = $2 AND $3::int IS NULL)
UPDATE wpa.api_idempotency SET status = $3::int, answer = $4, location = $5
 WHERE principal_id = $1::bigint AND key = $2 AND $3::int IS NOT NULL;

-- name: api_health
-- params: workflow_id bigint
-- rows: one: total, grade, uncapped, cap reason, six parts, explanation, analysed at, open issues, open critical findings, patches pending to approved, patches deployed
SELECT h.total, h.grade, h.uncapped, h.cap_reason, h.security, h.performance, h.efficiency, h.compatibility, h.quality, h.run_history,
       (SELECT jsonb_agg(CASE WHEN f.id IS NULL THEN l.l ELSE l.l || jsonb_build_object('finding', f.uid, 'short_id', 'f-' || f.id) END ORDER BY l.n)
          FROM jsonb_array_elements(CASE jsonb_typeof(h.explanation) WHEN 'array' THEN h.explanation ELSE '[]' END) WITH ORDINALITY l(l, n)
          LEFT JOIN wpa.finding f ON f.id = (l.l->>'finding')::bigint), w.analysed_at,
       (SELECT count(*) FROM wpa.finding f WHERE f.workflow_id = w.id AND f.kind = 'issue' AND f.state IN ('open','in_patch','verifying')),
       (SELECT count(*) FROM wpa.finding f WHERE f.workflow_id = w.id AND f.severity = 'critical' AND f.state IN ('open','in_patch','verifying')),
       count(*) FILTER (WHERE p.state IN ('pending','testing','tested','approved')), count(*) FILTER (WHERE p.state = 'deployed')
  FROM wpa.workflow w LEFT JOIN wpa.health h ON h.workflow_id = w.id
  LEFT JOIN LATERAL (SELECT DISTINCT x.id, x.state FROM wpa.finding f JOIN wpa.patch_finding pf ON pf.finding_id = f.id
                       JOIN wpa.patch x ON x.id = pf.patch_id WHERE f.workflow_id = w.id) p ON true
 WHERE w.id = $1::bigint
 GROUP BY w.id, h.workflow_id;

-- name: api_analyses
-- params: before bigint, limit bigint, workflow_id bigint, status text
-- rows: newest first: key, fields
SELECT a.key, a.id, a.short_id, a.workflow_name, a.analysis_type, a."metrics.files", a."metrics.rules_run", a."metrics.duration_ms", a."metrics.findings_new",
       a."metrics.findings_fixed", a."metrics.is_complete", a."metrics.findings_by_severity.critical", a."metrics.findings_by_severity.high",
       a."metrics.findings_by_severity.medium", a."metrics.findings_by_severity.low", a."metrics.score", a.severity, a.status, a.error, a.analyzed_by,
       a.requested_by, a.reviewed_by, a.created_at, a.finished_at FROM wpa.v_api_analysis a
 WHERE a.key = ANY((SELECT wpa.api_page_analyses($1::bigint, $2::bigint, $3::bigint, $4::text))::bigint[]) ORDER BY a.key DESC;

-- name: api_analysis
-- params: id bigint
-- rows: at most one: null, fields with findings and recommendations
SELECT NULL::bigint, a.id, a.short_id, a.workflow_name, a.analysis_type, a."metrics.files", a."metrics.rules_run", a."metrics.duration_ms", a."metrics.findings_new",
       a."metrics.findings_fixed", a."metrics.is_complete", a."metrics.findings_by_severity.critical", a."metrics.findings_by_severity.high",
       a."metrics.findings_by_severity.medium", a."metrics.findings_by_severity.low", a."metrics.score", a.severity, a.status, a.error, a.analyzed_by,
       a.requested_by, a.reviewed_by, a.created_at, a.finished_at, d.findings, d.recommendations
  FROM wpa.v_api_analysis a CROSS JOIN LATERAL wpa.analysis_detail(a.key) d WHERE a.key = $1::bigint;

-- name: api_analysis_of_job
-- params: job_id bigint
-- rows: at most one: id of the last analysis that the job made
SELECT id FROM wpa.workflow_analysis WHERE job_id = $1::bigint ORDER BY id DESC LIMIT 1;

-- name: api_analysis_by_uid
-- params: uid uuid
-- rows: at most one: id
SELECT id FROM wpa.workflow_analysis WHERE uid = $1::uuid;

-- name: api_patches
-- params: before bigint, limit bigint, workflow_id bigint, status text, severity text
-- rows: newest first: key, the entry that is kept, what ends with time
-- why: the function gives the rows in order; to sort them once more takes as long as all that is said of them
SELECT b.patch_id, b.item AS "...", b.configs AS "...",
       -- what valid_approvals counts, by what is kept as long as that is so
       CASE WHEN NOT b.has_approval OR b.last_end <= statement_timestamp() THEN 0
            WHEN b.first_end > statement_timestamp() AND b.approvers <@ n.guardians
              THEN coalesce(cardinality(CASE WHEN n.need < 2 THEN b.approvers ELSE b.outsiders END), 0)
            ELSE (SELECT wpa.valid_approvals(p.id, p.digest, n.need >= 2) FROM wpa.patch p WHERE p.id = b.patch_id) END AS approvals, n.need AS approvals_required
  FROM wpa.api_patches_page($1::bigint, $2::bigint, $3::bigint, $4::text, $5::text) b
  CROSS JOIN (SELECT coalesce((SELECT value::bigint FROM wpa.setting WHERE key = 'approvals_required'), 1) AS need,
                     ARRAY(SELECT id FROM wpa.principal WHERE role = 'guardian' AND active) AS guardians) n;

-- name: api_patch
-- params: id bigint
-- rows: at most one: version, the entry that is kept with its details, what may change without the patch
SELECT p.version, b.item AS "...", b.detail AS "...", p.diff,
       (SELECT coalesce(json_agg(json_build_object('id', f.uid, 'short_id', 'f-' || f.id, 'rule', f.rule, 'severity', f.severity, 'state', f.state,
          'message', f.message) ORDER BY f.rank DESC, f.id), '[]') FROM wpa.patch_finding x JOIN wpa.finding f ON f.id = x.finding_id WHERE x.patch_id = b.patch_id) AS answers,
       CASE WHEN NOT b.has_approval OR b.last_end <= statement_timestamp() THEN 0
            WHEN b.first_end > statement_timestamp() AND b.approvers <@ n.guardians
              THEN coalesce(cardinality(CASE WHEN n.need < 2 THEN b.approvers ELSE b.outsiders END), 0)
            ELSE wpa.valid_approvals(p.id, p.digest, n.need >= 2) END AS approvals, n.need AS approvals_required
  FROM wpa.patch_brief b JOIN wpa.patch p ON p.id = b.patch_id
  CROSS JOIN (SELECT coalesce((SELECT value::bigint FROM wpa.setting WHERE key = 'approvals_required'), 1) AS need,
                     ARRAY(SELECT id FROM wpa.principal WHERE role = 'guardian' AND active) AS guardians) n
 WHERE b.patch_id = $1::bigint;

-- name: api_patch_by_uid
-- params: uid uuid
-- rows: at most one: id
SELECT id FROM wpa.patch WHERE uid = $1::uuid;

-- name: api_patch_test
-- params: id bigint
-- rows: at most one: id of the live test job, version, item: the report of the last test of this content
SELECT (SELECT j.id FROM wpa.job j WHERE j.kind = 'test' AND j.subject = 'patch:' || p.id AND j.state IN ('queued','running')),
       t.id, (jsonb_build_object('patch_id', p.uid, 'patch_name', p.name, 'status', p.state, 'reason', coalesce(t.reason, p.reason),
         'attempt', t.attempt, 'started_at', wpa.api_time(t.started_at), 'finished_at', wpa.api_time(t.finished_at))
         || coalesce(t.report, '{}'))::text, p.state
  FROM wpa.patch p LEFT JOIN LATERAL (SELECT * FROM wpa.test_run r WHERE r.patch_id = p.id AND r.digest = p.digest
         AND r.state IN ('passed','failed','error') ORDER BY r.id DESC LIMIT 1) t ON true
 WHERE p.id = $1::bigint;

-- name: api_deployed
-- params: deployment_id bigint
-- rows: at most one: version, item, its state, is it live, patch id
SELECT d.version, wpa.api_deployed(d)::text, d.state, d.state IN ('planned','running','rolling_back'), d.patch_id FROM wpa.deployment d WHERE d.id = $1::bigint;

-- name: api_deploy_jobs
-- params: deployment_id bigint
-- rows: live jobs that carry it out, then those that look at its result: id
SELECT j.id FROM wpa.job j WHERE j.state IN ('queued','running')
   AND ((j.kind = 'deploy' AND j.subject = 'deployment:' || $1::bigint AND EXISTS (SELECT FROM wpa.deployment d
           WHERE d.id = $1::bigint AND d.state IN ('planned','running','rolling_back')))
     OR (j.kind = 'scan' AND j.subject IN (SELECT 'repository:' || t.target_id FROM wpa.deployment_target t WHERE t.deployment_id = $1::bigint))
     OR (j.kind = 'analyse' AND j.subject IN (SELECT 'workflow:' || w.id FROM wpa.deployment_target t JOIN wpa.workflow w ON w.repository_id = t.target_id
           WHERE t.deployment_id = $1::bigint)))
 ORDER BY j.kind <> 'deploy', j.kind <> 'scan', j.id LIMIT 1;

-- name: api_rollback_of
-- params: patch_id bigint
-- rows: one if there is such a patch: its latest deployment that can be rolled back, or null
SELECT (SELECT v.id FROM wpa.v_deployment v WHERE v.patch_id = p.id AND v.can_roll_back ORDER BY v.id DESC LIMIT 1)
  FROM wpa.patch p WHERE p.id = $1::bigint;

-- name: api_findings
-- params: before bigint, limit bigint, workflow_id bigint, repository text, state text, severity text, dimension text, kind text, rule text, has_fix boolean, contains text, terms jsonb
-- why: the function gives the rows in order, see api_patches
-- rows: newest first: key, fields as in v_api_finding; what is open and for everybody unless a state is asked for
SELECT f.id, 'wpa.finding/1' AS schema, f.uid AS id, 'f-' || f.id AS short_id, f.fingerprint, f.rule, f.code, f.check_name AS "check", f.dimension, f.kind,
       f.severity, f.confidence, f.persona, f.state, f.message,
       coalesce(f.repository, (SELECT r.name FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id WHERE w.id = f.workflow_id)) AS repository,
       coalesce(f.workflow_name, (SELECT w.name FROM wpa.workflow w WHERE w.id = f.workflow_id)) AS workflow_name, f.path,
       f.start_line AS "span.start.line", f.start_column AS "span.start.column", f.end_line AS "span.end.line", f.end_column AS "span.end.column",
       ARRAY[f.start_byte, f.end_byte] AS "span.bytes", f.related, f.structure, f.aliases, f.help, f.data, f.fixes, f.fixes <> '[]' AS has_fix,
       CASE WHEN f.had_patch THEN (SELECT p.uid FROM wpa.patch_finding x JOIN wpa.patch p ON p.id = x.patch_id
          WHERE x.finding_id = f.id AND p.state NOT IN ('failed','rolled_back') ORDER BY x.patch_id DESC LIMIT 1) END AS patch_id,
       CASE WHEN f.ignored_by IS NOT NULL THEN json_build_object('by', (SELECT g.name FROM wpa.principal g WHERE g.id = f.ignored_by),
         'reason', f.ignored_reason, 'until', wpa.api_time(f.ignored_until)) END AS ignored, f.first_seen, f.last_seen, f.fixed_at
  FROM wpa.api_findings_page($1::bigint, $2::bigint, $3::bigint, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text,
         $10::boolean, $11::text, $12::jsonb) f;

-- name: api_finding
-- params: id bigint
-- rows: at most one: version, fields
SELECT v.version, v.schema, v.id, v.short_id, v.fingerprint, v.rule, v.code, v."check", v.dimension, v.kind, v.severity, v.confidence, v.persona, v.state,
       v.message, v.repository, v.workflow_name, v.path, v."span.start.line", v."span.start.column", v."span.end.line", v."span.end.column", v."span.bytes",
       v.related, v.structure, v.aliases, v.help, v.data, v.fixes, v.has_fix, v.patch_id, v.ignored, v.first_seen, v.last_seen, v.fixed_at,
       wpa.api_comments('finding:' || v.key) AS comments
  FROM wpa.v_api_finding v WHERE v.key = $1::bigint;

-- name: api_finding_by_uid
-- params: uid uuid
-- rows: at most one: id
SELECT id FROM wpa.finding WHERE uid = $1::uuid;

-- name: api_deployments
-- params: before bigint, limit bigint, state text, patch_id bigint
-- rows: newest first: key, fields
SELECT v.key, v.id, v.short_id, v.patch_id, v.patch_name, v.patch_version, v.state, v.deployment_status, v.reason, v.rule, v.strategy, v.stage,
       v.stages_total, v.targets, v.targets_changed, v.targets_restored, v.started_by, v.rolled_back_by, v.rollback_at, v.digest, v.created_at, v.started_at,
       v.finished_at, v.updated_at FROM wpa.v_api_deployment v
 WHERE v.key = ANY((SELECT wpa.api_page_deployments($1::bigint, $2::bigint, $3::text, $4::bigint))::bigint[]) ORDER BY v.key DESC;

-- name: api_deployment
-- params: id bigint
-- rows: at most one: version, fields with stages, targets and checks
SELECT v.version, v.id, v.short_id, v.patch_id, v.patch_name, v.patch_version, v.state, v.deployment_status, v.reason, v.rule, v.strategy, v.stage,
       v.stages_total, v.targets, v.targets_changed, v.targets_restored, v.started_by, v.rolled_back_by, v.rollback_at, v.digest, v.created_at, v.started_at,
       v.finished_at, v.updated_at, wpa.deployment_detail(v.key) AS "..." FROM wpa.v_api_deployment v WHERE v.key = $1::bigint;

-- name: api_deployment_by_uid
-- params: uid uuid
-- rows: at most one: id
SELECT id FROM wpa.deployment WHERE uid = $1::uuid;

-- name: api_jobs
-- params: before bigint, limit bigint, state text, kind text
-- rows: newest first: key, fields
SELECT v.key, v.id, v.short_id, v.kind, v.subject, v.subject_id, v.label, v.state, v.attempt, v.note, v.done, v.total, v.error, v.result, v.requested_by, v.created_at, v.run_after,
       v.started_at, v.finished_at FROM wpa.v_api_job v
 WHERE ($1::bigint IS NULL OR v.key < $1) AND ($3::text IS NULL OR v.state = $3) AND ($4::text IS NULL OR v.kind = $4)
 ORDER BY v.key DESC LIMIT $2::bigint;

-- name: api_job
-- params: id bigint
-- rows: at most one: null, fields
SELECT NULL::bigint, v.id, v.short_id, v.kind, v.subject, v.subject_id, v.label, v.state, v.attempt, v.note, v.done, v.total, v.error, v.result, v.requested_by, v.created_at, v.run_after,
       v.started_at, v.finished_at FROM wpa.v_api_job v WHERE v.key = $1::bigint;

-- name: api_agents
-- params: before bigint, limit bigint, state text
-- rows: last started first: start, item
SELECT v.id, v.item::text FROM wpa.v_api_agent v WHERE ($1::bigint IS NULL OR v.id < $1) AND ($3::text IS NULL OR v.state = $3)
 ORDER BY v.id DESC LIMIT $2::bigint;

-- name: api_audit
-- params: before bigint, limit bigint, actor text, action text, subject text
-- rows: newest first: seq, fields
SELECT v.key, v.seq, v.at, v.actor, v.action, v.subject, v.subject_id, v.detail, v.prev, v.hash FROM wpa.v_api_audit v
 WHERE v.key = ANY((SELECT wpa.api_page_audit($1::bigint, $2::bigint, $3::text, $4::text, $5::text))::bigint[]) ORDER BY v.key DESC;

-- name: api_notices
-- params: before bigint, limit bigint, level text, is_open boolean
-- rows: newest first: id, item
SELECT v.id, v.item::text FROM wpa.v_api_notice v
 WHERE ($1::bigint IS NULL OR v.id < $1) AND ($3::text IS NULL OR v.level = $3) AND ($4::boolean IS NULL OR v.is_open = $4)
 ORDER BY v.id DESC LIMIT $2::bigint;

-- name: api_notice
-- params: id bigint
-- rows: at most one: null, item
SELECT NULL::bigint, v.item::text FROM wpa.v_api_notice v WHERE v.id = $1::bigint;

-- name: api_repositories
-- params: before bigint, limit bigint
-- rows: newest first: id, item
SELECT v.id, v.item::text FROM wpa.v_api_repository v WHERE ($1::bigint IS NULL OR v.id < $1) ORDER BY v.id DESC LIMIT $2::bigint;

-- name: api_repository
-- params: name text
-- rows: at most one: null, item
SELECT NULL::bigint, v.item::text FROM wpa.v_api_repository v WHERE v.name = $1;

-- name: api_repository_name
-- params: name text, id bigint, uid uuid
-- rows: at most one: name of the repository that is named in any way
SELECT r.name FROM wpa.repository r WHERE r.state <> 'removed' AND (r.name = $1 OR r.id = $2::bigint OR r.uid = $3::uuid)
 ORDER BY r.name = $1 DESC LIMIT 1;

-- name: api_principal_name
-- params: name text, uid uuid
-- rows: at most one: name of the person that is named in any way
SELECT p.name FROM wpa.principal p WHERE lower(p.name) = lower($1) OR p.uid = $2::uuid ORDER BY lower(p.name) = lower($1) DESC LIMIT 1;

-- name: api_thing_by_uid
-- params: kind text, uid uuid
-- rows: at most one: id
SELECT t.id FROM wpa.v_api_thing t WHERE t.kind = $1 AND t.uid = $2::uuid LIMIT 1;

-- name: api_news
-- params: kinds text[], numbers bigint[]
-- rows: one each, in order: of what kind the thing is, its UUID, its short id; nulls for what is not there
SELECT t.of, t.uid, t.short_id FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY n(kind, id, at)
  LEFT JOIN LATERAL (SELECT x.of, x.uid, x.short_id FROM wpa.v_api_thing x WHERE x.kind = n.kind AND x.id = n.id LIMIT 1) t ON true ORDER BY n.at;

-- name: api_workflows
-- params: before bigint, limit bigint, repository text
-- rows: newest first: id, item
SELECT v.id, v.item::text FROM wpa.v_api_workflow v
 WHERE ($1::bigint IS NULL OR v.id < $1) AND ($3::text IS NULL OR v.repository_id = (SELECT r.id FROM wpa.repository r WHERE r.name = $3))
 ORDER BY v.id DESC LIMIT $2::bigint;

-- name: api_guardians
-- params: before bigint, limit bigint
-- rows: newest first: id, item
SELECT v.id, v.item::text FROM wpa.v_api_guardian v WHERE ($1::bigint IS NULL OR v.id < $1) ORDER BY v.id DESC LIMIT $2::bigint;

-- name: api_guardian
-- params: name text
-- rows: at most one: null, item
SELECT NULL::bigint, v.item::text FROM wpa.v_api_guardian v WHERE v.name = $1;

-- name: api_sessions
-- params: before bigint, limit bigint, name text
-- rows: those that stand, the newest first: start, item
SELECT wpa.us(s.created_at), jsonb_build_object('id', s.jti, 'name', p.name, 'role', p.role, 'kind', s.kind, 'opened_at', wpa.api_time(s.created_at),
       'expires_at', wpa.api_time(s.expires_at), 'address', s.address, 'user_agent', s.user_agent)::text AS item
  FROM wpa.session s JOIN wpa.principal p ON p.id = s.principal_id
 WHERE s.ended_at IS NULL AND s.expires_at > clock_timestamp() AND p.active AND ($1::bigint IS NULL OR wpa.us(s.created_at) < $1)
   AND ($3::text IS NULL OR p.name = $3)
 ORDER BY s.created_at DESC LIMIT $2::bigint;

-- name: api_tokens
-- params: before bigint, limit bigint
-- rows: newest first: id, item
SELECT v.id, v.item::text FROM wpa.v_api_token v WHERE ($1::bigint IS NULL OR v.id < $1) ORDER BY v.id DESC LIMIT $2::bigint;

-- name: api_token
-- params: id bigint
-- rows: at most one: null, item
SELECT NULL::bigint, v.item::text FROM wpa.v_api_token v WHERE v.id = $1::bigint;

-- name: api_token_make
-- params: name text, principal_id bigint, hash bytea, scopes text[], expires_at timestamptz
-- rows: one: id
INSERT INTO wpa.api_token (name, principal_id, made_by, hash, scopes, expires_at)
VALUES ($1, coalesce($2::bigint, wpa.actor()), wpa.actor(), $3::bytea, $4::text[], $5::timestamptz) RETURNING id;

-- name: api_token_revoke
-- params: id bigint
-- rows: at most one: id
UPDATE wpa.api_token SET revoked_at = clock_timestamp() WHERE id = $1::bigint AND revoked_at IS NULL RETURNING id;

-- name: api_metrics
-- params:
-- rows: by name: name, labels, value; as of now
SELECT name, labels, value FROM (
  SELECT name, labels, value FROM wpa.metrics_now()
  UNION ALL
  SELECT 'wpa_rule_findings_open', jsonb_build_object('rule', f.rule), count(*)::float8 FROM wpa.finding f WHERE f.state IN ('open','in_patch','verifying') GROUP BY f.rule
  UNION ALL
  SELECT 'wpa_deliveries', jsonb_build_object('destination', d.name, 'state', s.state), s.n::float8
    FROM wpa.v_destination d, LATERAL (VALUES ('waiting', d.waiting), ('dead', d.dead)) s(state, n)) x
 WHERE value IS NOT NULL ORDER BY name, labels;

-- name: api_metrics_windows
-- params:
-- rows: by name: name, labels, value; over 7, 30 and 90 days
SELECT m.name, m.labels || jsonb_build_object('window', w.label), m.value
  FROM (VALUES ('7d', interval '7 days'), ('30d', interval '30 days'), ('90d', interval '90 days')) w(label, size)
  CROSS JOIN LATERAL wpa.metrics_since(now() - w.size) m
 WHERE m.value IS NOT NULL ORDER BY 1, 2;

-- name: api_metrics_split
-- params:
-- rows: by name: name, labels, value; by rule, owner and repository
SELECT name, labels, value FROM wpa.metrics_split() WHERE value IS NOT NULL ORDER BY name, labels;


-- name: api_default_config
-- params:
-- rows: one: version, item
SELECT c.version, jsonb_build_object('content', c.content, 'version', c.version, 'changed_by', p.name, 'changed_at', wpa.api_time(c.changed_at))::text AS item
  FROM wpa.default_config c LEFT JOIN wpa.principal p ON p.id = c.changed_by;
