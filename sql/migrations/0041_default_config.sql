-- The wpa.yml that holds for every repository of the fleet, below its own: one, with the version that a change was based
-- on. A guardian's to change; the audit log has what it was by its digest.
CREATE TABLE default_config (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
  content text CHECK (octet_length(content) BETWEEN 1 AND 65536), -- null: there is none
  changed_by bigint REFERENCES principal,
  changed_at timestamptz);
INSERT INTO default_config DEFAULT VALUES;

CREATE TRIGGER role_guard BEFORE INSERT OR UPDATE OR DELETE ON default_config
  FOR EACH STATEMENT EXECUTE FUNCTION role_guard();
CREATE TRIGGER guardian_guard BEFORE INSERT OR UPDATE OR DELETE ON default_config
  FOR EACH STATEMENT EXECUTE FUNCTION guardian_guard('all');

CREATE FUNCTION default_config_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.content IS DISTINCT FROM OLD.content THEN
    PERFORM wpa.audit_add(CASE WHEN NEW.content IS NULL THEN 'setting.removed' ELSE 'setting.changed' END, 'setting:wpa.yml',
      jsonb_build_object('version', NEW.version, 'bytes', octet_length(NEW.content),
        'from', encode(sha256(convert_to(OLD.content, 'UTF8')), 'hex'), 'to', encode(sha256(convert_to(NEW.content, 'UTF8')), 'hex')));
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER default_config_audit AFTER UPDATE ON default_config DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION default_config_audit();

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.default_config_audit() FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.default_config TO %I', r);
    END IF;
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    GRANT UPDATE ON wpa.default_config TO wpa_api;
  END IF;
END $$;
