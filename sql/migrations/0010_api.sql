-- What the REST API keeps: tokens of machines, and answers for repeated calls.

-- The token itself is never stored, only its hash; it is long and random, so the hash tells nothing.
CREATE TABLE api_token (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  name text NOT NULL CHECK (name <> ''),
  principal_id bigint NOT NULL REFERENCES principal, -- in whose name the machine acts
  made_by bigint NOT NULL REFERENCES principal,
  hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
  scopes text[] NOT NULL CHECK (scopes <> '{}' AND scopes <@ ARRAY['read','analyse','patch','approve','deploy','admin']),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
  revoked_at timestamptz);
CREATE INDEX api_token_of ON api_token (principal_id) WHERE revoked_at IS NULL;

CREATE FUNCTION api_token_find(token_hash bytea)
  RETURNS TABLE (principal_id bigint, name text, role text, scopes text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.id, p.name, p.role, array_to_string(t.scopes, ' ')
    FROM wpa.api_token t JOIN wpa.principal p ON p.id = t.principal_id
   WHERE t.hash = token_hash AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND p.active $$;

-- status null: the first call still runs.
CREATE TABLE api_idempotency (
  principal_id bigint NOT NULL REFERENCES principal, key text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  status int CHECK (status BETWEEN 200 AND 499), answer text, location text,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (principal_id, key));
CREATE INDEX api_idempotency_made ON api_idempotency (made_at);

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.api_token_find(bytea) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.api_token_find(bytea) TO %I', r);
    END IF;
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    GRANT SELECT, INSERT, UPDATE ON wpa.api_token TO wpa_api;
    GRANT SELECT, INSERT, UPDATE, DELETE ON wpa.api_idempotency TO wpa_api;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA wpa TO wpa_api;
  END IF;
END $$;
