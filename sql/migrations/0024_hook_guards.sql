-- What the server writes for webhooks, destinations and the fleet's uses is checked by the role of whoever acts, as all
-- else is (0016): a forge's word is taken down by the engine, destinations are guardians' to change.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['destination','hook','hook_delivery','workflow_run','definition_use'] LOOP
    EXECUTE format('CREATE TRIGGER role_guard BEFORE INSERT OR UPDATE OR DELETE ON wpa.%I FOR EACH STATEMENT EXECUTE FUNCTION wpa.role_guard()', t);
  END LOOP;
END $$;
