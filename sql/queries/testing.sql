-- name: testing_patch
-- params: patch_id bigint
-- rows: at most one
SELECT p.id, p.name, p.description, p.issue, p.state, p.digest, p.attempt, p.declares, a.role, p.requester_id
  FROM wpa.patch p JOIN wpa.principal a ON a.id = p.author_id WHERE p.id = $1::bigint;

-- name: testing_edits
-- params: patch_id bigint
-- rows: by target and path
SELECT e.repository_id, r.name, r.url, r.branch, r.owner, r.test_command, e.ref, e.base_commit,
       e.path, e.before_oid, e.after_oid, e.before_bytes, e.after_bytes, e.mode, e.edits, e.inverse
  FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id
 WHERE e.patch_id = $1::bigint ORDER BY e.repository_id, e.ref COLLATE "C", e.path COLLATE "C";

-- name: testing_findings
-- params: patch_id bigint
-- rows: those it answers
SELECT f.rule, f.fingerprint, r.name, f.path
  FROM wpa.patch_finding pf JOIN wpa.finding f ON f.id = pf.finding_id
  JOIN wpa.workflow w ON w.id = f.workflow_id JOIN wpa.repository r ON r.id = w.repository_id
 WHERE pf.patch_id = $1::bigint ORDER BY f.id;

-- name: testing_abandon_run
-- params: patch_id bigint, reason text
-- rows: none
-- why: a test whose agent died; whoever holds the lease now ends it before beginning his own
UPDATE wpa.test_run SET state = 'cancelled', reason = $2, phase = NULL, finished_at = clock_timestamp()
 WHERE patch_id = $1::bigint AND state = 'running';

-- name: testing_give_back
-- params: patch_id bigint
-- rows: none
UPDATE wpa.patch SET state = 'pending' WHERE id = $1::bigint AND state = 'testing';

-- name: testing_begin
-- params: patch_id bigint
-- rows: at most one: attempt
UPDATE wpa.patch SET state = 'testing', attempt = attempt + 1
 WHERE id = $1::bigint AND state = 'pending' RETURNING attempt;

-- name: testing_run_new
-- params: patch_id bigint, digest bytea, attempt int, requested_by bigint, job_id bigint
-- rows: one: id
INSERT INTO wpa.test_run (patch_id, digest, attempt, requested_by, job_id)
VALUES ($1::bigint, $2::bytea, $3::int, $4::bigint, $5::bigint) RETURNING id;

-- name: testing_run_phase
-- params: run_id bigint, phase text, checks_total int
-- rows: none
UPDATE wpa.test_run SET phase = $2, checks_total = $3::int WHERE id = $1::bigint;

-- name: testing_check_new
-- params: run_id bigint, check_id text, subject text, phase text, title text, waivable boolean
-- rows: one: id
INSERT INTO wpa.test_check (test_run_id, check_id, subject, phase, title, waivable)
VALUES ($1::bigint, $2, $3, $4, $5, $6::boolean) RETURNING id;

-- name: testing_check_begin
-- params: id bigint
-- rows: none
UPDATE wpa.test_check SET started_at = clock_timestamp() WHERE id = $1::bigint;

-- name: testing_check_end
-- params: id bigint, result text, reason text, evidence jsonb, output text, cases int, cases_failed int, duration_ms bigint
-- rows: none
WITH c AS (
  UPDATE wpa.test_check SET result = $2, reason = $3, evidence = $4::jsonb, output = $5,
         cases = $6::int, cases_failed = $7::int, duration_ms = $8::bigint
   WHERE id = $1::bigint RETURNING test_run_id)
UPDATE wpa.test_run r SET checks_done = checks_done + 1 FROM c WHERE r.id = c.test_run_id;

-- name: testing_run_end
-- params: run_id bigint, state text, reason text, report jsonb, coverage jsonb
-- rows: none
UPDATE wpa.test_run SET state = $2, reason = $3, phase = NULL, report = $4::jsonb, coverage = $5::jsonb,
       finished_at = clock_timestamp() WHERE id = $1::bigint AND state = 'running';

-- name: testing_confidence
-- params: patch_id bigint
-- rows: one: quiet, restored: targets of deployments of patches that answer the same rules
WITH kin AS (
  SELECT DISTINCT o.patch_id FROM wpa.patch_finding o JOIN wpa.finding f ON f.id = o.finding_id
   WHERE f.rule IN (SELECT g.rule FROM wpa.patch_finding m JOIN wpa.finding g ON g.id = m.finding_id WHERE m.patch_id = $1::bigint))
SELECT count(*) FILTER (WHERE t.state = 'verified' AND d.state = 'succeeded' AND t.verified_at < clock_timestamp() - interval '7 days'),
       count(*) FILTER (WHERE t.state = 'reverted')
  FROM kin JOIN wpa.deployment d ON d.patch_id = kin.patch_id JOIN wpa.deployment_target t ON t.deployment_id = d.id;

-- name: testing_pass
-- params: patch_id bigint, report jsonb, confidence jsonb
-- rows: at most one: id
-- why: what was tested is what is stored: a changed digest cannot pass
UPDATE wpa.patch p SET state = 'tested', tested_digest = digest, report = $2::jsonb, confidence = $3::jsonb
 WHERE id = $1::bigint AND state = 'testing'
   AND digest = (SELECT r.digest FROM wpa.test_run r WHERE r.patch_id = p.id AND r.state = 'running')
RETURNING id;

-- name: testing_fail
-- params: patch_id bigint, reason text, report jsonb
-- rows: none
UPDATE wpa.patch SET state = 'failed', reason = $2, report = $3::jsonb WHERE id = $1::bigint AND state = 'testing';

-- name: testing_callers
-- params: slugs text[]
-- rows: slug, repository, path, content of definitions that use one of these; content NULL: it is not kept
-- why: one more than are looked at tells that there are more
SELECT u.slug, r.name, w.path, s.content
  FROM (SELECT DISTINCT d.slug, d.workflow_id FROM wpa.definition_use d WHERE d.slug = ANY($1::text[])) u
  JOIN wpa.workflow w ON w.id = u.workflow_id AND w.state = 'present'
  JOIN wpa.repository r ON r.id = w.repository_id AND r.state = 'ok'
  LEFT JOIN wpa.source s ON s.blob_oid = w.blob_oid
 ORDER BY r.name, w.path, u.slug LIMIT 301;

-- name: testing_rivals
-- params: patch_id bigint
-- rows: edits by other patches that are open, or being deployed, of the same files; those that are deployed first
-- why: one more than are looked at tells that there are more
SELECT p.id, p.name, p.state, d.state, o.repository_id, o.ref, o.path, o.before_oid, o.after_oid, o.edits
  FROM wpa.patch_edit m
  JOIN wpa.patch_edit o ON o.repository_id = m.repository_id AND o.ref = m.ref AND o.path = m.path AND o.patch_id <> m.patch_id
  JOIN wpa.patch p ON p.id = o.patch_id
  LEFT JOIN wpa.deployment d ON d.patch_id = p.id AND d.state IN ('planned', 'running', 'paused', 'rolling_back', 'stuck')
 WHERE m.patch_id = $1::bigint AND (p.state IN ('pending', 'testing', 'tested', 'approved') OR d.id IS NOT NULL)
 ORDER BY (d.id IS NULL), (p.state <> 'approved'), p.id, o.repository_id, o.ref COLLATE "C", o.path COLLATE "C" LIMIT 301;

-- name: testing_upstreams
-- params: slugs text[]
-- rows: those of these repositories, owner and name in lower case, that are in the fleet
SELECT u.slug, r.url, r.branch
  FROM wpa.repository r, LATERAL (SELECT lower(r.owner || '/' || regexp_replace(r.name, '^.*/', '')) AS slug) u
 WHERE r.state = 'ok' AND r.owner <> '' AND u.slug = ANY($1::text[])
 ORDER BY u.slug, r.id LIMIT 100;
