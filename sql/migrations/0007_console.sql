-- What people are told, the counts they see, and the notifications that say what changed.

CREATE TABLE notice (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
  level text NOT NULL CHECK (level IN ('ok','note','error','alarm')),
  key text NOT NULL DEFAULT '', -- identical ones within a minute join
  subject text NOT NULL DEFAULT '', message text NOT NULL, count int NOT NULL DEFAULT 1,
  last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  acknowledged_by bigint REFERENCES principal, acknowledged_at timestamptz,
  CHECK ((acknowledged_by IS NULL) = (acknowledged_at IS NULL)));
CREATE INDEX notice_open ON notice (id DESC) WHERE acknowledged_at IS NULL;

CREATE TABLE comment (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject text NOT NULL, principal_id bigint NOT NULL REFERENCES principal,
  at timestamptz NOT NULL DEFAULT clock_timestamp(), text text NOT NULL CHECK (text <> '' AND length(text) <= 10000));
CREATE INDEX comment_of ON comment (subject, id);

CREATE FUNCTION notice_add(level text, key text, subject text, message text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE i bigint;
BEGIN
  UPDATE wpa.notice n SET count=count+1, last_at=clock_timestamp()
   WHERE notice_add.key <> '' AND n.key=notice_add.key AND n.message=notice_add.message AND n.acknowledged_at IS NULL
     AND n.last_at > clock_timestamp() - interval '60 seconds' RETURNING n.id INTO i;
  IF i IS NULL THEN
    INSERT INTO wpa.notice (level, key, subject, message) VALUES (level, key, subject, message) RETURNING id INTO i;
  END IF; RETURN i;
END $$;

-- ---- counts ------------------------------------------------------------------------------------------
-- Each statement adds its differences as rows, so that writers never wait for each other; summary_fold
-- adds them up from time to time. Names: finding 'security/critical' (opportunities: 'security/opportunity';
-- what counts as open, default persona), patch 'tested', workflow 'present', repository 'ok'.
CREATE TABLE summary_part (name text NOT NULL, key text NOT NULL, n bigint NOT NULL);
CREATE INDEX summary_part_name ON summary_part (name, key);
CREATE VIEW summary AS SELECT name, key, sum(n)::bigint AS n FROM wpa.summary_part GROUP BY name, key;

CREATE FUNCTION summary_fold() RETURNS bigint LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = wpa, pg_catalog AS $$
  WITH gone AS (DELETE FROM wpa.summary_part WHERE ctid = ANY(ARRAY(SELECT ctid FROM wpa.summary_part FOR UPDATE SKIP LOCKED)) RETURNING name, key, n),
  kept AS (INSERT INTO wpa.summary_part SELECT name, key, sum(n) FROM gone GROUP BY name, key HAVING sum(n) <> 0 RETURNING 1)
  SELECT count(*) FROM gone $$;

CREATE FUNCTION finding_is_counted(state text, persona text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
 $$ SELECT state IN ('open','in_patch','verifying') AND persona = 'default' $$;

CREATE FUNCTION finding_count_insert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog AS $$
BEGIN
  INSERT INTO wpa.summary_part SELECT 'finding', dimension || '/' || CASE kind WHEN 'opportunity' THEN kind ELSE severity END, count(*)
    FROM fresh WHERE wpa.finding_is_counted(state, persona) GROUP BY 2;
  UPDATE wpa.workflow w SET open_findings = open_findings + d.n FROM (SELECT workflow_id, count(*) AS n FROM fresh
    WHERE wpa.finding_is_counted(state, persona) GROUP BY 1 ORDER BY 1) d WHERE w.id = d.workflow_id;
  RETURN NULL;
END $$;
CREATE TRIGGER finding_count_insert AFTER INSERT ON finding REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION finding_count_insert();

CREATE FUNCTION finding_count_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog AS $$
BEGIN
  INSERT INTO wpa.summary_part SELECT 'finding', key, sum(n) FROM (
      SELECT dimension || '/' || CASE kind WHEN 'opportunity' THEN kind ELSE severity END AS key, 1 AS n FROM fresh WHERE wpa.finding_is_counted(state, persona)
      UNION ALL SELECT dimension || '/' || CASE kind WHEN 'opportunity' THEN kind ELSE severity END, -1 FROM stale WHERE wpa.finding_is_counted(state, persona)) x
    GROUP BY key HAVING sum(n) <> 0;
  UPDATE wpa.workflow w SET open_findings = open_findings + d.n FROM (SELECT workflow_id, sum(n) AS n FROM (
      SELECT workflow_id, 1 AS n FROM fresh WHERE wpa.finding_is_counted(state, persona)
      UNION ALL SELECT workflow_id, -1 FROM stale WHERE wpa.finding_is_counted(state, persona)) x
    GROUP BY 1 HAVING sum(n) <> 0 ORDER BY 1) d WHERE w.id = d.workflow_id;
  RETURN NULL;
END $$;
CREATE TRIGGER finding_count_update AFTER UPDATE ON finding REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION finding_count_update();

-- For tables counted by their state alone.
CREATE FUNCTION state_count() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog AS $$
BEGIN
  IF TG_OP='UPDATE' AND NEW.state <> OLD.state THEN
    INSERT INTO wpa.summary_part VALUES (TG_TABLE_NAME, OLD.state, -1), (TG_TABLE_NAME, NEW.state, 1);
  ELSIF TG_OP='INSERT' THEN
    INSERT INTO wpa.summary_part VALUES (TG_TABLE_NAME, NEW.state, 1);
  END IF; RETURN NULL;
END $$;
CREATE TRIGGER state_count AFTER INSERT OR UPDATE ON patch FOR EACH ROW EXECUTE FUNCTION state_count();
CREATE TRIGGER state_count AFTER INSERT OR UPDATE ON workflow FOR EACH ROW EXECUTE FUNCTION state_count();
CREATE TRIGGER state_count AFTER INSERT OR UPDATE ON repository FOR EACH ROW EXECUTE FUNCTION state_count();
CREATE TRIGGER state_count AFTER INSERT OR UPDATE ON deployment FOR EACH ROW EXECUTE FUNCTION state_count();

-- ---- what changed ------------------------------------------------------------------------------------
-- Channel wpa_change, payload "table:id"; a statement that touched more than 20 says "table:*".
CREATE FUNCTION change_tell() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ids text[];
BEGIN
  EXECUTE format('SELECT array_agg(id) FROM (SELECT DISTINCT %I::text AS id FROM changed LIMIT 21) x', TG_ARGV[0]) INTO ids;
  IF cardinality(ids) > 20 THEN
    PERFORM pg_notify('wpa_change', TG_TABLE_NAME || ':*');
  ELSIF ids IS NOT NULL THEN
    PERFORM pg_notify('wpa_change', TG_TABLE_NAME || ':' || id) FROM unnest(ids) AS u(id);
  END IF; RETURN NULL;
END $$;

DO $$
DECLARE t text[];
BEGIN
  -- table, and the column that a reader would fetch it by
  FOREACH t SLICE 1 IN ARRAY ARRAY[['repository','id'],['workflow','id'],['workflow_analysis','workflow_id'],['finding','workflow_id'],
      ['health','workflow_id'],['patch','id'],['test_run','patch_id'],['test_check','test_run_id'],['approval','patch_id'],
      ['deployment','id'],['deployment_stage','deployment_id'],['deployment_target','deployment_id'],['probe','deployment_id'],
      ['measurement','probe_id'],['notice','id'],['comment','subject'],['audit','seq'],['job','id'],['principal','id'],
      ['setting','key'],['session','principal_id']] LOOP
    EXECUTE format('CREATE TRIGGER zz_tell_insert AFTER INSERT ON wpa.%I REFERENCING NEW TABLE AS changed
      FOR EACH STATEMENT EXECUTE FUNCTION wpa.change_tell(%L)', t[1], t[2]);
    EXECUTE format('CREATE TRIGGER zz_tell_update AFTER UPDATE ON wpa.%I REFERENCING NEW TABLE AS changed
      FOR EACH STATEMENT EXECUTE FUNCTION wpa.change_tell(%L)', t[1], t[2]);
  END LOOP;
END $$;

-- ---- what people are told about patches (the deploy module tells of deployments itself) -----------------
CREATE FUNCTION patch_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state IN ('tested','failed','approved','deployed') AND coalesce(NEW.reason, '') NOT IN ('rejected','superseded') THEN
    PERFORM wpa.notice_add(CASE NEW.state WHEN 'failed' THEN 'error' ELSE 'ok' END, 'patch:' || NEW.id, 'patch:' || NEW.id,
      'p-' || NEW.id || ' ' || NEW.state || CASE WHEN NEW.state = 'failed' THEN ': ' || replace(NEW.reason, '_', ' ')
        WHEN NEW.state = 'approved' THEN ' by ' || coalesce((SELECT name FROM wpa.principal WHERE id = wpa.actor()), '?') ELSE '' END
      || ', ' || NEW.name);
  END IF; RETURN NULL;
END $$;
CREATE TRIGGER patch_notice AFTER UPDATE ON patch FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION patch_notice();
