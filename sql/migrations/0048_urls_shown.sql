-- Everything may be read but secrets: a repository's address may hold a password, or a token in the place of the user.

-- As wpa_git_url_visible.
CREATE FUNCTION url_visible(url text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN url ~ '^http[^:]*://' THEN regexp_replace(url, '^([^:]*://)[^/?#]*@', '\1***@')
              ELSE regexp_replace(url, '^([^:/]*://[^:/?#@]*):[^/?#]*@', '\1:***@') END $$;

CREATE OR REPLACE VIEW v_api_repository AS
SELECT r.id, r.name, jsonb_build_object('id', r.uid, 'short_id', 'r-' || r.id, 'name', r.name, 'url', wpa.url_visible(r.url), 'branch', r.branch, 'owner', r.owner,
         'labels', r.labels, 'criticality', r.criticality,
         'state', r.state, 'error', r.error, 'head', r.head_commit, 'scanned_at', wpa.api_time(r.scanned_at), 'rollout', r.rollout, 'health_checks', r.health_checks,
         'workflows', (SELECT count(*) FROM wpa.workflow w WHERE w.repository_id = r.id AND w.state = 'present' AND w.kind = 'workflow'),
         'health_score', (SELECT round(avg(h.total)::numeric, 1) FROM wpa.workflow w JOIN wpa.health h ON h.workflow_id = w.id WHERE w.repository_id = r.id AND w.state = 'present')) AS item,
       r.uid
  FROM wpa.repository r WHERE r.state <> 'removed';

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.url_visible(text) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.url_visible(text) TO %I', r);
    END IF;
  END LOOP;
END $$;
