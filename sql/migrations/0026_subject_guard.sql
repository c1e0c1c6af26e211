-- A provider's account with somebody's name is not yet he: whoever has a passphrase or one-time codes is somebody already,
-- and which account is his a guardian says. Only for those without is it the first that comes with the name.
CREATE FUNCTION subject_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.actor() IS NULL AND current_user <> 'wpa_api' THEN RETURN NEW; END IF;
  IF wpa.actor_kind() = 'guardian' THEN RETURN NEW; END IF;
  IF NEW.principal_id = wpa.actor() AND NOT EXISTS (SELECT FROM wpa.credential c WHERE c.principal_id = NEW.principal_id)
      AND NOT EXISTS (SELECT FROM wpa.v_code c WHERE c.principal_id = NEW.principal_id) THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'which account is somebody''s a guardian says' USING ERRCODE='42501';
END $$;
DROP TRIGGER own_guard ON principal_subject;
CREATE TRIGGER subject_guard BEFORE INSERT ON principal_subject FOR EACH ROW EXECUTE FUNCTION subject_guard();

DO $$
BEGIN
  REVOKE ALL ON FUNCTION wpa.subject_guard() FROM PUBLIC;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN GRANT EXECUTE ON FUNCTION wpa.subject_guard() TO wpa_api; END IF;
END $$;
