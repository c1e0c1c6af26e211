-- name: guardian_exists
-- params:
-- rows: one
SELECT EXISTS (SELECT FROM wpa.principal WHERE role = 'guardian');

-- name: guardian_lock
-- params:
-- rows: one
-- why: creating the first guardian and disabling the last one exclude each other and themselves
SELECT pg_advisory_xact_lock(hashtextextended('wpa.principal', 0));

-- name: guardian_insert
-- params: name text, role text
-- rows: one
INSERT INTO wpa.principal (name, role) VALUES ($1, $2) RETURNING id;

-- name: guardian_set_passphrase
-- params: principal_id bigint, passphrase_hash text
-- rows: none
INSERT INTO wpa.credential (principal_id, passphrase_hash) VALUES ($1, $2)
    ON CONFLICT (principal_id)
    DO UPDATE SET passphrase_hash = excluded.passphrase_hash, changed_at = clock_timestamp();

-- name: guardian_find
-- params: name text
-- rows: at most one
SELECT id, name, role, active FROM wpa.principal WHERE lower(name) = lower($1);

-- name: guardian_list
-- params:
-- rows: one per principal, agents included
SELECT p.id, p.name, p.role, p.active, p.created_at, p.last_sign_in_at,
       (SELECT count(*) FROM wpa.session s
         WHERE s.principal_id = p.id AND s.ended_at IS NULL AND s.expires_at > now())
  FROM wpa.principal p
 ORDER BY p.id;

-- name: guardian_set_active
-- params: principal_id bigint, active boolean
-- rows: at most one
-- why: the last active guardian stays, or nobody could act any more
UPDATE wpa.principal SET active = $2
 WHERE id = $1
   AND ($2 OR role <> 'guardian'
        OR EXISTS (SELECT FROM wpa.principal o WHERE o.role = 'guardian' AND o.active AND o.id <> $1))
RETURNING id;

-- name: guardian_audit
-- params: action text, subject text, detail jsonb
-- rows: one
-- why: the changes of the tables themselves are written by triggers; this is for what leaves none
SELECT wpa.audit_add($1, $2, $3);

-- name: sign_in_begin
-- params: name_hash bytea, free_tries integer, pause_s integer, max_pause_s integer
-- rows: none while a pause lasts, else one: tries that failed, this one counted as one of them
-- why: counted before the passphrase is looked at, so that tries side by side gain nothing
INSERT INTO wpa.sign_in_try AS t (name_hash, failed) VALUES ($1, 1)
    ON CONFLICT (name_hash) DO UPDATE
       SET failed = t.failed + 1, tried_at = clock_timestamp(),
           paused_until = CASE WHEN t.failed + 1 < $2 THEN NULL
                ELSE clock_timestamp() + make_interval(secs =>
                     least($4::float8, $3 * power(2, least(t.failed + 1 - $2, 30)))) END
     WHERE t.paused_until IS NULL OR t.paused_until <= clock_timestamp()
RETURNING failed, ceil(extract(epoch FROM paused_until - clock_timestamp()))::integer;

-- name: sign_in_pause
-- params: name_hash bytea
-- rows: at most one: seconds until the next try
SELECT greatest(1, ceil(extract(epoch FROM paused_until - clock_timestamp())))::integer
  FROM wpa.sign_in_try WHERE name_hash = $1;

-- name: sign_in_credential
-- params: name text
-- rows: at most one
SELECT p.id, p.name, p.role, p.active, c.passphrase_hash
  FROM wpa.principal p JOIN wpa.credential c ON c.principal_id = p.id
 WHERE lower(p.name) = lower($1) AND p.role <> 'agent';

-- name: sign_in_forget
-- params: name_hash bytea
-- rows: none
-- why: old tries of names that nobody has go along
DELETE FROM wpa.sign_in_try
 WHERE name_hash = $1 OR (tried_at < now() - interval '2 days' AND paused_until IS NULL)
    OR paused_until < now() - interval '2 days';

-- name: session_insert
-- params: jti uuid, principal_id bigint, kind text, seconds integer, address text, user_agent text
-- rows: one if the principal is still active
WITH person AS (
  UPDATE wpa.principal SET last_sign_in_at = clock_timestamp() WHERE id = $2 AND active RETURNING id)
INSERT INTO wpa.session (jti, principal_id, kind, expires_at, address, user_agent)
SELECT $1, id, $3, clock_timestamp() + make_interval(secs => $4), $5, $6 FROM person
RETURNING expires_at;

-- name: session_find
-- params: jti uuid
-- rows: one if the session still stands
SELECT p.id, p.name, p.role, s.expires_at
  FROM wpa.session s JOIN wpa.principal p ON p.id = s.principal_id
 WHERE s.jti = $1 AND s.ended_at IS NULL AND s.expires_at > clock_timestamp() AND p.active;

-- name: session_end
-- params: jti uuid
-- rows: one if it was still open
UPDATE wpa.session SET ended_at = clock_timestamp() WHERE jti = $1 AND ended_at IS NULL
RETURNING principal_id;

-- name: session_end_all
-- params: principal_id bigint, but uuid
-- rows: one per session that was open
UPDATE wpa.session SET ended_at = clock_timestamp()
 WHERE principal_id = $1 AND ended_at IS NULL AND jti IS DISTINCT FROM $2
RETURNING jti;
