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
         WHERE s.principal_id = p.id AND s.ended_at IS NULL AND s.expires_at > now()),
       EXISTS (SELECT FROM wpa.v_code c WHERE c.principal_id = p.id)
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
-- params: jti uuid, principal_id bigint, kind text, seconds integer, address text, user_agent text, before uuid, max_seconds integer
-- rows: one if the principal is still active
-- why: a session in place of another one has its kind, and ends when the first of them would at the latest
WITH person AS (
  UPDATE wpa.principal SET last_sign_in_at = clock_timestamp() WHERE id = $2 AND active RETURNING id),
first AS (
  SELECT coalesce((SELECT s.began_at FROM wpa.session s WHERE s.jti = $7), clock_timestamp()) AS began_at,
         coalesce((SELECT s.kind FROM wpa.session s WHERE s.jti = $7), $3) AS kind)
INSERT INTO wpa.session (jti, principal_id, kind, began_at, expires_at, address, user_agent)
SELECT $1, id, kind, began_at,
       least(clock_timestamp() + make_interval(secs => $4), began_at + make_interval(secs => $8)), $5, $6
  FROM person, first WHERE began_at + make_interval(secs => $8) > clock_timestamp() + interval '1 second'
RETURNING expires_at;

-- name: session_find
-- params: jti uuid
-- rows: one if the session still stands
SELECT p.id, p.name, p.role, s.expires_at
  FROM wpa.session s JOIN wpa.principal p ON p.id = s.principal_id
 WHERE s.jti = $1 AND s.ended_at IS NULL AND s.expires_at > clock_timestamp() AND p.active;

-- name: session_place
-- params: jti uuid, place text
-- rows: one if the session still stands
UPDATE wpa.session SET seen_at = clock_timestamp(), place = $2
 WHERE jti = $1 AND ended_at IS NULL AND expires_at > clock_timestamp() RETURNING jti;

-- name: session_end
-- params: jti uuid
-- rows: one if it was still open
UPDATE wpa.session SET ended_at = clock_timestamp() WHERE jti = $1 AND ended_at IS NULL
RETURNING principal_id;

-- name: session_list
-- params: name text
-- rows: those that stand, the newest first: id, name, role, kind, opened, expires, address, user agent
SELECT s.jti, p.name, p.role, s.kind, s.created_at, s.expires_at, s.address, s.user_agent
  FROM wpa.session s JOIN wpa.principal p ON p.id = s.principal_id
 WHERE s.ended_at IS NULL AND s.expires_at > clock_timestamp() AND p.active AND ($1::text IS NULL OR p.name = $1)
 ORDER BY s.created_at DESC, s.jti LIMIT 1000;

-- name: session_owner
-- params: jti uuid
-- rows: one if it is still open
SELECT principal_id FROM wpa.session WHERE jti = $1 AND ended_at IS NULL;

-- name: session_end_all
-- params: principal_id bigint, but uuid
-- rows: one per session that was open
UPDATE wpa.session SET ended_at = clock_timestamp()
 WHERE principal_id = $1 AND ended_at IS NULL AND jti IS DISTINCT FROM $2
RETURNING jti;

-- name: issuer_settings
-- params:
-- rows: of the issuer that vouches for people, those that are set: key, value
SELECT key, value FROM wpa.setting WHERE key LIKE 'oidc\_%' ORDER BY key;

-- name: issuer_secret
-- params:
-- rows: at most one: what proves to the issuer who asks; empty: none
SELECT convert_from(value, 'UTF8') FROM wpa.secret WHERE key = 'oidc_client_secret';

-- name: issuer_secret_set
-- params: value bytea
-- rows: none
INSERT INTO wpa.secret AS s (key, value) VALUES ('oidc_client_secret', $1)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, made_at = clock_timestamp();

-- name: issuer_setting_set
-- params: key text, value text
-- rows: none
-- why: null takes the setting away
WITH gone AS (DELETE FROM wpa.setting WHERE key = $1 AND $2::text IS NULL)
INSERT INTO wpa.setting AS s (key, value) SELECT $1, $2 WHERE $2::text IS NOT NULL
    ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE s.value <> excluded.value;

-- name: vouched_find
-- params: issuer text, name text, key bytea
-- rows: at most one, who is active: id, name, role, subject bound to him or null, was the token revoked, has he other ways to sign in
SELECT p.id, p.name, p.role, b.subject, EXISTS (SELECT FROM wpa.token_revoked t WHERE t.key = $3),
       EXISTS (SELECT FROM wpa.credential c WHERE c.principal_id = p.id) OR EXISTS (SELECT FROM wpa.v_code c WHERE c.principal_id = p.id)
  FROM wpa.principal p LEFT JOIN wpa.principal_subject b ON b.principal_id = p.id AND b.issuer = $1
 WHERE lower(p.name) = lower($2) AND p.active AND p.role <> 'agent';

-- name: vouched_bind
-- params: issuer text, subject text, principal_id bigint
-- rows: one if neither was bound before, and he has no other way to sign in
-- why: of a passphrase that is set meanwhile, too, the owner is somebody already
INSERT INTO wpa.principal_subject AS s (issuer, subject, principal_id) SELECT $1, $2, $3::bigint
  WHERE NOT EXISTS (SELECT FROM wpa.credential c WHERE c.principal_id = $3) AND NOT EXISTS (SELECT FROM wpa.v_code c WHERE c.principal_id = $3)
    ON CONFLICT DO NOTHING RETURNING principal_id;

-- name: vouched_bind_by_order
-- params: issuer text, subject text, principal_id bigint
-- rows: one if neither was bound before
INSERT INTO wpa.principal_subject (issuer, subject, principal_id) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING RETURNING principal_id;

-- name: vouched_unbind
-- params: principal_id bigint
-- rows: one per issuer that was bound
DELETE FROM wpa.principal_subject WHERE principal_id = $1 RETURNING issuer;

-- name: vouched_revoke
-- params: key bytea, principal_id bigint, expires_at timestamptz
-- rows: none
-- why: those that have ended by themselves go along
WITH gone AS (DELETE FROM wpa.token_revoked WHERE expires_at < clock_timestamp() - interval '1 day')
INSERT INTO wpa.token_revoked (key, principal_id, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: code_enrol
-- params: secret bytea, is_sealed boolean
-- rows: one: false if a confirmed one stands
SELECT wpa.code_enrol($1, $2);

-- name: code_secret
-- params: principal_id bigint
-- rows: at most one: secret, last step, is it confirmed, is it sealed
SELECT secret, last_step, is_confirmed, is_sealed FROM wpa.code_secret($1);

-- name: code_seal
-- params: principal_id bigint, plain_hash bytea, sealed bytea
-- rows: one: false if it was sealed, or replaced, meanwhile
SELECT wpa.code_seal($1, $2, $3);

-- name: code_use
-- params: principal_id bigint, step bigint
-- rows: one: false if a code of this step or a later one was taken already
SELECT wpa.code_use($1, $2);

-- name: code_recover
-- params: principal_id bigint, hash bytea
-- rows: one: false if it is none, or was used
SELECT wpa.code_recover($1, $2);

-- name: code_confirm
-- params: step bigint, hashes bytea[]
-- rows: one: false if there is nothing to confirm
SELECT wpa.code_confirm($1, $2);

-- name: code_remove
-- params: principal_id bigint
-- rows: one: false if there was none
SELECT wpa.code_remove($1);
