-- What policy asks of approvals is asked again when a deployment starts: approvals end, and those of people who have lost
-- the role count no more. And policy is a guardian's to change, through whatever connection.

-- Approvals of this content that count, and those among them of others than this one.
CREATE FUNCTION approvals_at_start(p bigint, starter bigint, OUT need bigint, OUT valid bigint, OUT others bigint, OUT is_separate boolean)
LANGUAGE sql STABLE AS $$
  SELECT s.need, wpa.valid_approvals(q.id, q.digest, s.need >= 2),
         (SELECT count(DISTINCT a.guardian_id) FROM wpa.approval a JOIN wpa.principal g ON g.id = a.guardian_id AND g.role = 'guardian' AND g.active
           WHERE a.patch_id = q.id AND a.digest = q.digest AND a.withdrawn_at IS NULL AND a.expires_at > clock_timestamp() AND a.guardian_id <> starter
             AND (s.need < 2 OR (a.guardian_id <> q.author_id AND a.guardian_id IS DISTINCT FROM q.requester_id))),
         s.is_separate
    FROM wpa.patch q
   CROSS JOIN (SELECT coalesce((SELECT value::bigint FROM wpa.setting WHERE key = 'approvals_required'), 1) AS need,
                      coalesce((SELECT value = 'on' FROM wpa.setting WHERE key = 'separate_deployer'), false) AS is_separate) s
   WHERE q.id = p $$;

CREATE OR REPLACE FUNCTION deployment_begin() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE a record;
BEGIN
  IF NEW.state <> 'planned' THEN RAISE EXCEPTION 'a deployment starts planned' USING ERRCODE='WP002'; END IF;
  IF wpa.actor_kind() IS DISTINCT FROM 'guardian' OR NEW.started_by <> wpa.actor() THEN
    RAISE EXCEPTION 'only a guardian starts a deployment, in his own name' USING ERRCODE='WP003'; END IF;
  PERFORM 1 FROM wpa.patch p WHERE p.id=NEW.patch_id AND p.state='approved' AND p.digest=NEW.digest FOR SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'patch % is not approved with this content', NEW.patch_id USING ERRCODE='WP008'; END IF;
  SELECT * INTO a FROM wpa.approvals_at_start(NEW.patch_id, NEW.started_by);
  IF a.valid < a.need THEN
    RAISE EXCEPTION 'patch %: % of % approvals count now', NEW.patch_id, a.valid, a.need USING ERRCODE='WP004'; END IF;
  IF a.is_separate AND a.others = 0 THEN
    RAISE EXCEPTION 'patch %: its only approver does not start it', NEW.patch_id USING ERRCODE='WP004'; END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER guardian_guard BEFORE INSERT OR UPDATE OR DELETE ON setting FOR EACH STATEMENT EXECUTE FUNCTION guardian_guard('all');

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.approvals_at_start(bigint, bigint) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.approvals_at_start(bigint, bigint) TO %I', r);
    END IF;
  END LOOP;
END $$;
