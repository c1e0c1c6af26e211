-- name: notify_listen
-- params:
-- rows: none
LISTEN wpa_outbox;

-- ---- destinations -------------------------------------------------------------------------------------

-- name: notify_destination_add
-- params: name text, channel text, settings jsonb, secret text, events text[], min_severity text, repositories text[], timeout_ms int, max_tries int, private_addresses boolean, is_enabled boolean, actor bigint
-- rows: one: id
INSERT INTO wpa.destination (name, channel, settings, secret, events, min_severity, repositories, timeout_ms, max_tries, private_addresses, is_enabled, created_by)
VALUES ($1, $2, $3::jsonb, $4, $5::text[], $6, $7::text[], $8::int, $9::int, $10::boolean, $11::boolean, $12::bigint) RETURNING id;

-- name: notify_destination_change
-- params: id bigint, name text, settings jsonb, secret text, events text[], min_severity text, repositories text[], timeout_ms int, max_tries int, private_addresses boolean, is_enabled boolean, wanted bigint
-- rows: at most one
-- why: whoever named a version changes that one only; what was given up for a fault that may be gone now counts anew
UPDATE wpa.destination SET name = $2, settings = $3::jsonb, secret = $4, events = $5::text[], min_severity = $6, repositories = $7::text[], timeout_ms = $8::int,
       max_tries = $9::int, private_addresses = $10::boolean, is_enabled = $11::boolean, version = version + 1
 WHERE id = $1::bigint AND removed_at IS NULL AND ($12::bigint < 0 OR version = $12::bigint) RETURNING id;

-- name: notify_destination_remove
-- params: id bigint
-- rows: at most one
UPDATE wpa.destination SET removed_at = clock_timestamp(), version = version + 1 WHERE id = $1::bigint AND removed_at IS NULL RETURNING id;

-- name: notify_destination_get
-- params: id bigint
-- rows: at most one; locked
SELECT id, name, channel, settings::text, secret, to_json(events)::text, min_severity, to_json(repositories)::text, timeout_ms, max_tries, private_addresses, is_enabled, version
  FROM wpa.destination WHERE id = $1::bigint AND removed_at IS NULL FOR UPDATE;

-- name: notify_destination_find
-- params: name text
-- rows: at most one: id, name
-- why: asked by those too who may not see where secrets are
SELECT id, name FROM wpa.v_destination WHERE lower(name) = lower($1) OR 'o-' || id = $1;

-- ---- deliveries ---------------------------------------------------------------------------------------

-- name: notify_claim
-- params: not_here bigint[]
-- rows: at most one: the delivery, its destination and its matter, and whether it has no try left
-- why: one at a time for each destination, so that one that hangs holds up nobody else; what belongs to one matter goes in order; a try
--      whose courier never came back was one; a test is sent by whoever was asked for it, or not at all. Who is busy is asked once, not for
--      each of the thousands that may wait, nor is any of them looked at before it is due (a time that may change within the statement is no
--      bound of an index); a destination is locked, and looked at again then: somebody may have taken one of its since
WITH c AS MATERIALIZED (
  SELECT o.id, o.state = 'sending' AND o.tries >= d.max_tries AS is_spent
    FROM wpa.outbox o JOIN wpa.destination d ON d.id = o.destination_id AND d.is_enabled AND d.removed_at IS NULL
   WHERE o.due_at <= statement_timestamp() AND NOT o.is_test AND o.destination_id <> ALL ($1::bigint[])
     AND o.destination_id <> ALL (ARRAY(SELECT b.destination_id FROM wpa.outbox b WHERE b.state = 'sending' AND b.due_at > clock_timestamp()))
     AND (o.matter_id IS NULL OR NOT EXISTS (SELECT FROM wpa.outbox b WHERE b.matter_id = o.matter_id AND b.destination_id = o.destination_id AND b.id < o.id
            AND b.state IN ('waiting','sending')))
   ORDER BY o.due_at, o.id LIMIT 1 FOR UPDATE OF o SKIP LOCKED FOR NO KEY UPDATE OF d SKIP LOCKED)
UPDATE wpa.outbox o SET state = 'sending', tries = CASE o.state WHEN 'sent' THEN 1 ELSE least(o.tries + 1, d.max_tries) END, token = nextval('wpa.lease_seq'),
       due_at = clock_timestamp() + (d.timeout_ms + 20000) * interval '1 millisecond'
  FROM c, wpa.destination d
 WHERE o.id = c.id AND d.id = o.destination_id AND NOT wpa.destination_is_busy(d.id)
RETURNING o.id, o.token, o.delivery, o.event, o.severity, o.subject, wpa.short_name(o.subject), o.message, o.detail::text, to_json(o.repositories)::text, o.is_over, o.is_test, o.at,
          o.tries, d.id, d.name, d.channel, d.settings::text, d.secret, d.timeout_ms, d.max_tries, d.private_addresses, o.matter_id, d.failures, c.is_spent;

-- name: notify_test_row
-- params: destination_id bigint, message text, actor text
-- rows: one: id
INSERT INTO wpa.outbox (destination_id, event, severity, subject, message, detail, is_test, state, tries, token, due_at)
VALUES ($1::bigint, 'test', 'info', 'destination:' || $1, $2, jsonb_build_object('by', $3::text), true, 'sending', 1, nextval('wpa.lease_seq'), clock_timestamp() + interval '2 minutes')
RETURNING id;

-- name: notify_delivery
-- params: id bigint
-- rows: at most one, as notify_claim
SELECT o.id, o.token, o.delivery, o.event, o.severity, o.subject, wpa.short_name(o.subject), o.message, o.detail::text, to_json(o.repositories)::text, o.is_over, o.is_test, o.at,
       o.tries, d.id, d.name, d.channel, d.settings::text, d.secret, d.timeout_ms, d.max_tries, d.private_addresses, o.matter_id, d.failures, false
  FROM wpa.outbox o JOIN wpa.destination d ON d.id = o.destination_id WHERE o.id = $1::bigint;

-- name: notify_matter
-- params: id bigint
-- rows: at most one: key, kind, severity, subject, summary, repositories, started_at, ended_at
SELECT key, kind, severity, subject, summary, to_json(repositories)::text, started_at, ended_at FROM wpa.matter WHERE id = $1::bigint;

-- name: notify_sent
-- params: id bigint, token bigint, status int, answer text, latency_ms bigint, repeat_ms bigint
-- rows: at most one
-- why: an alert that lasts is said again from time to time, or its receiver takes it for over
UPDATE wpa.outbox o SET state = 'sent', token = NULL, sent_at = clock_timestamp(), answer_status = $3::int, answer = $4, latency_ms = $5::bigint, error = NULL,
       due_at = CASE WHEN $6::bigint > 0 AND NOT o.is_over AND EXISTS (SELECT FROM wpa.matter m WHERE m.id = o.matter_id AND m.ended_at IS NULL)
                  THEN clock_timestamp() + $6::bigint * interval '1 millisecond' END
 WHERE o.id = $1::bigint AND o.token = $2::bigint RETURNING o.id;

-- name: notify_destination_works
-- params: id bigint
-- rows: none
-- why: what was put off while it failed goes at once
WITH o AS (UPDATE wpa.outbox SET due_at = clock_timestamp() WHERE destination_id = $1::bigint AND state = 'waiting' AND due_at > clock_timestamp()
   AND EXISTS (SELECT FROM wpa.destination WHERE id = $1::bigint AND failures > 0))
UPDATE wpa.destination SET failing_since = NULL, failures = 0, last_sent_at = clock_timestamp() WHERE id = $1::bigint;

-- name: notify_failed
-- params: id bigint, token bigint, error text, status int, answer text, latency_ms bigint, wait_ms bigint
-- rows: at most one: is it given up
-- why: wait_ms null: nothing is tried again
UPDATE wpa.outbox SET state = CASE WHEN $7::bigint IS NULL THEN 'dead' ELSE 'waiting' END, token = NULL, error = $3, answer_status = $4::int, answer = $5, latency_ms = $6::bigint,
       due_at = clock_timestamp() + $7::bigint * interval '1 millisecond'
 WHERE id = $1::bigint AND token = $2::bigint RETURNING state = 'dead';

-- name: notify_destination_fails
-- params: id bigint, wait_ms bigint
-- rows: none
-- why: one that fails is not asked for each delivery that waits: the others wait as long, keep their tries, and come in their order
WITH o AS (UPDATE wpa.outbox SET due_at = greatest(due_at, statement_timestamp() + $2::bigint * interval '1 millisecond') WHERE destination_id = $1::bigint AND state = 'waiting')
UPDATE wpa.destination SET failing_since = coalesce(failing_since, clock_timestamp()), failures = failures + 1 WHERE id = $1::bigint;

-- name: notify_give_back
-- params: id bigint, token bigint
-- rows: none
-- why: whoever was told to stop in the middle of it does not count as a try; a test that was stopped is not sent later
UPDATE wpa.outbox SET state = CASE WHEN is_test THEN 'cancelled' ELSE 'waiting' END, token = NULL, tries = greatest(tries - 1, 0),
       due_at = CASE WHEN NOT is_test THEN clock_timestamp() END
 WHERE id = $1::bigint AND token = $2::bigint;

-- name: notify_dead_notice
-- params: destination_id bigint, message text
-- rows: one
SELECT wpa.notice_add('error', 'destination:' || $1, 'destination:' || $1, $2);

-- name: notify_test_notice
-- params: destination_id bigint, level text, message text
-- rows: one
SELECT wpa.notice_add($2, '', 'destination:' || $1, $3);

-- name: notify_next_due
-- params: not_here bigint[]
-- rows: one: milliseconds until the next delivery is due, null if none waits
SELECT ceil(extract(epoch FROM min(o.due_at) - clock_timestamp()) * 1000)::bigint
  FROM wpa.outbox o JOIN wpa.destination d ON d.id = o.destination_id AND d.is_enabled AND d.removed_at IS NULL
 WHERE o.due_at IS NOT NULL AND NOT o.is_test AND o.destination_id <> ALL ($1::bigint[]);

-- name: notify_retry
-- params: id bigint, destination_id bigint
-- rows: those that are tried again
-- why: somebody has mended it: what waits is tried at once as well
WITH u AS (UPDATE wpa.outbox o SET state = 'waiting', tries = 0, due_at = clock_timestamp()
  WHERE o.state = 'dead' AND NOT o.is_test AND ($1::bigint IS NULL OR o.id = $1::bigint) AND ($2::bigint IS NULL OR o.destination_id = $2::bigint)
    AND EXISTS (SELECT FROM wpa.destination d WHERE d.id = o.destination_id AND d.removed_at IS NULL) RETURNING o.id),
w AS (UPDATE wpa.outbox o SET due_at = clock_timestamp() WHERE $1::bigint IS NULL AND o.state = 'waiting' AND o.due_at > clock_timestamp()
    AND ($2::bigint IS NULL OR o.destination_id = $2::bigint))
SELECT id, pg_notify('wpa_outbox', '') FROM u ORDER BY id;

-- name: notify_expire
-- params:
-- rows: none
-- why: a destination that fails for days keeps nothing waiting for ever; nobody comes back for a test whose agent was lost. An alert that
--      lasts is said again for days, and waits only since it was last taken
WITH t AS (UPDATE wpa.outbox SET state = 'cancelled', due_at = NULL, token = NULL
 WHERE id IN (SELECT id FROM wpa.outbox WHERE is_test AND state IN ('waiting','sending') AND due_at < clock_timestamp() FOR UPDATE SKIP LOCKED))
UPDATE wpa.outbox SET state = 'dead', due_at = NULL, error = coalesce(error, 'it has waited for three days')
 WHERE id IN (SELECT id FROM wpa.outbox WHERE state = 'waiting' AND NOT is_test AND coalesce(sent_at, at) < clock_timestamp() - interval '3 days' ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED);

-- name: notify_clean
-- params:
-- rows: none
-- why: a matter that has ended is kept as long as something of the outbox tells of it
WITH h AS (DELETE FROM wpa.hook_delivery WHERE delivery IN (SELECT delivery FROM wpa.hook_delivery WHERE at < statement_timestamp() - interval '30 days' LIMIT 1000)),
m AS (DELETE FROM wpa.matter WHERE id IN (SELECT m.id FROM wpa.matter m WHERE m.ended_at < statement_timestamp() - interval '30 days'
   AND NOT EXISTS (SELECT FROM wpa.outbox o WHERE o.matter_id = m.id) ORDER BY m.ended_at LIMIT 1000))
DELETE FROM wpa.outbox WHERE id IN (SELECT id FROM wpa.outbox WHERE due_at IS NULL AND at < statement_timestamp() - interval '30 days'
   AND (state <> 'dead' OR at < statement_timestamp() - interval '90 days') ORDER BY at LIMIT 1000);

-- ---- webhooks in --------------------------------------------------------------------------------------

-- name: hook_add
-- params: repository text, secret text, actor bigint
-- rows: at most one: id
INSERT INTO wpa.hook (repository_id, secret, created_by)
SELECT r.id, $2, $3::bigint FROM (SELECT 1) x LEFT JOIN wpa.repository r ON r.name = $1 AND r.state <> 'removed' WHERE $1::text IS NULL OR r.id IS NOT NULL RETURNING id;

-- name: hook_remove
-- params: id bigint
-- rows: at most one
UPDATE wpa.hook SET removed_at = clock_timestamp() WHERE id = $1::bigint AND removed_at IS NULL RETURNING id;

-- name: hook_fleet
-- params:
-- rows: one: id and secret of the fleet's (or null), has any repository one of its own
SELECT f.id, f.secret, EXISTS (SELECT FROM wpa.hook h WHERE h.removed_at IS NULL AND h.repository_id IS NOT NULL)
  FROM (SELECT 1) AS one LEFT JOIN wpa.hook f ON f.removed_at IS NULL AND f.repository_id IS NULL;

-- name: hook_secrets
-- params: urls text[]
-- rows: at most 20: id, secret, repository (or null: the fleet's)
-- why: a repository that has a secret of its own is not spoken for by the fleet's
WITH r AS (SELECT id FROM wpa.repository WHERE state <> 'removed' AND wpa.url_key(url) = ANY (SELECT wpa.url_key(u) FROM unnest($1::text[]) AS u)),
own AS (SELECT h.id, h.secret, h.repository_id FROM wpa.hook h JOIN r ON r.id = h.repository_id WHERE h.removed_at IS NULL)
SELECT id, secret, repository_id FROM own
UNION ALL SELECT id, secret, repository_id FROM wpa.hook WHERE removed_at IS NULL AND repository_id IS NULL
   AND (NOT EXISTS (SELECT FROM r) OR EXISTS (SELECT FROM r WHERE r.id NOT IN (SELECT repository_id FROM own)))
LIMIT 20;

-- name: hook_repositories
-- params: urls text[], hook_id bigint
-- rows: any number: id, name, branch
SELECT r.id, r.name, r.branch FROM wpa.repository r, wpa.hook h
 WHERE r.state <> 'removed' AND wpa.url_key(r.url) = ANY (SELECT wpa.url_key(u) FROM unnest($1::text[]) AS u) AND h.id = $2::bigint
   AND (h.repository_id = r.id OR (h.repository_id IS NULL AND NOT EXISTS (SELECT FROM wpa.hook o WHERE o.repository_id = r.id AND o.removed_at IS NULL)))
 ORDER BY r.id LIMIT 100;

-- name: hook_take
-- params: delivery text, hook_id bigint, event text, address text
-- rows: one if it is new
INSERT INTO wpa.hook_delivery (delivery, hook_id, event, address) VALUES ($1, $2::bigint, $3, $4) ON CONFLICT (delivery) DO NOTHING RETURNING 1;

-- name: hook_answered
-- params: delivery text, answer jsonb
-- rows: none
UPDATE wpa.hook_delivery SET answer = $2::jsonb WHERE delivery = $1;

-- name: hook_answer
-- params: delivery text
-- rows: at most one
SELECT answer::text FROM wpa.hook_delivery WHERE delivery = $1;

-- name: hook_run_store
-- params: repositories bigint[], path text, external_id text, branch text, commit text, event text, conclusion text, queued_at timestamptz, started_at timestamptz, completed_at timestamptz
-- rows: workflows that it is a run of: id, name
WITH w AS (SELECT w.id, wpa.slash_name(r.name, w.path) AS name FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id
            WHERE w.repository_id = ANY($1::bigint[]) AND w.path = $2 AND w.kind = 'workflow' AND w.state = 'present'),
u AS (INSERT INTO wpa.workflow_run (workflow_id, source, external_id, branch, commit_oid, event, status, conclusion, queued_at, started_at, completed_at)
  SELECT w.id, 'github', $3, $4, $5, $6, 'completed', $7, $8::timestamptz, $9::timestamptz, $10::timestamptz FROM w
  ON CONFLICT (workflow_id, source, external_id) DO UPDATE SET branch = excluded.branch, commit_oid = excluded.commit_oid, event = excluded.event, status = excluded.status,
     conclusion = excluded.conclusion, queued_at = excluded.queued_at, started_at = excluded.started_at, completed_at = excluded.completed_at)
SELECT id, name FROM w ORDER BY id;

-- ---- what front ends read -----------------------------------------------------------------------------

-- name: api_destinations
-- params: before bigint, limit int
-- rows: newest first: id, item
SELECT id, item::text FROM wpa.v_api_destination WHERE ($1::bigint IS NULL OR id < $1::bigint) ORDER BY id DESC LIMIT $2::int;

-- name: api_destination
-- params: id bigint
-- rows: at most one: version, item
SELECT version, item::text FROM wpa.v_api_destination WHERE id = $1::bigint;

-- name: api_outbox
-- params: before bigint, limit int, state text, destination text
-- rows: newest first: id, item
SELECT id, item::text FROM wpa.v_api_outbox
 WHERE ($1::bigint IS NULL OR id < $1::bigint) AND ($3::text IS NULL OR state = $3) AND ($4::text IS NULL OR lower(name) = lower($4)) ORDER BY id DESC LIMIT $2::int;

-- name: api_outbox_one
-- params: id bigint
-- rows: at most one: version, item
SELECT NULL, item::text FROM wpa.v_api_outbox WHERE id = $1::bigint;

-- name: api_hooks
-- params: before bigint, limit int
-- rows: newest first: id, item
SELECT id, item::text FROM wpa.v_api_hook WHERE ($1::bigint IS NULL OR id < $1::bigint) ORDER BY id DESC LIMIT $2::int;

-- name: api_hook
-- params: id bigint
-- rows: at most one: version, item
SELECT NULL, item::text FROM wpa.v_api_hook WHERE id = $1::bigint;

-- name: cli_destinations
-- params:
-- rows: by name
SELECT id, name, channel, CASE WHEN is_enabled THEN CASE WHEN failing_since IS NULL THEN 'on' ELSE 'failing' END ELSE 'off' END,
       array_to_string(events, ' '), min_severity, array_to_string(repositories, ' '), waiting, dead, last_sent_at, error, settings::text
  FROM wpa.v_destination ORDER BY lower(name);

-- name: cli_outbox
-- params: state text, destination text, limit int
-- rows: newest first
SELECT o.id, o.at, o.state, o.item->>'destination', o.event, o.item->>'message', (o.item->>'tries')::int, (o.item->>'max_tries')::int, (o.item->>'answer_status')::int,
       o.item->>'error', (o.item->>'due_at')::timestamptz, o.item->>'delivery'
  FROM (SELECT v.*, x.at FROM wpa.v_api_outbox v JOIN wpa.outbox x ON x.id = v.id) o
 WHERE ($1::text IS NULL OR o.state = $1) AND ($2::text IS NULL OR lower(o.name) = lower($2)) ORDER BY o.id DESC LIMIT $3::int;

-- name: cli_hooks
-- params:
-- rows: the fleet's first
SELECT id, coalesce(repository, '(the fleet)'), created_by, created_at, deliveries, last_event, last_at FROM wpa.v_hook ORDER BY repository NULLS FIRST;
