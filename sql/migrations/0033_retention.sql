-- Jobs that have ended and sessions that are over are let go of after a while, as matters and deliveries are.

CREATE INDEX session_end ON session (expires_at);

-- A thousand of each at a time; how many went of whatever went most. Jobs stay as long as a figure is made of them (90 days);
-- a session for thirty days after the end that its token had, however it ended: that it was opened, by whom and from where
-- stands in the audit log. Agents may do this much and no more.
CREATE FUNCTION forget_old() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, wpa, pg_temp AS $$
  WITH job AS (DELETE FROM wpa.job_history h USING (SELECT o.id, o.finished_at FROM wpa.job_history o
       WHERE o.finished_at < clock_timestamp() - interval '91 days' ORDER BY o.finished_at LIMIT 1000 FOR UPDATE SKIP LOCKED) o
     WHERE h.id = o.id AND h.finished_at = o.finished_at RETURNING h.id),
  session AS (DELETE FROM wpa.session s WHERE s.jti IN (SELECT o.jti FROM wpa.session o
       WHERE o.expires_at < clock_timestamp() - interval '30 days' ORDER BY o.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED) RETURNING s.jti)
  SELECT greatest((SELECT count(*) FROM job), (SELECT count(*) FROM session)) $$;

DO $$
BEGIN
  REVOKE ALL ON FUNCTION wpa.forget_old() FROM PUBLIC;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_agent') THEN
    GRANT EXECUTE ON FUNCTION wpa.forget_old() TO wpa_agent;
  END IF;
END $$;
