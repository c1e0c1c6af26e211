-- Notices out: where they go, what is on its way there, and the matters that begin and end.

CREATE TABLE destination (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
  channel text NOT NULL CHECK (channel IN ('webhook','slack','alertmanager','email','command')),
  settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
  secret text CHECK (secret ~ '^(env:WPA_SECRET_[A-Z0-9_]+|file:/.+)$' AND length(secret) <= 1005), -- where it is, never what it is
  events text[] NOT NULL DEFAULT '{notice.*,finding.new}' CHECK (cardinality(events) BETWEEN 1 AND 50),
  min_severity text NOT NULL DEFAULT 'info' CHECK (min_severity IN ('info','warning','error','critical')),
  repositories text[] NOT NULL DEFAULT '{}' CHECK (cardinality(repositories) <= 200), -- names with *, owner:x, label:x; none: all
  timeout_ms int NOT NULL DEFAULT 10000 CHECK (timeout_ms BETWEEN 500 AND 60000),
  max_tries int NOT NULL DEFAULT 12 CHECK (max_tries BETWEEN 1 AND 50),
  private_addresses boolean NOT NULL DEFAULT true, -- may it lead into the own network
  is_enabled boolean NOT NULL DEFAULT true,
  failing_since timestamptz, failures int NOT NULL DEFAULT 0, last_sent_at timestamptz, -- kept by whoever delivers
  created_by bigint NOT NULL REFERENCES principal, created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  removed_at timestamptz, version bigint NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX destination_name ON destination (lower(name)) WHERE removed_at IS NULL;

-- Something that lasts: it is told of when it begins, and once more when it has ended.
CREATE TABLE matter (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('deployment','patch','repository','findings','audit')),
  severity text NOT NULL CHECK (severity IN ('info','warning','error','critical')),
  subject text NOT NULL, summary text NOT NULL, repositories text[] NOT NULL DEFAULT '{}',
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(), ended_at timestamptz);
CREATE UNIQUE INDEX matter_open ON matter (key) WHERE ended_at IS NULL;

-- due_at: waiting, when to try; sending, when whoever tries is taken for dead; sent, when to say it again
-- (an alert that lasts); null: nothing is to be done.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, delivery uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  destination_id bigint NOT NULL REFERENCES destination,
  event text NOT NULL, severity text NOT NULL CHECK (severity IN ('info','warning','error','critical')),
  subject text NOT NULL DEFAULT '', message text NOT NULL, detail jsonb NOT NULL DEFAULT '{}',
  repositories text[] NOT NULL DEFAULT '{}', matter_id bigint REFERENCES matter, is_over boolean NOT NULL DEFAULT false,
  is_test boolean NOT NULL DEFAULT false, at timestamptz NOT NULL DEFAULT clock_timestamp(),
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting','sending','sent','dead','cancelled')),
  tries int NOT NULL DEFAULT 0, token bigint, due_at timestamptz DEFAULT clock_timestamp(),
  sent_at timestamptz, answer_status int, answer text, latency_ms bigint, error text,
  CHECK (state NOT IN ('waiting','sending') OR due_at IS NOT NULL), CHECK (state NOT IN ('dead','cancelled') OR due_at IS NULL),
  CHECK ((state = 'sending') = (token IS NOT NULL)), CHECK (state <> 'sent' OR sent_at IS NOT NULL), CHECK (state <> 'dead' OR error IS NOT NULL)
) WITH (fillfactor=70);
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_of ON outbox (destination_id, id DESC);
CREATE INDEX outbox_matter ON outbox (matter_id, destination_id) WHERE matter_id IS NOT NULL;
CREATE INDEX outbox_dead ON outbox (destination_id, id) WHERE state = 'dead';
CREATE INDEX outbox_live ON outbox (destination_id, id) WHERE state IN ('waiting','sending');

-- How grave a row of the audit log is for those who are told of it; any other: info.
CREATE TABLE event_severity (action text PRIMARY KEY, severity text NOT NULL CHECK (severity IN ('info','warning','error','critical')));
INSERT INTO event_severity VALUES
 ('deployment.stuck','critical'), ('deployment.rolling_back','critical'), ('target.revert_blocked','critical'),
 ('deployment.rolled_back','error'), ('patch.failed','error'), ('patch.rolled_back','error'), ('stage.failed','error'),
 ('target.failed','error'), ('test.failed','error'), ('test.error','error'),
 ('deployment.paused','warning'), ('deployment.aborted','warning'), ('target.conflict','warning'), ('target.revert_intended','warning'),
 ('access.refused','warning'), ('session.refused','warning'), ('webhook.refused','warning'), ('approval.withdrawn','warning'), ('waiver.given','warning');

-- ---- whom an event concerns ---------------------------------------------------------------------------
CREATE FUNCTION event_rank(severity text) RETURNS int LANGUAGE sql IMMUTABLE AS
 $$ SELECT array_position(ARRAY['info','warning','error','critical'], severity) $$;

-- "patch.*" as a pattern of LIKE.
CREATE FUNCTION like_of(pattern text) RETURNS text LANGUAGE sql IMMUTABLE AS
 $$ SELECT replace(replace(replace(replace(pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%') $$;

CREATE FUNCTION event_repositories(subject text) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE wanted bigint; names text[];
BEGIN
  IF subject !~ '^[a-z]+:[0-9]{1,18}(/|$)' THEN RETURN '{}'; END IF;
  wanted := regexp_replace(split_part(subject, ':', 2), '/.*$', '')::bigint;
  CASE split_part(subject, ':', 1)
    WHEN 'repository' THEN SELECT array_agg(r.name) INTO names FROM wpa.repository r WHERE r.id = wanted;
    WHEN 'workflow' THEN SELECT array_agg(r.name) INTO names FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id WHERE w.id = wanted;
    WHEN 'finding' THEN SELECT array_agg(r.name) INTO names FROM wpa.finding f JOIN wpa.workflow w ON w.id = f.workflow_id
      JOIN wpa.repository r ON r.id = w.repository_id WHERE f.id = wanted;
    WHEN 'deployment', 'stage', 'target' THEN SELECT array_agg(DISTINCT r.name) INTO names FROM wpa.deployment_target t JOIN wpa.repository r ON r.id = t.target_id
      WHERE t.deployment_id = wanted AND (subject NOT LIKE 'target:%/%' OR t.target_id::text = split_part(subject, '/', 2));
    WHEN 'patch', 'test', 'approval', 'waiver' THEN SELECT array_agg(DISTINCT r.name) INTO names FROM wpa.patch_edit e JOIN wpa.repository r ON r.id = e.repository_id
      WHERE e.patch_id = CASE split_part(subject, ':', 1) WHEN 'patch' THEN wanted WHEN 'test' THEN (SELECT t.patch_id FROM wpa.test_run t WHERE t.id = wanted)
        WHEN 'approval' THEN (SELECT a.patch_id FROM wpa.approval a WHERE a.id = wanted) ELSE (SELECT v.patch_id FROM wpa.waiver v WHERE v.id = wanted) END;
    ELSE names := NULL;
  END CASE;
  RETURN coalesce(names, '{}');
END $$;

CREATE FUNCTION destination_wants(d destination, event text, severity text, names text[]) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT d.is_enabled AND d.removed_at IS NULL AND wpa.event_rank(severity) >= wpa.event_rank(d.min_severity)
     AND EXISTS (SELECT FROM unnest(d.events) AS p WHERE event LIKE wpa.like_of(p))
     AND (d.repositories = '{}' OR EXISTS (SELECT FROM wpa.repository r, unnest(d.repositories) AS p WHERE r.name = ANY(names)
            AND (r.name LIKE wpa.like_of(p) OR p = 'owner:' || r.owner OR (p LIKE 'label:%' AND r.labels @> to_jsonb(substr(p, 7)))))) $$;

-- ---- what front ends show; never a secret, not even where it is --------------------------------------------
-- The path of an address of Slack is its secret, and so may a query be.
CREATE FUNCTION destination_settings(d destination) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN d.settings ? 'url' THEN d.settings || jsonb_build_object('url', CASE d.channel WHEN 'slack' THEN regexp_replace(d.settings->>'url', '^([a-z]+://[^/?]*).*$', '\1/...')
      ELSE regexp_replace(d.settings->>'url', '\?.*$', '?...') END) ELSE d.settings END $$;

CREATE VIEW v_destination AS
SELECT d.id, d.name, d.channel, d.is_enabled, d.min_severity, d.events, d.repositories, d.secret IS NOT NULL AS has_secret, d.timeout_ms, d.max_tries, d.private_addresses,
       wpa.destination_settings(d) AS settings, d.failing_since, d.last_sent_at, d.created_at, d.version, p.name AS created_by,
       (SELECT count(*) FROM wpa.outbox o WHERE o.destination_id = d.id AND o.state IN ('waiting','sending')) AS waiting,
       (SELECT count(*) FROM wpa.outbox o WHERE o.destination_id = d.id AND o.state = 'dead') AS dead,
       (SELECT o.error FROM wpa.outbox o WHERE o.destination_id = d.id AND o.error IS NOT NULL AND d.failing_since IS NOT NULL ORDER BY o.id DESC LIMIT 1) AS error
  FROM wpa.destination d JOIN wpa.principal p ON p.id = d.created_by WHERE d.removed_at IS NULL;

-- "p-7": what people call it.
CREATE FUNCTION short_name(subject text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE split_part(subject, ':', 1)
    WHEN 'patch' THEN 'p-' || split_part(subject, ':', 2) WHEN 'deployment' THEN 'd-' || split_part(subject, ':', 2)
    WHEN 'stage' THEN 'd-' || split_part(subject, ':', 2) WHEN 'target' THEN 'd-' || split_part(subject, ':', 2)
    WHEN 'finding' THEN 'f-' || split_part(subject, ':', 2) WHEN 'workflow' THEN 'w-' || split_part(subject, ':', 2)
    WHEN 'job' THEN 'j-' || split_part(subject, ':', 2)
    WHEN 'destination' THEN coalesce((SELECT d.name FROM wpa.v_destination d WHERE d.id::text = split_part(subject, ':', 2)), subject)
    WHEN 'repository' THEN coalesce((SELECT r.name FROM wpa.repository r WHERE r.id::text = split_part(subject, ':', 2)), subject)
    WHEN 'principal' THEN coalesce((SELECT p.name FROM wpa.principal p WHERE p.id::text = split_part(subject, ':', 2)), subject)
    ELSE subject END $$;

-- ---- the outbox is filled -----------------------------------------------------------------------------
-- In the transaction of whatever is told: what did not happen is not told, and what happened is not forgotten.
-- That a destination fails is told only to those that work, or two that fail would tell each other for ever;
-- what came of a test concerns who ordered it.
-- For one that fails it waits as long as what waits already.
CREATE FUNCTION event_tell(event text, severity text, subject text, message text, detail jsonb, matter_id bigint, is_over boolean)
 RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog AS $$
DECLARE names text[];
BEGIN
  IF NOT EXISTS (SELECT FROM wpa.destination d WHERE d.is_enabled AND d.removed_at IS NULL) THEN RETURN; END IF;
  names := wpa.event_repositories(event_tell.subject);
  INSERT INTO wpa.outbox (destination_id, event, severity, subject, message, detail, repositories, matter_id, is_over, due_at)
  SELECT d.id, event_tell.event, event_tell.severity, event_tell.subject, event_tell.message, event_tell.detail, names, event_tell.matter_id, event_tell.is_over,
         coalesce(CASE WHEN d.failures > 0 THEN (SELECT min(b.due_at) FROM wpa.outbox b WHERE b.destination_id = d.id AND b.state = 'waiting') END, clock_timestamp())
    FROM wpa.destination d
   WHERE wpa.destination_wants(d, event_tell.event, event_tell.severity, names)
     AND (d.channel <> 'alertmanager' OR event_tell.matter_id IS NOT NULL)
     AND (event_tell.subject NOT LIKE 'destination:%' OR (d.failing_since IS NULL AND event_tell.event NOT IN ('notice.ok','notice.note')))
   ORDER BY d.id;
END $$;

CREATE FUNCTION outbox_wake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('wpa_outbox', ''); RETURN NULL; END $$;
CREATE TRIGGER outbox_wake AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION outbox_wake();

CREATE FUNCTION notice_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wpa.event_tell('notice.' || NEW.level, CASE NEW.level WHEN 'alarm' THEN 'critical' WHEN 'error' THEN 'error' ELSE 'info' END,
    NEW.subject, NEW.message, jsonb_build_object('notice', 'n-' || NEW.id), NULL, false);
  RETURN NULL;
END $$;
CREATE TRIGGER notice_out AFTER INSERT ON notice FOR EACH ROW EXECUTE FUNCTION notice_out();

CREATE FUNCTION audit_out() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE d jsonb := NEW.detail::jsonb;
BEGIN
  PERFORM wpa.event_tell(NEW.action, coalesce((SELECT s.severity FROM wpa.event_severity s WHERE s.action = NEW.action), 'info'), NEW.subject,
    wpa.short_name(NEW.subject) || ': ' || replace(NEW.action, '_', ' ') || coalesce(', ' || replace(d->>'reason', '_', ' '), '')
      || coalesce(' by ' || (SELECT p.name FROM wpa.principal p WHERE p.id::text = NEW.actor), ''),
    (d - ARRAY['address','user_agent']) || jsonb_build_object('audit', NEW.seq, 'actor', (SELECT p.name FROM wpa.principal p WHERE p.id::text = NEW.actor)), NULL, false);
  RETURN NULL;
END $$;
CREATE TRIGGER audit_out AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_out();

-- What an analysis found anew, in one row: the first look at a fleet finds thousands.
CREATE FUNCTION analysis_out() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE n jsonb; worst jsonb; label text;
BEGIN
  IF NOT EXISTS (SELECT FROM wpa.destination d WHERE d.is_enabled AND d.removed_at IS NULL) THEN RETURN NULL; END IF;
  SELECT wpa.slash_name(r.name, w.path) INTO label FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id WHERE w.id = NEW.workflow_id;
  SELECT jsonb_object_agg(x.severity, x.n) INTO n FROM (SELECT f.severity, count(*) AS n FROM wpa.finding f
    WHERE f.workflow_id = NEW.workflow_id AND f.analysis_id = NEW.id AND f.first_seen >= NEW.started_at AND wpa.finding_is_counted(f.state, f.persona) GROUP BY 1) x;
  IF n IS NOT NULL THEN
    SELECT jsonb_build_object('id', 'f-' || f.id, 'rule', f.rule, 'severity', f.severity, 'message', f.message, 'path', f.path, 'line', f.start_line) INTO worst
      FROM wpa.finding f WHERE f.workflow_id = NEW.workflow_id AND f.analysis_id = NEW.id AND f.first_seen >= NEW.started_at
       AND wpa.finding_is_counted(f.state, f.persona) ORDER BY f.rank DESC, f.id LIMIT 1;
    PERFORM wpa.event_tell('finding.new', CASE WHEN n ? 'critical' THEN 'critical' WHEN n ? 'high' THEN 'error' WHEN n ? 'medium' THEN 'warning' ELSE 'info' END,
      'workflow:' || NEW.workflow_id, label || ': new findings: ' || concat_ws(', ', (n->>'critical') || ' critical', (n->>'high') || ' high',
        (n->>'medium') || ' medium', (n->>'low') || ' low') || '; ' || (worst->>'message'), jsonb_build_object('analysis', 'a-' || NEW.id, 'new', n, 'worst', worst), NULL, false);
  END IF;
  IF NEW.findings_fixed > 0 THEN
    PERFORM wpa.event_tell('finding.fixed', 'info', 'workflow:' || NEW.workflow_id, label || ': ' || NEW.findings_fixed || ' findings fixed',
      jsonb_build_object('analysis', 'a-' || NEW.id, 'fixed', NEW.findings_fixed), NULL, false);
  END IF; RETURN NULL;
END $$;
CREATE TRIGGER analysis_out AFTER UPDATE ON workflow_analysis FOR EACH ROW
  WHEN (OLD.status = 'running' AND NEW.status NOT IN ('running','failed','cancelled') AND (NEW.findings_new > 0 OR NEW.findings_fixed > 0)) EXECUTE FUNCTION analysis_out();

-- ---- matters ------------------------------------------------------------------------------------------
CREATE FUNCTION matter_set(key text, kind text, severity text, subject text, summary text, is_open boolean)
 RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog AS $$
DECLARE m wpa.matter;
BEGIN
  IF matter_set.is_open THEN
    INSERT INTO wpa.matter (key, kind, severity, subject, summary, repositories)
    VALUES (matter_set.key, matter_set.kind, matter_set.severity, matter_set.subject, matter_set.summary, wpa.event_repositories(matter_set.subject))
    ON CONFLICT DO NOTHING RETURNING * INTO m; -- it stands already
  ELSE
    UPDATE wpa.matter x SET ended_at = clock_timestamp() WHERE x.key = matter_set.key AND x.ended_at IS NULL RETURNING * INTO m;
    UPDATE wpa.outbox o SET due_at = NULL WHERE o.matter_id = m.id AND o.state = 'sent' AND o.due_at IS NOT NULL;
  END IF;
  IF m.id IS NOT NULL THEN
    PERFORM wpa.event_tell('alert.' || m.kind, m.severity, m.subject, CASE WHEN matter_set.is_open THEN '' ELSE 'over: ' END || m.summary,
      jsonb_build_object('matter', m.key), m.id, NOT matter_set.is_open);
  END IF;
END $$;

CREATE FUNCTION deployment_matter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wpa.matter_set('deployment:' || NEW.id, 'deployment', 'critical', 'deployment:' || NEW.id,
    'd-' || NEW.id || ' is ' || replace(NEW.state, '_', ' ') || coalesce(': ' || replace(NEW.reason, '_', ' '), ''), NEW.state IN ('paused','rolling_back','stuck'));
  RETURN NULL;
END $$;
CREATE TRIGGER deployment_matter AFTER UPDATE ON deployment FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION deployment_matter();

CREATE FUNCTION patch_matter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wpa.matter_set('patch:' || NEW.id, 'patch', 'error', 'patch:' || NEW.id, 'p-' || NEW.id || ' failed its tests, ' || NEW.name,
    NEW.state = 'failed' AND NEW.reason IN ('test_failed','test_error'));
  RETURN NULL;
END $$;
CREATE TRIGGER patch_matter AFTER UPDATE ON patch FOR EACH ROW WHEN ((NEW.state, NEW.reason) IS DISTINCT FROM (OLD.state, OLD.reason)) EXECUTE FUNCTION patch_matter();

CREATE FUNCTION repository_matter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wpa.matter_set('repository:' || NEW.id, 'repository', 'warning', 'repository:' || NEW.id,
    NEW.name || ' cannot be read' || coalesce(': ' || NEW.error, ''), NEW.state = 'error');
  IF NEW.state = 'removed' THEN -- and with it what is wrong in its files
    PERFORM wpa.matter_set(m.key, m.kind, m.severity, m.subject, m.summary, false) FROM wpa.matter m JOIN wpa.workflow w ON m.subject = 'workflow:' || w.id
      WHERE w.repository_id = NEW.id AND m.ended_at IS NULL;
  END IF; RETURN NULL;
END $$;
CREATE TRIGGER repository_matter AFTER UPDATE ON repository FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION repository_matter();

-- One matter for each workflow and severity: its count of open findings is kept by a trigger on finding.
CREATE FUNCTION workflow_matter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s text; label text; n bigint;
BEGIN
  SELECT wpa.slash_name(r.name, NEW.path) INTO label FROM wpa.repository r WHERE r.id = NEW.repository_id;
  FOREACH s IN ARRAY ARRAY['critical','high'] LOOP
    SELECT count(*) INTO n FROM wpa.finding f WHERE NEW.state = 'present' AND f.workflow_id = NEW.id AND f.severity = s AND f.kind <> 'opportunity'
       AND wpa.finding_is_counted(f.state, f.persona);
    PERFORM wpa.matter_set('workflow:' || NEW.id || '/' || s, 'findings', CASE s WHEN 'critical' THEN 'critical' ELSE 'error' END, 'workflow:' || NEW.id,
      label || ' has open ' || s || ' findings', n > 0);
  END LOOP; RETURN NULL;
END $$;
CREATE TRIGGER workflow_matter AFTER UPDATE ON workflow FOR EACH ROW
  WHEN ((NEW.open_findings, NEW.state) IS DISTINCT FROM (OLD.open_findings, OLD.state)) EXECUTE FUNCTION workflow_matter();

CREATE FUNCTION audit_matter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wpa.matter_set('audit', 'audit', 'critical', 'audit', 'the audit log is broken at row ' || coalesce(NEW.fault_seq, 0), NEW.fault_seq IS NOT NULL);
  RETURN NULL;
END $$;
CREATE TRIGGER audit_matter AFTER INSERT ON audit_verification FOR EACH ROW EXECUTE FUNCTION audit_matter();

-- Matters that stand already, and those of a new destination that wants them.
INSERT INTO matter (key, kind, severity, subject, summary, repositories)
SELECT 'deployment:' || id, 'deployment', 'critical', 'deployment:' || id, 'd-' || id || ' is ' || replace(state, '_', ' '), wpa.event_repositories('deployment:' || id)
  FROM wpa.deployment WHERE state IN ('paused','rolling_back','stuck')
UNION ALL SELECT 'patch:' || id, 'patch', 'error', 'patch:' || id, 'p-' || id || ' failed its tests, ' || name, wpa.event_repositories('patch:' || id)
  FROM wpa.patch WHERE state = 'failed' AND reason IN ('test_failed','test_error')
UNION ALL SELECT 'repository:' || id, 'repository', 'warning', 'repository:' || id, name || ' cannot be read', ARRAY[name] FROM wpa.repository WHERE state = 'error'
UNION ALL SELECT DISTINCT 'workflow:' || w.id || '/' || f.severity, 'findings', CASE f.severity WHEN 'critical' THEN 'critical' ELSE 'error' END, 'workflow:' || w.id,
       wpa.slash_name(r.name, w.path) || ' has open ' || f.severity || ' findings', ARRAY[r.name]
  FROM wpa.finding f JOIN wpa.workflow w ON w.id = f.workflow_id AND w.state = 'present' JOIN wpa.repository r ON r.id = w.repository_id
 WHERE f.severity IN ('critical','high') AND f.kind <> 'opportunity' AND wpa.finding_is_counted(f.state, f.persona);

CREATE FUNCTION destination_begin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog AS $$
BEGIN
  INSERT INTO wpa.outbox (destination_id, event, severity, subject, message, detail, repositories, matter_id)
  SELECT NEW.id, 'alert.' || m.kind, m.severity, m.subject, m.summary, jsonb_build_object('matter', m.key), m.repositories, m.id FROM wpa.matter m
   WHERE m.ended_at IS NULL AND wpa.destination_wants(NEW, 'alert.' || m.kind, m.severity, m.repositories) ORDER BY m.id;
  RETURN NULL;
END $$;
CREATE TRIGGER destination_begin AFTER INSERT ON destination FOR EACH ROW EXECUTE FUNCTION destination_begin();

-- ---- who may, and what of it stands in the audit log ----------------------------------------------------
CREATE FUNCTION destination_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.actor_kind() IS DISTINCT FROM 'guardian' THEN RAISE EXCEPTION 'only a guardian says where notices go' USING ERRCODE='WP003'; END IF;
  PERFORM wpa.audit_add(CASE WHEN TG_OP='INSERT' THEN 'destination.added' WHEN NEW.removed_at IS NOT NULL THEN 'destination.removed' ELSE 'destination.changed' END,
    'destination:' || NEW.id, jsonb_build_object('name', NEW.name, 'channel', NEW.channel, 'events', to_jsonb(NEW.events), 'min_severity', NEW.min_severity,
      'repositories', to_jsonb(NEW.repositories), 'is_enabled', NEW.is_enabled));
  IF NEW.removed_at IS NOT NULL THEN
    UPDATE wpa.outbox SET state = 'cancelled', due_at = NULL, token = NULL WHERE destination_id = NEW.id AND state IN ('waiting','sending');
    UPDATE wpa.outbox SET due_at = NULL WHERE destination_id = NEW.id AND due_at IS NOT NULL;
  END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER destination_added AFTER INSERT ON destination DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION destination_guard();
CREATE CONSTRAINT TRIGGER destination_changed AFTER UPDATE ON destination DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION destination_guard();

-- ---- what the API shows ---------------------------------------------------------------------------------
CREATE VIEW v_api_destination AS
SELECT d.id, d.name, d.version, jsonb_build_object('id', 'o-' || d.id, 'name', d.name, 'channel', d.channel, 'settings', d.settings, 'has_secret', d.has_secret,
         'events', to_jsonb(d.events), 'min_severity', d.min_severity, 'repositories', to_jsonb(d.repositories), 'timeout_ms', d.timeout_ms, 'max_tries', d.max_tries,
         'private_addresses', d.private_addresses, 'is_enabled', d.is_enabled, 'waiting', d.waiting, 'dead', d.dead, 'failing_since', wpa.api_time(d.failing_since),
         'last_sent_at', wpa.api_time(d.last_sent_at), 'error', d.error, 'created_by', d.created_by, 'created_at', wpa.api_time(d.created_at)) AS item
  FROM wpa.v_destination d;

CREATE VIEW v_api_outbox AS
SELECT o.id, o.state, o.event, d.name, jsonb_build_object('id', 'm-' || o.id, 'delivery', o.delivery, 'destination', d.name, 'channel', d.channel, 'event', o.event, 'severity', o.severity,
         'subject', nullif(o.subject, ''), 'message', o.message, 'repositories', to_jsonb(o.repositories), 'is_test', o.is_test, 'is_over', o.is_over, 'state', o.state,
         'tries', o.tries, 'max_tries', d.max_tries, 'at', wpa.api_time(o.at), 'due_at', wpa.api_time(CASE WHEN o.state = 'waiting' THEN o.due_at END),
         'sent_at', wpa.api_time(o.sent_at), 'answer_status', o.answer_status, 'answer', o.answer, 'latency_ms', o.latency_ms, 'error', o.error) AS item
  FROM wpa.outbox o JOIN wpa.destination d ON d.id = o.destination_id;

DO $$
DECLARE r text; t text[];
BEGIN
  FOREACH t SLICE 1 IN ARRAY ARRAY[['destination','id'],['outbox','destination_id']] LOOP
    EXECUTE format('CREATE TRIGGER zz_tell_insert AFTER INSERT ON wpa.%I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION wpa.change_tell(%L)', t[1], t[2]);
    EXECUTE format('CREATE TRIGGER zz_tell_update AFTER UPDATE ON wpa.%I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION wpa.change_tell(%L)', t[1], t[2]);
  END LOOP;
  REVOKE ALL ON FUNCTION wpa.event_rank(text), wpa.like_of(text), wpa.event_repositories(text), wpa.destination_wants(wpa.destination, text, text, text[]), wpa.short_name(text),
    wpa.event_tell(text, text, text, text, jsonb, bigint, boolean), wpa.matter_set(text, text, text, text, text, boolean), wpa.destination_settings(wpa.destination) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.matter, wpa.outbox, wpa.event_severity, wpa.v_destination, wpa.v_api_destination, wpa.v_api_outbox TO %I', r);
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.event_rank(text), wpa.like_of(text), wpa.short_name(text), wpa.destination_settings(wpa.destination) TO %I', r);
      IF r <> 'wpa_viewer' THEN
        EXECUTE format('GRANT SELECT ON wpa.destination TO %I', r);
        EXECUTE format('GRANT UPDATE, DELETE, INSERT ON wpa.outbox TO %I', r);
        EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA wpa TO %I', r);
        EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.event_repositories(text), wpa.destination_wants(wpa.destination, text, text, text[]),
          wpa.event_tell(text, text, text, text, jsonb, bigint, boolean), wpa.matter_set(text, text, text, text, text, boolean) TO %I', r);
      END IF;
    END IF;
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    GRANT INSERT, UPDATE ON wpa.destination TO wpa_api;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_agent') THEN
    GRANT UPDATE (failing_since, failures, last_sent_at) ON wpa.destination TO wpa_agent;
  END IF;
END $$;
