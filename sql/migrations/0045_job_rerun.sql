-- An order that comes while its job runs outlives that run, however it ends: only what succeeded was queued once more,
-- and what was given up, cancelled or lost its last lease took the new order with it. A cancellation that came before the
-- order was of the run alone; one that comes behind it takes the order back (query job_cancel).
CREATE FUNCTION job_rerun() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.state := 'queued'; NEW.attempt := 0; NEW.rerun := false; NEW.cancel := false;
  NEW.run_after := clock_timestamp(); NEW.finished_at := NULL;
  RETURN NEW;
END $$;
CREATE TRIGGER job_rerun BEFORE UPDATE ON job FOR EACH ROW
  WHEN (OLD.state = 'running' AND NEW.state IN ('done','dead','cancelled') AND NEW.rerun) EXECUTE FUNCTION job_rerun();
