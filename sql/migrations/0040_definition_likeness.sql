-- What steps of definitions are like, as numbers: jobs that are alike share some of them, so that those of other
-- repositories are found without comparing each with each. Written with each analysis.
CREATE TABLE definition_likeness (
  workflow_id bigint NOT NULL REFERENCES workflow,
  repository_id bigint NOT NULL REFERENCES repository,
  mark int NOT NULL,
  PRIMARY KEY (workflow_id, mark));
CREATE INDEX definition_likeness_mark ON definition_likeness (mark, repository_id, workflow_id);

CREATE TRIGGER role_guard BEFORE INSERT OR UPDATE OR DELETE ON definition_likeness
  FOR EACH STATEMENT EXECUTE FUNCTION role_guard();

DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.definition_likeness TO %I', r);
      IF r <> 'wpa_viewer' THEN
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON wpa.definition_likeness TO %I', r);
      END IF;
    END IF;
  END LOOP;
END $$;
