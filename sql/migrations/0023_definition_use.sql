-- What definitions use, a row each: what rules ask about the fleet as a whole. Written with each analysis.
CREATE TABLE definition_use (
  workflow_id bigint NOT NULL REFERENCES workflow,
  slug text NOT NULL CHECK (slug = lower(slug) AND octet_length(slug) BETWEEN 3 AND 400), -- owner/repo[/path]
  major int NOT NULL CHECK (major >= -1), -- -1: not known
  places int NOT NULL CHECK (places > 0),
  PRIMARY KEY (workflow_id, slug, major));
CREATE INDEX definition_use_slug ON definition_use (slug, major);

DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.definition_use TO %I', r);
      IF r <> 'wpa_viewer' THEN
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON wpa.definition_use TO %I', r);
      END IF;
    END IF;
  END LOOP;
END $$;
