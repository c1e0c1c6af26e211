-- ---- jobs ------------------------------------------------------------------------------------------------
-- Every agent, and each of its workers that is idle, asks every few seconds when the next job is due.
CREATE INDEX job_due ON job (run_after) WHERE state = 'queued';

-- An order that comes while its job runs is kept by it until that run has ended. A run that was given back, tried again or
-- lost its lease ends the same way as one that ended for good: the next run begins behind the order and answers it, with
-- all its tries; the order stood for one more run behind that one.
DROP TRIGGER job_rerun ON job;
CREATE TRIGGER job_rerun BEFORE UPDATE ON job FOR EACH ROW
  WHEN (OLD.state = 'running' AND NEW.state <> 'running' AND NEW.rerun) EXECUTE FUNCTION job_rerun();

-- ---- what is forgotten -----------------------------------------------------------------------------------
-- A time that may change within the statement is no bound of an index: each of those that stay was read to find that none
-- has to go.
CREATE OR REPLACE FUNCTION forget_old() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, wpa, pg_temp AS $$
  WITH job AS (DELETE FROM wpa.job_history h USING (SELECT o.id, o.finished_at FROM wpa.job_history o
       WHERE o.finished_at < statement_timestamp() - interval '91 days' ORDER BY o.finished_at LIMIT 1000 FOR UPDATE SKIP LOCKED) o
     WHERE h.id = o.id AND h.finished_at = o.finished_at RETURNING h.id),
  session AS (DELETE FROM wpa.session s WHERE s.jti IN (SELECT o.jti FROM wpa.session o
       WHERE o.expires_at < statement_timestamp() - interval '30 days' ORDER BY o.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED) RETURNING s.jti)
  SELECT greatest((SELECT count(*) FROM job), (SELECT count(*) FROM session)) $$;
CREATE INDEX outbox_done ON outbox (at) WHERE due_at IS NULL;
