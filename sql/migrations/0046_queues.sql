-- ---- jobs ------------------------------------------------------------------------------------------------
-- A job that was told to stop, and whose agent died before it looked, was taken up again by another one, which did it to
-- its end if it took no longer than a heartbeat: what stopped looking is all that it was told.
CREATE OR REPLACE FUNCTION reap(n int) RETURNS bigint LANGUAGE sql VOLATILE AS $$
  WITH c AS (SELECT id FROM wpa.job WHERE state='running' AND lease_until < clock_timestamp()
              ORDER BY lease_until LIMIT n FOR UPDATE SKIP LOCKED),
  u AS (UPDATE wpa.job j SET
      state = CASE WHEN cancel THEN 'cancelled' WHEN attempt >= max_attempts THEN 'dead' ELSE 'queued' END,
      owner=NULL, token=NULL, lease_until=NULL,
      finished_at = CASE WHEN cancel OR attempt >= max_attempts THEN clock_timestamp() END,
      last_error='lease expired', run_after=clock_timestamp()
    FROM c WHERE j.id=c.id RETURNING 1) SELECT count(*) FROM u $$;

DROP TRIGGER lease_lost ON job;
CREATE TRIGGER lease_lost AFTER UPDATE ON job FOR EACH ROW WHEN (OLD.state = 'running' AND NEW.state IN ('queued','dead','cancelled')
  AND NEW.last_error = 'lease expired' AND NEW.run_after > OLD.lease_until) EXECUTE FUNCTION lease_lost();

-- ---- one delivery at a time for each destination ---------------------------------------------------------
-- Volatile, so it sees what has been committed since the statement that asks it began: two couriers that woke up at once
-- took two deliveries of one destination, as neither saw yet that the other had.
CREATE FUNCTION destination_is_busy(destination bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN EXISTS (SELECT FROM wpa.outbox b WHERE b.destination_id = destination AND b.state = 'sending' AND b.due_at > clock_timestamp());
END $$;
CREATE INDEX outbox_sending ON outbox (destination_id) WHERE state = 'sending';

DO $$
BEGIN
  REVOKE ALL ON FUNCTION wpa.destination_is_busy(bigint) FROM PUBLIC;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_agent') THEN
    GRANT EXECUTE ON FUNCTION wpa.destination_is_busy(bigint) TO wpa_agent;
  END IF;
END $$;
