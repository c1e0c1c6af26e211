-- What 0016 and 0024 left open: verbs and tables that their guards do not cover, and functions that
-- run as the owner but look for names where whoever calls them may put some.

-- ---- functions of the owner ----------------------------------------------------------------------------
-- A search path that does not name pg_temp has it in front: with a type of a common name there, anybody
-- has his own code run as the owner. It comes last, and nobody needs it at all.
DO $$
DECLARE f regprocedure;
BEGIN
  FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'wpa'::regnamespace AND p.prosecdef LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, wpa, pg_temp', f);
  END LOOP;
  -- What tells of events and matters is called by triggers alone: they run as the owner, and nobody else may call it.
  FOREACH f IN ARRAY ARRAY['wpa.notice_out()','wpa.audit_out()','wpa.analysis_out()','wpa.deployment_matter()','wpa.patch_matter()',
      'wpa.repository_matter()','wpa.workflow_matter()','wpa.audit_matter()']::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = pg_catalog, wpa, pg_temp', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
  IF EXISTS (SELECT FROM pg_database d WHERE d.datname = current_database() AND pg_has_role(current_user, d.datdba, 'USAGE')) THEN
    EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database());
  END IF;
END $$;

DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON FUNCTION wpa.event_tell(text, text, text, text, jsonb, bigint, boolean),
        wpa.matter_set(text, text, text, text, text, boolean) FROM %I', r);
    END IF;
  END LOOP;
END $$;

-- ---- guards --------------------------------------------------------------------------------------------
-- Nobody at all is the owner at work on the database; for wpa_api nobody is a person who has not been named.
CREATE FUNCTION is_owner_alone() RETURNS boolean LANGUAGE sql STABLE AS
 $$ SELECT wpa.actor() IS NULL AND current_user <> 'wpa_api' $$;

-- A session that has ended stays so, none lasts longer than it was given, and none becomes another's.
CREATE FUNCTION session_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.is_owner_alone() THEN RETURN NEW; END IF;
  IF (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at) OR NEW.expires_at > OLD.expires_at
      OR (NEW.jti, NEW.principal_id, NEW.kind, NEW.began_at) IS DISTINCT FROM (OLD.jti, OLD.principal_id, OLD.kind, OLD.began_at) THEN
    RAISE EXCEPTION 'a session can only end' USING ERRCODE='42501'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER session_guard BEFORE UPDATE ON session FOR EACH ROW EXECUTE FUNCTION session_guard();

-- A token that was ended is taken again once nobody remembers it: not before its own end.
CREATE FUNCTION token_revoked_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.is_owner_alone() OR OLD.expires_at < clock_timestamp() THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'a revoked token is remembered until its end' USING ERRCODE='42501';
END $$;
CREATE TRIGGER token_revoked_guard BEFORE DELETE ON token_revoked FOR EACH ROW EXECUTE FUNCTION token_revoked_guard();

-- Who is bound to a provider's subject binds himself (own_guard); it is undone by a guardian, who alone
-- sets secrets as well. What goes out is written by triggers, which run as the owner, and by couriers;
-- a guardian has it sent again.
CREATE FUNCTION guardian_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF wpa.is_owner_alone() OR wpa.actor_kind() = 'guardian' OR (TG_ARGV[0] = 'service' AND current_user <> 'wpa_api') THEN RETURN NULL; END IF;
  RAISE EXCEPTION 'only a guardian changes %', TG_TABLE_NAME USING ERRCODE='42501';
END $$;
CREATE TRIGGER guardian_guard BEFORE UPDATE OR DELETE ON principal_subject FOR EACH STATEMENT EXECUTE FUNCTION guardian_guard('all');
CREATE TRIGGER guardian_guard BEFORE INSERT OR UPDATE OR DELETE ON secret FOR EACH STATEMENT EXECUTE FUNCTION guardian_guard('all');
CREATE TRIGGER guardian_guard BEFORE INSERT OR UPDATE OR DELETE ON outbox FOR EACH STATEMENT EXECUTE FUNCTION guardian_guard('service');
CREATE TRIGGER guardian_guard BEFORE INSERT OR UPDATE OR DELETE ON matter FOR EACH STATEMENT EXECUTE FUNCTION guardian_guard('service');

-- ---- a condition that stands twice ---------------------------------------------------------------------
-- 0020 asks each shown finding twice for the same pattern and the same word.
DO $$
DECLARE
  f regprocedure := (SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'wpa'::regnamespace AND p.proname = 'api_page_findings');
  line text := E'        AND (pattern IS NULL OR f.message ~* pattern) AND (word IS NULL OR strpos(lower(f.message), lower(word)) > 0)\n';
BEGIN
  EXECUTE replace(pg_get_functiondef(f), line || line, line);
END $$;

DO $$
BEGIN
  REVOKE ALL ON FUNCTION wpa.is_owner_alone(), wpa.session_guard(), wpa.token_revoked_guard(), wpa.guardian_guard() FROM PUBLIC;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    GRANT EXECUTE ON FUNCTION wpa.is_owner_alone() TO wpa_api;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_agent') THEN
    GRANT EXECUTE ON FUNCTION wpa.is_owner_alone() TO wpa_agent;
  END IF;
END $$;
