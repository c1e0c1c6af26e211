-- The fleet, what is in it, what is wrong with it, and how healthy it is.

CREATE TABLE repository (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$'),
  url text NOT NULL, branch text NOT NULL DEFAULT '', forge text NOT NULL DEFAULT '',
  owner text NOT NULL DEFAULT '', labels jsonb NOT NULL DEFAULT '[]',
  criticality smallint NOT NULL DEFAULT 2 CHECK (criticality BETWEEN 1 AND 3),
  test_command text NOT NULL DEFAULT '',
  integration_points jsonb NOT NULL DEFAULT '[]', health_checks jsonb NOT NULL DEFAULT '[]',
  rollout jsonb NOT NULL DEFAULT '{}', data jsonb NOT NULL DEFAULT '{}',
  state text NOT NULL DEFAULT 'new' CHECK (state IN ('new','ok','error','removed')),
  error text, head_commit text, scanned_at timestamptz, added_by bigint REFERENCES principal,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CHECK ((state = 'error') = (error IS NOT NULL)));

-- One file at the head of the branch. The name may fit two workflows (a-b + c, a + b-c).
CREATE TABLE workflow (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  repository_id bigint NOT NULL REFERENCES repository, path text NOT NULL, name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('workflow','action','dependabot')),
  title text NOT NULL DEFAULT '', -- what the file itself calls it
  blob_oid text NOT NULL, head_commit text NOT NULL, size_bytes bigint NOT NULL DEFAULT 0,
  state text NOT NULL DEFAULT 'present' CHECK (state IN ('present','gone')),
  is_valid boolean NOT NULL DEFAULT true, error text,
  jobs int NOT NULL DEFAULT 0, uses jsonb NOT NULL DEFAULT '[]', triggers jsonb NOT NULL DEFAULT '[]',
  open_findings int NOT NULL DEFAULT 0, -- kept by a trigger on finding
  analysed_at timestamptz, rules_version text, version bigint NOT NULL DEFAULT 0,
  first_seen timestamptz NOT NULL DEFAULT clock_timestamp(), last_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (repository_id, path));
CREATE INDEX workflow_name ON workflow (name);

-- The text that an analysis has seen, for showing it without a git server.
CREATE TABLE source (
  blob_oid text PRIMARY KEY, content bytea NOT NULL CHECK (octet_length(content) <= 4194304),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp());

CREATE TABLE workflow_analysis (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  workflow_id bigint NOT NULL REFERENCES workflow,
  dimension text NOT NULL DEFAULT 'all' CHECK (dimension IN ('all','security','performance','efficiency','compatibility','quality')),
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running','new','reviewed','patched','resolved','failed','cancelled')),
  blob_oid text, head_commit text, rules_version text NOT NULL DEFAULT '',
  requested_by bigint REFERENCES principal, job_id bigint,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(), finished_at timestamptz, duration_ms bigint,
  is_complete boolean NOT NULL DEFAULT false, is_cached boolean NOT NULL DEFAULT false,
  findings int NOT NULL DEFAULT 0, findings_new int NOT NULL DEFAULT 0, findings_fixed int NOT NULL DEFAULT 0,
  reviewed_by bigint REFERENCES principal, reviewed_at timestamptz, error text,
  CHECK ((status = 'running') = (finished_at IS NULL)),
  CHECK (status <> 'failed' OR error IS NOT NULL));
CREATE INDEX analysis_of ON workflow_analysis (workflow_id, id DESC);

-- The record of a finding; (workflow, fingerprint) is its identity, so its age survives line moves.
CREATE TABLE finding (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workflow_id bigint NOT NULL REFERENCES workflow, fingerprint text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{40}$'),
  rule text NOT NULL, code text NOT NULL, check_name text,
  dimension text NOT NULL CHECK (dimension IN ('security','performance','efficiency','compatibility','quality')),
  kind text NOT NULL CHECK (kind IN ('issue','inefficiency','opportunity')),
  severity text NOT NULL CHECK (severity IN ('critical','high','medium','low')),
  confidence text NOT NULL CHECK (confidence IN ('high','medium','low')),
  persona text NOT NULL DEFAULT 'default' CHECK (persona IN ('default','pedantic','auditor')),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open','ignored','baseline','in_patch','verifying','fixed')),
  message text NOT NULL, path text NOT NULL,
  start_line int NOT NULL, start_column int NOT NULL, end_line int NOT NULL, end_column int NOT NULL,
  start_byte bigint NOT NULL, end_byte bigint NOT NULL,
  structure jsonb NOT NULL DEFAULT '[]', related jsonb NOT NULL DEFAULT '[]', aliases jsonb NOT NULL DEFAULT '[]',
  data jsonb NOT NULL DEFAULT '{}', fixes jsonb NOT NULL DEFAULT '[]', help text NOT NULL DEFAULT '',
  evidence text NOT NULL DEFAULT '', previous text, -- for joining a finding that moved with its old self
  scope double precision NOT NULL DEFAULT 1,
  blob_oid text, analysis_id bigint REFERENCES workflow_analysis,
  first_seen timestamptz NOT NULL DEFAULT clock_timestamp(), last_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
  fixed_at timestamptz,
  ignored_by bigint REFERENCES principal, ignored_reason text, ignored_until timestamptz,
  version bigint NOT NULL DEFAULT 0,
  -- 4 critical, 3 high, 2 medium, 1 low, 0 opportunity: the order of every list
  rank smallint GENERATED ALWAYS AS (CASE WHEN kind = 'opportunity' THEN 0 WHEN severity = 'critical' THEN 4
    WHEN severity = 'high' THEN 3 WHEN severity = 'medium' THEN 2 ELSE 1 END) STORED,
  UNIQUE (workflow_id, fingerprint),
  CHECK ((state = 'fixed') = (fixed_at IS NOT NULL)),
  CHECK (ignored_by IS NULL OR (ignored_reason IS NOT NULL AND ignored_until IS NOT NULL)));
CREATE INDEX finding_page ON finding (rank DESC, id DESC) WHERE state IN ('open','in_patch','verifying') AND persona = 'default';
CREATE INDEX finding_of_rule ON finding (rule, id) WHERE state IN ('open','in_patch','verifying');
CREATE INDEX finding_newest ON finding (first_seen DESC);

CREATE FUNCTION finding_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.ignored_by IS DISTINCT FROM OLD.ignored_by AND NEW.ignored_by IS NOT NULL
     AND (wpa.actor_kind() IS DISTINCT FROM 'guardian' OR NEW.ignored_by <> wpa.actor()) THEN
    RAISE EXCEPTION 'finding %: only a guardian ignores a finding, in his own name', OLD.id USING ERRCODE='WP003';
  END IF;
  NEW.version := OLD.version + 1; RETURN NEW;
END $$;
CREATE TRIGGER finding_guard BEFORE UPDATE ON finding FOR EACH ROW EXECUTE FUNCTION finding_guard();

-- Files are content-addressed: the result for a blob, a rule set and its surroundings is kept.
CREATE TABLE analysis_cache (
  blob_oid text NOT NULL, rules_version text NOT NULL, context text NOT NULL DEFAULT '',
  result jsonb NOT NULL, made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (blob_oid, rules_version, context));

-- null: a part without data
CREATE TABLE health (
  workflow_id bigint PRIMARY KEY REFERENCES workflow,
  total double precision NOT NULL CHECK (total BETWEEN 0 AND 100), uncapped double precision NOT NULL CHECK (uncapped BETWEEN 0 AND 100),
  cap double precision, cap_reason text, grade text NOT NULL CHECK (grade IN ('A','B','C','D','F')),
  security double precision, performance double precision, efficiency double precision,
  compatibility double precision, quality double precision, run_history double precision,
  parts smallint NOT NULL CHECK (parts BETWEEN 0 AND 6), explanation jsonb NOT NULL DEFAULT '[]',
  computed_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX health_worst ON health (total, workflow_id);

CREATE TABLE health_history (
  workflow_id bigint NOT NULL REFERENCES workflow, at timestamptz NOT NULL DEFAULT clock_timestamp(),
  total double precision NOT NULL, security double precision, performance double precision,
  efficiency double precision, compatibility double precision, quality double precision, run_history double precision,
  PRIMARY KEY (workflow_id, at));

CREATE FUNCTION health_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP='INSERT' OR (NEW.total, NEW.security, NEW.performance, NEW.efficiency, NEW.compatibility, NEW.quality, NEW.run_history)
      IS DISTINCT FROM (OLD.total, OLD.security, OLD.performance, OLD.efficiency, OLD.compatibility, OLD.quality, OLD.run_history) THEN
    INSERT INTO wpa.health_history VALUES (NEW.workflow_id, clock_timestamp(), NEW.total, NEW.security, NEW.performance,
      NEW.efficiency, NEW.compatibility, NEW.quality, NEW.run_history) ON CONFLICT DO NOTHING;
  END IF; RETURN NULL;
END $$;
CREATE TRIGGER health_keep AFTER INSERT OR UPDATE ON health FOR EACH ROW EXECUTE FUNCTION health_keep();

-- Filled by a forge or the local runner.
CREATE TABLE workflow_run (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, workflow_id bigint NOT NULL REFERENCES workflow,
  source text NOT NULL DEFAULT 'local', external_id text NOT NULL, branch text NOT NULL DEFAULT '', commit_oid text NOT NULL DEFAULT '',
  event text NOT NULL DEFAULT '', status text NOT NULL,
  conclusion text CHECK (conclusion IN ('success','failure','cancelled','skipped','timed_out','action_required','none')),
  queued_at timestamptz, started_at timestamptz, completed_at timestamptz, jobs jsonb NOT NULL DEFAULT '[]',
  UNIQUE (workflow_id, source, external_id));
CREATE INDEX workflow_run_latest ON workflow_run (workflow_id, started_at DESC);
