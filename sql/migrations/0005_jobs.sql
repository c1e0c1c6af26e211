-- Jobs, leases, fencing tokens.

CREATE SEQUENCE lease_seq;
CREATE FUNCTION next_token() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT (('x'||substr(pg_walfile_name(pg_current_wal_insert_lsn()),1,8))::bit(32)::bigint << 40)
         + nextval('wpa.lease_seq') $$;

-- The live table holds live jobs only: a trigger moves what has ended to the history at once.
CREATE TABLE job (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  queue text NOT NULL, kind text NOT NULL, subject text NOT NULL, payload jsonb NOT NULL DEFAULT '{}',
  priority smallint NOT NULL DEFAULT 100, run_after timestamptz NOT NULL DEFAULT clock_timestamp(),
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued','running','done','dead','cancelled')),
  attempt int NOT NULL DEFAULT 0, max_attempts int NOT NULL DEFAULT 5,
  owner text, token bigint, lease_until timestamptz, last_error text,
  rerun boolean NOT NULL DEFAULT false, -- enqueued again while running: not done, queued once more
  cancel boolean NOT NULL DEFAULT false, -- asked to stop; the worker looks at it with each heartbeat
  requested_by bigint REFERENCES principal, label text NOT NULL DEFAULT '',
  done_count bigint, total_count bigint, note text, -- progress, for people
  result jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(), claimed_at timestamptz, finished_at timestamptz,
  CONSTRAINT lease_shape CHECK ((state='running') = (owner IS NOT NULL AND token IS NOT NULL AND lease_until IS NOT NULL)),
  CONSTRAINT end_shape CHECK ((state IN ('done','dead','cancelled')) = (finished_at IS NOT NULL))
) WITH (fillfactor=70, autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_cost_delay=0);
CREATE INDEX job_ready ON job (queue, priority, run_after, id) WHERE state='queued';
CREATE INDEX job_lapsed ON job (lease_until) WHERE state='running';
CREATE UNIQUE INDEX job_one_live ON job (kind, subject) WHERE state IN ('queued','running');

CREATE TABLE job_history (
  id bigint NOT NULL, queue text NOT NULL, kind text NOT NULL, subject text NOT NULL, payload jsonb NOT NULL,
  state text NOT NULL, attempt int NOT NULL, last_error text, requested_by bigint, label text NOT NULL,
  done_count bigint, total_count bigint, note text, result jsonb NOT NULL,
  created_at timestamptz NOT NULL, claimed_at timestamptz, finished_at timestamptz NOT NULL,
  PRIMARY KEY (id, finished_at)) PARTITION BY RANGE (finished_at);
CREATE TABLE job_history_rest PARTITION OF job_history DEFAULT;
CREATE INDEX job_history_recent ON job_history (finished_at DESC);

CREATE FUNCTION job_ended() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = wpa, pg_catalog AS $$
BEGIN
  INSERT INTO wpa.job_history VALUES (NEW.id, NEW.queue, NEW.kind, NEW.subject, NEW.payload, NEW.state, NEW.attempt, NEW.last_error,
    NEW.requested_by, NEW.label, NEW.done_count, NEW.total_count, NEW.note, NEW.result, NEW.created_at, NEW.claimed_at, NEW.finished_at);
  DELETE FROM wpa.job WHERE id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER job_ended AFTER UPDATE ON job FOR EACH ROW WHEN (NEW.state IN ('done','dead','cancelled')) EXECUTE FUNCTION job_ended();

CREATE FUNCTION claim(q text, who text, ttl interval) RETURNS SETOF job LANGUAGE sql VOLATILE AS $$
  WITH c AS MATERIALIZED (SELECT id FROM wpa.job
        WHERE queue=q AND state='queued' AND run_after <= statement_timestamp()
        ORDER BY priority, run_after, id LIMIT 1 FOR UPDATE SKIP LOCKED)
  UPDATE wpa.job j SET state='running', owner=who, token=wpa.next_token(), attempt=attempt+1,
         claimed_at=clock_timestamp(), lease_until=clock_timestamp()+ttl FROM c WHERE j.id=c.id RETURNING j.* $$;

-- Queues in order of urgency, one round trip.
CREATE FUNCTION claim_first(queues text[], who text, ttl interval) RETURNS SETOF job LANGUAGE plpgsql VOLATILE AS $$
DECLARE q text; j wpa.job;
BEGIN
  FOREACH q IN ARRAY queues LOOP
    SELECT * INTO j FROM wpa.claim(q, who, ttl);
    IF FOUND THEN RETURN NEXT j; RETURN; END IF;
  END LOOP;
END $$;

CREATE FUNCTION reap(n int) RETURNS bigint LANGUAGE sql VOLATILE AS $$
  WITH c AS (SELECT id FROM wpa.job WHERE state='running' AND lease_until < clock_timestamp()
              ORDER BY lease_until LIMIT n FOR UPDATE SKIP LOCKED),
  u AS (UPDATE wpa.job j SET
      state = CASE WHEN attempt >= max_attempts THEN 'dead' ELSE 'queued' END,
      owner=NULL, token=NULL, lease_until=NULL,
      finished_at = CASE WHEN attempt >= max_attempts THEN clock_timestamp() END,
      last_error='lease expired', run_after=clock_timestamp()
    FROM c WHERE j.id=c.id RETURNING 1) SELECT count(*) FROM u $$;

CREATE FUNCTION heartbeat(j bigint, t bigint, ttl interval) RETURNS boolean LANGUAGE sql VOLATILE AS $$
  WITH u AS (UPDATE wpa.job SET lease_until=clock_timestamp()+ttl
     WHERE id=j AND token=t AND state='running' AND lease_until > clock_timestamp() RETURNING 1) SELECT EXISTS(SELECT 1 FROM u) $$;

CREATE FUNCTION fence(j bigint, t bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM wpa.job WHERE id=j AND token=t AND state='running' AND lease_until > clock_timestamp() FOR SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'lease of job % is lost', j USING ERRCODE='WP001'; END IF;
END $$;

-- ---- wake-up: one notification per queue and transaction, none per row of a bulk insert --------------
-- For jobs due later too: whoever sleeps until the next one is due must hear of a sooner one.
CREATE FUNCTION job_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('wpa_jobs', q.queue) FROM (SELECT DISTINCT queue FROM changed
    WHERE state='queued' AND run_after < 'infinity') q;
  RETURN NULL;
END $$;
CREATE TRIGGER job_wake_insert AFTER INSERT ON job REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION job_wake();
CREATE TRIGGER job_wake_update AFTER UPDATE ON job REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION job_wake();
