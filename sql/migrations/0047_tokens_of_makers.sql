-- A token that looks as a viewer is its maker's all the same: where he was disabled it went on for up to a year.
CREATE OR REPLACE FUNCTION api_token_find(token_hash bytea)
  RETURNS TABLE (principal_id bigint, name text, role text, scopes text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, wpa, pg_temp AS $$
  SELECT p.id, p.name, p.role, array_to_string(t.scopes, ' ')
    FROM wpa.api_token t JOIN wpa.principal p ON p.id = t.principal_id JOIN wpa.principal m ON m.id = t.made_by
   WHERE t.hash = token_hash AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND p.active AND m.active $$;

CREATE OR REPLACE VIEW v_api_token AS -- never the hash
SELECT t.id, jsonb_build_object('id', t.uid, 'short_id', 't-' || t.id, 'name', t.name, 'acts_as', p.name, 'role', p.role, 'made_by', m.name, 'scopes', t.scopes,
         'created_at', wpa.api_time(t.created_at), 'expires_at', wpa.api_time(t.expires_at), 'revoked_at', wpa.api_time(t.revoked_at),
         'is_valid', t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND p.active AND m.active) AS item
  FROM wpa.api_token t JOIN wpa.principal p ON p.id = t.principal_id JOIN wpa.principal m ON m.id = t.made_by;
