-- What waits for a destination ends with it in one statement: what was told between two, to the second alone visible, had
-- no time left and waited on, which no row may, and the destination could not be taken away.
CREATE OR REPLACE FUNCTION destination_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.actor_kind() IS DISTINCT FROM 'guardian' THEN RAISE EXCEPTION 'only a guardian says where notices go' USING ERRCODE='WP003'; END IF;
  PERFORM wpa.audit_add(CASE WHEN TG_OP='INSERT' THEN 'destination.added' WHEN NEW.removed_at IS NOT NULL THEN 'destination.removed' ELSE 'destination.changed' END,
    'destination:' || NEW.id, jsonb_build_object('name', NEW.name, 'channel', NEW.channel, 'events', to_jsonb(NEW.events), 'min_severity', NEW.min_severity,
      'repositories', to_jsonb(NEW.repositories), 'is_enabled', NEW.is_enabled));
  IF NEW.removed_at IS NOT NULL THEN
    UPDATE wpa.outbox SET state = CASE WHEN state IN ('waiting','sending') THEN 'cancelled' ELSE state END, due_at = NULL, token = NULL
     WHERE destination_id = NEW.id AND (due_at IS NOT NULL OR state IN ('waiting','sending'));
  END IF; RETURN NULL;
END $$;
