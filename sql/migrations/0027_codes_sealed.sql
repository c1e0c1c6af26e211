-- The secrets of one-time codes may be encrypted with a key that is not in the database: whoever gets hold of a
-- copy of it has no second factor of anybody's.
ALTER TABLE one_time_code ADD COLUMN sealed boolean NOT NULL DEFAULT false,
  DROP CONSTRAINT one_time_code_secret_check, ADD CONSTRAINT one_time_code_secret_check CHECK (octet_length(secret) BETWEEN 16 AND 128);

DROP FUNCTION code_enrol(bytea);
CREATE FUNCTION code_enrol(new_secret bytea, is_sealed boolean) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, wpa, pg_temp AS $$
BEGIN
  INSERT INTO wpa.one_time_code AS c (principal_id, secret, sealed)
    SELECT p.id, new_secret, is_sealed FROM wpa.principal p WHERE p.id = wpa.actor() AND p.active AND p.role <> 'agent'
    ON CONFLICT (principal_id) DO UPDATE SET secret = excluded.secret, sealed = excluded.sealed, last_step = 0, made_at = clock_timestamp()
      WHERE c.confirmed_at IS NULL;
  RETURN FOUND;
END $$;

DROP FUNCTION code_secret(bigint);
CREATE FUNCTION code_secret(person bigint) RETURNS TABLE (secret bytea, last_step bigint, is_confirmed boolean, is_sealed boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, wpa, pg_temp AS $$
  SELECT c.secret, c.last_step, c.confirmed_at IS NOT NULL, c.sealed FROM wpa.one_time_code c WHERE c.principal_id = person $$;

-- The same secret, encrypted: for whoever knows it, and never the other way round.
CREATE FUNCTION code_seal(person bigint, plain_hash bytea, sealed_secret bytea) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, wpa, pg_temp AS $$
BEGIN
  UPDATE wpa.one_time_code c SET secret = sealed_secret, sealed = true
   WHERE c.principal_id = person AND NOT c.sealed AND sha256(c.secret) = plain_hash;
  RETURN FOUND;
END $$;

DO $$
BEGIN
  REVOKE ALL ON FUNCTION wpa.code_enrol(bytea, boolean), wpa.code_secret(bigint), wpa.code_seal(bigint, bytea, bytea) FROM PUBLIC;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    GRANT EXECUTE ON FUNCTION wpa.code_enrol(bytea, boolean), wpa.code_secret(bigint), wpa.code_seal(bigint, bytea, bytea) TO wpa_api;
  END IF;
END $$;
