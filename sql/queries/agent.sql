-- name: agent_roles
-- params:
-- rows: one: may this user become wpa_api, wpa_agent, wpa_viewer; who he is
SELECT coalesce((SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = 'wpa_api'), false),
       coalesce((SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = 'wpa_agent'), false),
       coalesce((SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = 'wpa_viewer'), false), current_user;

-- name: agent_principal
-- params:
-- rows: at most one
SELECT id, name FROM wpa.principal WHERE name = 'engine' AND role = 'agent' AND active;

-- name: agent_keep
-- params: id uuid, name text, host text, pid int, version text, capacity int, busy int, state text
-- rows: none
-- why: records of agents that vanished without a word are marked gone by the others
WITH lost AS (UPDATE wpa.agent SET state = 'gone' WHERE state <> 'gone' AND seen_at < clock_timestamp() - interval '60 seconds' AND id <> $1)
INSERT INTO wpa.agent (id, name, host, pid, version, capacity, busy, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET busy = excluded.busy, state = excluded.state, seen_at = clock_timestamp();

-- name: agent_fold
-- params:
-- rows: one
SELECT wpa.summary_fold();

-- name: agent_forget
-- params:
-- rows: one: how many rows went; a thousand: there may be more
SELECT wpa.forget_old();

-- name: agent_next_due
-- params:
-- rows: one: milliseconds until the next waiting job is due, null if none waits
SELECT ceil(extract(epoch FROM min(run_after) - clock_timestamp()) * 1000)::bigint
  FROM wpa.job WHERE state = 'queued' AND run_after < 'infinity';

-- name: agent_schedule
-- params:
-- rows: at most one: schedule, minute, hour, day, month, weekday, name of this minute, already done
-- why: an index finds the last hour by a time that does not change within the statement, and the history is long
SELECT regexp_replace(value, '^(\S+\s+\S+\s+\S+\s+\S+\s+\S+).*$', '\1'),
       extract(minute FROM l)::int, extract(hour FROM l)::int, extract(day FROM l)::int, extract(month FROM l)::int,
       extract(dow FROM l)::int, 'schedule:' || to_char(l, 'YYYY-MM-DD"T"HH24:MI'),
       EXISTS (SELECT FROM wpa.job_history WHERE kind = 'schedule' AND subject = 'schedule:' || to_char(l, 'YYYY-MM-DD"T"HH24:MI')
                  AND finished_at > statement_timestamp() - interval '1 hour')
  FROM wpa.setting, LATERAL (SELECT clock_timestamp() AT TIME ZONE
         coalesce(nullif(regexp_replace(value, '^\S+\s+\S+\s+\S+\s+\S+\s+\S+\s*', ''), ''), 'UTC') AS l) t
 WHERE key = 'analysis_schedule' AND value <> 'off';

-- name: agent_idle
-- params: kinds text[]
-- rows: one: is nothing of these kinds running or due
SELECT NOT EXISTS (SELECT FROM wpa.job WHERE kind = ANY($1::text[])
   AND (state = 'running' OR (state = 'queued' AND run_after < clock_timestamp() + interval '1 hour')));
