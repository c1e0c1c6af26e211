-- The role of whoever acts, checked once more: what the program refuses (wpa_actor_check) the
-- database refuses as well, whatever a front end that was taken over, or forgot to ask, may send.
-- wpa_viewer has no grants to change anything; wpa_agent can claim no person (actor_kind). This is
-- about wpa_api, and about the owner where roles could not be made.

CREATE FUNCTION role_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE k text;
BEGIN
  IF current_user = 'wpa_agent' THEN RETURN NULL; END IF;
  k := wpa.actor_kind();
  IF k IN ('guardian','agent') OR (wpa.actor() IS NULL AND current_user <> 'wpa_api') THEN RETURN NULL; END IF;
  RAISE EXCEPTION '% may not change %', coalesce('a ' || k, 'nobody'), TG_TABLE_NAME USING ERRCODE='42501';
END $$;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['repository','workflow','workflow_analysis','finding','patch','patch_edit','patch_finding','approval','waiver',
      'test_run','deployment','deployment_stage','deployment_target','target_claim','probe','job','comment','notice','setting','api_token'] LOOP
    EXECUTE format('CREATE TRIGGER role_guard BEFORE INSERT OR UPDATE OR DELETE ON wpa.%I FOR EACH STATEMENT EXECUTE FUNCTION wpa.role_guard()', t);
  END LOOP;
END $$;

-- May the actor change people? Nobody at all may make the very first guardian, and the principal of
-- those who look without signing in.
CREATE FUNCTION principal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE is_nobody boolean := wpa.actor() IS NULL;
BEGIN
  IF is_nobody AND current_user <> 'wpa_api' THEN RETURN NEW; END IF;
  IF TG_OP = 'UPDATE' AND (NEW.name, NEW.role, NEW.active) IS NOT DISTINCT FROM (OLD.name, OLD.role, OLD.active) THEN RETURN NEW; END IF;
  IF wpa.actor_kind() = 'guardian' THEN RETURN NEW; END IF;
  IF is_nobody AND TG_OP = 'INSERT' AND (NEW.role = 'viewer' AND NEW.name = 'viewer'
      OR NEW.role = 'guardian' AND NOT EXISTS (SELECT FROM wpa.principal p WHERE p.role = 'guardian')) THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'only a guardian changes people' USING ERRCODE='42501';
END $$;
CREATE TRIGGER principal_guard BEFORE INSERT OR UPDATE ON principal FOR EACH ROW EXECUTE FUNCTION principal_guard();

-- A passphrase is its owner's, or a guardian's to set; of the very first there is nobody to ask.
CREATE FUNCTION credential_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.actor() IS NULL AND (current_user <> 'wpa_api' OR NOT EXISTS (SELECT FROM wpa.credential)) THEN RETURN NEW; END IF;
  IF NEW.principal_id = wpa.actor() OR wpa.actor_kind() = 'guardian' THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'a passphrase is its owner''s or a guardian''s to change' USING ERRCODE='42501';
END $$;
CREATE TRIGGER credential_guard BEFORE INSERT OR UPDATE ON credential FOR EACH ROW EXECUTE FUNCTION credential_guard();

-- Sessions are opened in one's own name; who is bound to a provider's subject is bound by himself.
CREATE FUNCTION own_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.principal_id = wpa.actor() OR (wpa.actor() IS NULL AND current_user <> 'wpa_api') THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'that is somebody else''s' USING ERRCODE='42501';
END $$;
CREATE TRIGGER own_guard BEFORE INSERT ON session FOR EACH ROW EXECUTE FUNCTION own_guard();
CREATE TRIGGER own_guard BEFORE INSERT ON principal_subject FOR EACH ROW EXECUTE FUNCTION own_guard();
CREATE TRIGGER own_guard BEFORE INSERT ON token_revoked FOR EACH ROW EXECUTE FUNCTION own_guard();

DO $$
BEGIN
  REVOKE ALL ON FUNCTION wpa.role_guard(), wpa.principal_guard(), wpa.credential_guard(), wpa.own_guard() FROM PUBLIC;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    GRANT EXECUTE ON FUNCTION wpa.role_guard(), wpa.principal_guard(), wpa.credential_guard(), wpa.own_guard() TO wpa_api;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_agent') THEN
    GRANT EXECUTE ON FUNCTION wpa.role_guard() TO wpa_agent;
  END IF;
END $$;
