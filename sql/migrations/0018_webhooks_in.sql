-- Webhooks in: what a forge tells us, once for each delivery.

-- One for the whole fleet (no repository), and one for any repository that has a secret of its own.
CREATE TABLE hook (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, repository_id bigint REFERENCES repository,
  secret text NOT NULL CHECK (secret ~ '^(env:WPA_SECRET_[A-Z0-9_]+|file:/.+)$' AND length(secret) <= 1005), -- where it is, never what it is
  created_by bigint NOT NULL REFERENCES principal, created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  removed_at timestamptz);
CREATE UNIQUE INDEX hook_one ON hook (coalesce(repository_id, 0)) WHERE removed_at IS NULL;

-- The forge's own id of a delivery, with what was answered: the same one again changes nothing.
CREATE TABLE hook_delivery (
  delivery text PRIMARY KEY CHECK (length(delivery) BETWEEN 1 AND 100), hook_id bigint NOT NULL REFERENCES hook,
  event text NOT NULL, address text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(),
  answer jsonb NOT NULL DEFAULT '{}');
CREATE INDEX hook_delivery_of ON hook_delivery (hook_id, at DESC);
CREATE INDEX hook_delivery_at ON hook_delivery (at);

-- "github.com/acme/ledger-api" of any way to write an address of a repository.
CREATE FUNCTION url_key(url text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT lower(regexp_replace(regexp_replace(regexp_replace(CASE WHEN url ~ '^[a-zA-Z][a-zA-Z0-9+.-]*://' THEN regexp_replace(url, '^[^:]*://', '')
      WHEN url ~ '^[^/]+:' THEN regexp_replace(url, ':', '/') ELSE url END, '^[^/@]*@', ''), '^([^/:]+):[0-9]+/', '\1/'), '(/|\.git)*$', '')) $$;
CREATE INDEX repository_url_key ON repository (url_key(url)) WHERE state <> 'removed';

CREATE FUNCTION hook_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.actor_kind() IS DISTINCT FROM 'guardian' THEN RAISE EXCEPTION 'only a guardian says whose webhooks are taken' USING ERRCODE='WP003'; END IF;
  PERFORM wpa.audit_add(CASE WHEN TG_OP='INSERT' THEN 'webhook.added' WHEN NEW.removed_at IS NOT NULL THEN 'webhook.removed' ELSE 'webhook.changed' END, 'webhook:' || NEW.id,
    jsonb_build_object('repository', (SELECT r.name FROM wpa.repository r WHERE r.id = NEW.repository_id)));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER hook_changed AFTER INSERT OR UPDATE ON hook DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hook_guard();

CREATE VIEW v_hook AS
SELECT h.id, r.name AS repository, h.created_at, p.name AS created_by, x.at AS last_at, x.event AS last_event,
       (SELECT count(*) FROM wpa.hook_delivery d WHERE d.hook_id = h.id) AS deliveries
  FROM wpa.hook h JOIN wpa.principal p ON p.id = h.created_by LEFT JOIN wpa.repository r ON r.id = h.repository_id
  LEFT JOIN LATERAL (SELECT d.at, d.event FROM wpa.hook_delivery d WHERE d.hook_id = h.id ORDER BY d.at DESC LIMIT 1) x ON true
 WHERE h.removed_at IS NULL;

CREATE VIEW v_api_hook AS
SELECT h.id, jsonb_build_object('id', 'h-' || h.id, 'repository', h.repository, 'created_by', h.created_by, 'created_at', wpa.api_time(h.created_at),
         'deliveries', h.deliveries, 'last_event', h.last_event, 'last_at', wpa.api_time(h.last_at)) AS item
  FROM wpa.v_hook h;

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.url_key(text) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.hook_delivery, wpa.v_hook, wpa.v_api_hook TO %I', r);
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.url_key(text) TO %I', r);
    END IF;
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_agent') THEN
    GRANT DELETE ON wpa.hook_delivery TO wpa_agent;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    GRANT SELECT, INSERT, UPDATE ON wpa.hook TO wpa_api;
    GRANT INSERT, UPDATE ON wpa.hook_delivery, wpa.workflow_run TO wpa_api;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA wpa TO wpa_api;
  END IF;
END $$;
