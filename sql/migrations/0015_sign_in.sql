-- Sign-in beyond a passphrase: sessions of a short life that are renewed, people whom an OpenID
-- Connect provider vouches for, one-time codes.

-- A renewed session ends with the one that began the row of them.
ALTER TABLE session ADD COLUMN began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  DROP CONSTRAINT session_kind_check, ADD CONSTRAINT session_kind_check CHECK (kind IN ('console','cli','api','wall'));

-- ---- vouched for -------------------------------------------------------------------------------------
-- Whoever first comes with a name is that person for this issuer from then on: a name that the
-- issuer gives away anew does not come with a guardian's rights.
CREATE TABLE principal_subject (
  issuer text NOT NULL CHECK (issuer <> ''), subject text NOT NULL CHECK (subject <> '' AND octet_length(subject) <= 1024),
  principal_id bigint NOT NULL REFERENCES principal, bound_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (issuer, subject), UNIQUE (principal_id, issuer));

-- Tokens of an issuer that we no longer take although it would; key: SHA-256 of issuer and jti, or
-- of the token if it has none.
CREATE TABLE token_revoked (
  key bytea PRIMARY KEY CHECK (octet_length(key) = 32), principal_id bigint NOT NULL REFERENCES principal,
  expires_at timestamptz NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX token_revoked_end ON token_revoked (expires_at);

CREATE FUNCTION principal_subject_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM wpa.audit_add('principal.unbound', 'principal:'||OLD.principal_id, jsonb_build_object('issuer', OLD.issuer, 'subject', OLD.subject));
  ELSE
    PERFORM wpa.audit_add('principal.bound', 'principal:'||NEW.principal_id, jsonb_build_object('issuer', NEW.issuer, 'subject', NEW.subject));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER principal_subject_audit AFTER INSERT OR UPDATE OR DELETE ON principal_subject DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION principal_subject_audit();

CREATE FUNCTION token_revoked_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wpa.audit_add('session.closed', 'principal:'||NEW.principal_id, jsonb_build_object('token', encode(NEW.key, 'hex')));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER token_revoked_audit AFTER INSERT ON token_revoked DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION token_revoked_audit();

-- ---- one-time codes ----------------------------------------------------------------------------------
-- No role may look at these tables: only the functions below do, and they give the shared secret to
-- the process that signs people in, and to nobody else.
CREATE TABLE one_time_code (
  principal_id bigint PRIMARY KEY REFERENCES principal,
  secret bytea NOT NULL CHECK (octet_length(secret) BETWEEN 16 AND 64),
  last_step bigint NOT NULL DEFAULT 0, -- of the last code that was taken: none up to it ever again
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(), confirmed_at timestamptz);
CREATE TABLE recovery_code (
  principal_id bigint NOT NULL REFERENCES one_time_code ON DELETE CASCADE, hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  used_at timestamptz, PRIMARY KEY (principal_id, hash));

-- A new secret for the actor himself, not asked for until it is confirmed; one that is stays.
CREATE FUNCTION code_enrol(new_secret bytea) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO wpa.one_time_code AS c (principal_id, secret)
    SELECT p.id, new_secret FROM wpa.principal p WHERE p.id = wpa.actor() AND p.active AND p.role <> 'agent'
    ON CONFLICT (principal_id) DO UPDATE SET secret = excluded.secret, last_step = 0, made_at = clock_timestamp() WHERE c.confirmed_at IS NULL;
  RETURN FOUND;
END $$;

CREATE FUNCTION code_secret(person bigint) RETURNS TABLE (secret bytea, last_step bigint, is_confirmed boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.secret, c.last_step, c.confirmed_at IS NOT NULL FROM wpa.one_time_code c WHERE c.principal_id = person $$;

-- Of two that come with the same code one wins: the row is locked, and the step is compared again.
CREATE FUNCTION code_use(person bigint, step bigint) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE wpa.one_time_code c SET last_step = step WHERE c.principal_id = person AND c.last_step < step;
  RETURN FOUND;
END $$;

CREATE FUNCTION code_recover(person bigint, code_hash bytea) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE wpa.recovery_code r SET used_at = clock_timestamp() WHERE r.principal_id = person AND r.hash = code_hash AND r.used_at IS NULL;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM wpa.audit_add('code.recovery_used', 'principal:'||person, jsonb_build_object('left',
    (SELECT count(*) FROM wpa.recovery_code r WHERE r.principal_id = person AND r.used_at IS NULL)));
  RETURN true;
END $$;

CREATE FUNCTION code_confirm(step bigint, hashes bytea[]) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE wpa.one_time_code c SET confirmed_at = clock_timestamp(), last_step = step
   WHERE c.principal_id = wpa.actor() AND c.confirmed_at IS NULL AND c.last_step < step;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO wpa.recovery_code (principal_id, hash) SELECT wpa.actor(), h FROM unnest(hashes) AS u(h);
  PERFORM wpa.audit_add('code.switched_on', 'principal:'||wpa.actor(), '{}');
  RETURN true;
END $$;

-- For oneself, or by a guardian for somebody who has lost his device.
CREATE FUNCTION code_remove(person bigint) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF person IS DISTINCT FROM wpa.actor() AND wpa.actor_kind() IS DISTINCT FROM 'guardian' THEN
    RAISE EXCEPTION 'only a guardian switches off the code of another' USING ERRCODE='WP003'; END IF;
  DELETE FROM wpa.one_time_code c WHERE c.principal_id = person;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM wpa.audit_add('code.switched_off', 'principal:'||person, '{}');
  RETURN true;
END $$;

-- That it is on is no secret: a guardian sees who has one.
CREATE VIEW v_code AS SELECT principal_id FROM wpa.one_time_code WHERE confirmed_at IS NOT NULL;

CREATE OR REPLACE VIEW v_api_guardian AS
SELECT p.id, p.name, jsonb_build_object('id', p.id, 'name', p.name, 'role', p.role, 'active', p.active, 'created_at', wpa.api_time(p.created_at),
         'last_sign_in_at', wpa.api_time(p.last_sign_in_at), 'one_time_code', EXISTS (SELECT FROM wpa.v_code c WHERE c.principal_id = p.id),
         'sessions', (SELECT count(*) FROM wpa.session s WHERE s.principal_id = p.id AND s.ended_at IS NULL AND s.expires_at > clock_timestamp())) AS item
  FROM wpa.principal p;

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.principal_subject_audit(), wpa.token_revoked_audit(), wpa.code_enrol(bytea), wpa.code_secret(bigint), wpa.code_use(bigint, bigint),
    wpa.code_recover(bigint, bytea), wpa.code_confirm(bigint, bytea[]), wpa.code_remove(bigint) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.principal_subject, wpa.token_revoked, wpa.v_code TO %I', r);
    END IF;
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    GRANT INSERT, DELETE ON wpa.principal_subject, wpa.token_revoked TO wpa_api;
    GRANT EXECUTE ON FUNCTION wpa.principal_subject_audit(), wpa.token_revoked_audit(), wpa.code_enrol(bytea), wpa.code_secret(bigint),
      wpa.code_use(bigint, bigint), wpa.code_recover(bigint, bytea), wpa.code_confirm(bigint, bytea[]), wpa.code_remove(bigint) TO wpa_api;
  END IF;
END $$;
