-- name: api_jobs_ended
-- params: ids bigint[]
-- rows: one per job that has ended, or is unknown
SELECT i FROM unnest($1::bigint[]) AS u(i)
 WHERE NOT EXISTS (SELECT FROM wpa.job j WHERE j.id = i AND j.state IN ('queued','running'));

-- name: api_token_find
-- params: hash bytea
-- rows: one if the token stands: principal, name, role, scopes
SELECT principal_id, name, role, scopes FROM wpa.api_token_find($1);

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
       h.explanation, w.analysed_at,
       (SELECT count(*) FROM wpa.finding f WHERE f.workflow_id = w.id AND f.kind = 'issue' AND f.state IN ('open','in_patch','verifying')),
       (SELECT count(*) FROM wpa.finding f WHERE f.workflow_id = w.id AND f.severity = 'critical' AND f.state IN ('open','in_patch','verifying')),
       count(*) FILTER (WHERE p.state IN ('pending','testing','tested','approved')), count(*) FILTER (WHERE p.state = 'deployed')
  FROM wpa.workflow w LEFT JOIN wpa.health h ON h.workflow_id = w.id
  LEFT JOIN LATERAL (SELECT DISTINCT x.id, x.state FROM wpa.finding f JOIN wpa.patch_finding pf ON pf.finding_id = f.id
                       JOIN wpa.patch x ON x.id = pf.patch_id WHERE f.workflow_id = w.id) p ON true
 WHERE w.id = $1::bigint
 GROUP BY w.id, h.workflow_id;
