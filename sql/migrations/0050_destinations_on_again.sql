-- A destination that is off is told nothing, and was not told either, once it was on, of what stood then: neither what had
-- begun meanwhile, nor that what it knew of was over. What is over by then and was never told it need not hear of.
CREATE OR REPLACE FUNCTION destination_begin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, wpa, pg_temp AS $$
BEGIN
  INSERT INTO wpa.outbox (destination_id, event, severity, subject, message, detail, repositories, matter_id, is_over)
  SELECT NEW.id, 'alert.' || m.kind, m.severity, m.subject, CASE WHEN m.ended_at IS NULL THEN '' ELSE 'over: ' END || m.summary,
         jsonb_build_object('matter', m.key), m.repositories, m.id, m.ended_at IS NOT NULL
    FROM wpa.matter m
   WHERE (m.ended_at IS NULL OR EXISTS (SELECT FROM wpa.outbox o WHERE o.matter_id = m.id AND o.destination_id = NEW.id AND o.state IN ('waiting','sending','sent')))
     AND NOT EXISTS (SELECT FROM wpa.outbox o WHERE o.matter_id = m.id AND o.destination_id = NEW.id AND o.is_over = (m.ended_at IS NOT NULL))
     AND wpa.destination_wants(NEW, 'alert.' || m.kind, m.severity, m.repositories)
   ORDER BY m.ended_at IS NULL, m.id;
  RETURN NULL;
END $$;
CREATE TRIGGER destination_on_again AFTER UPDATE ON destination FOR EACH ROW
  WHEN (NEW.is_enabled AND NOT OLD.is_enabled AND NEW.removed_at IS NULL) EXECUTE FUNCTION destination_begin();
