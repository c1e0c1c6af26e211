-- name: job_enqueue
-- params: kind text, subject text, payload jsonb, label text, priority smallint, max_attempts int, delay_ms bigint, requested_by bigint
-- rows: one: id
-- why: one live job per (kind, subject); what is enqueued while it runs makes it run once more, however it ends (trigger job_rerun).
--      Of two orders that differ each asks for a part of what {} asks for: neither is lost
INSERT INTO wpa.job AS j (queue, kind, subject, payload, label, priority, max_attempts, run_after, requested_by)
VALUES ($1, $1, $2, $3::jsonb, $4, $5::smallint, $6::int,
        CASE WHEN $7::bigint < 0 THEN 'infinity'::timestamptz ELSE clock_timestamp() + $7::bigint * interval '1 millisecond' END, $8::bigint)
ON CONFLICT (kind, subject) WHERE state IN ('queued','running') DO UPDATE
   SET run_after = CASE WHEN j.state = 'queued' THEN least(j.run_after, excluded.run_after) ELSE j.run_after END,
       payload = CASE WHEN j.payload = excluded.payload THEN j.payload ELSE '{}' END, priority = least(j.priority, excluded.priority), rerun = j.state = 'running',
       requested_by = coalesce(excluded.requested_by, j.requested_by)
RETURNING j.id;

-- name: job_claim
-- params: queues text[], owner text, lease_ms bigint
-- rows: at most one: id, kind, subject, payload, token, attempt, max_attempts, requested_by
SELECT id, kind, subject, payload, token, attempt, max_attempts, requested_by
  FROM wpa.claim_first($1::text[], $2, $3::bigint * interval '1 millisecond');

-- name: job_fence
-- params: id bigint, token bigint
-- rows: one
SELECT wpa.fence($1::bigint, $2::bigint);

-- name: job_renew
-- params: ids bigint[], tokens bigint[], lease_ms bigint
-- rows: those renewed: id, token, cancel
-- why: a row that its worker has locked is passed over and tried again, so it holds up no other
WITH mine AS MATERIALIZED (
  SELECT j.id FROM wpa.job j JOIN unnest($1::bigint[], $2::bigint[]) AS m(id, token) ON m.id = j.id AND m.token = j.token
   WHERE j.state = 'running' AND j.lease_until > clock_timestamp() FOR NO KEY UPDATE OF j SKIP LOCKED)
UPDATE wpa.job j SET lease_until = clock_timestamp() + $3::bigint * interval '1 millisecond'
  FROM mine WHERE j.id = mine.id RETURNING j.id, j.token, j.cancel;

-- name: job_done
-- params: id bigint, token bigint, result jsonb
-- rows: one: id; none: the lease is lost
UPDATE wpa.job SET state = 'done', finished_at = clock_timestamp(),
       result = coalesce($3::jsonb, result), owner = NULL, token = NULL, lease_until = NULL, last_error = NULL
 WHERE id = $1::bigint AND token = $2::bigint AND state = 'running'
RETURNING id;

-- name: job_again
-- params: id bigint, token bigint, delay_ms bigint
-- rows: one: id; none: the lease is lost
UPDATE wpa.job SET state = CASE WHEN cancel THEN 'cancelled' ELSE 'queued' END,
       finished_at = CASE WHEN cancel THEN clock_timestamp() END,
       run_after = CASE WHEN rerun THEN clock_timestamp() ELSE clock_timestamp() + $3::bigint * interval '1 millisecond' END,
       rerun = rerun AND cancel, attempt = 0, owner = NULL, token = NULL, lease_until = NULL, last_error = NULL
 WHERE id = $1::bigint AND token = $2::bigint AND state = 'running'
RETURNING id;

-- name: job_release
-- params: id bigint, token bigint
-- rows: one: id; none: the lease is lost
-- why: an orderly stop gives the job back at once, and it is no attempt
UPDATE wpa.job SET state = CASE WHEN cancel THEN 'cancelled' ELSE 'queued' END,
       finished_at = CASE WHEN cancel THEN clock_timestamp() END, run_after = clock_timestamp(),
       attempt = greatest(attempt - 1, 0), owner = NULL, token = NULL, lease_until = NULL
 WHERE id = $1::bigint AND token = $2::bigint AND state = 'running'
RETURNING id;

-- name: job_retry
-- params: id bigint, token bigint, error text
-- rows: one: state; none: the lease is lost
UPDATE wpa.job SET state = CASE WHEN cancel THEN 'cancelled' WHEN attempt >= max_attempts THEN 'dead' ELSE 'queued' END,
       finished_at = CASE WHEN cancel OR attempt >= max_attempts THEN clock_timestamp() END,
       run_after = clock_timestamp() + least(300, 2 * power(2, least(attempt, 10))) * (0.5 + random() / 2) * interval '1 second',
       last_error = $3, owner = NULL, token = NULL, lease_until = NULL
 WHERE id = $1::bigint AND token = $2::bigint AND state = 'running'
RETURNING state;

-- name: job_dead
-- params: id bigint, token bigint, error text
-- rows: one: id; none: the lease is lost
UPDATE wpa.job SET state = 'dead', finished_at = clock_timestamp(), last_error = $3, owner = NULL, token = NULL, lease_until = NULL
 WHERE id = $1::bigint AND token = $2::bigint AND state = 'running'
RETURNING id;

-- name: job_cancel
-- params: id bigint
-- rows: one: id; none: it has ended
UPDATE wpa.job SET cancel = true, rerun = false, state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END,
       finished_at = CASE WHEN state = 'queued' THEN clock_timestamp() END
 WHERE id = $1::bigint
RETURNING id;

-- name: job_progress
-- params: id bigint, token bigint, done bigint, total bigint, note text
-- rows: one: id; none: the lease is lost
UPDATE wpa.job SET done_count = $3::bigint, total_count = $4::bigint, note = $5
 WHERE id = $1::bigint AND token = $2::bigint AND state = 'running'
RETURNING id;

-- name: job_look
-- params: id bigint
-- rows: at most one: state, last_error, attempt, result
SELECT state, last_error, attempt, result FROM wpa.job WHERE id = $1::bigint
UNION ALL
SELECT state, last_error, attempt, result FROM wpa.job_history WHERE id = $1::bigint
 LIMIT 1;

-- name: job_reap
-- params: n int
-- rows: one: how many
SELECT wpa.reap($1::int);
