-- Rows of an action, or of those below it ("patch" has "patch.approved"): the few names of actions are
-- gone through one by one in their index, so that rare ones are found there and not by reading all.
CREATE OR REPLACE FUNCTION api_page_audit(before bigint, n bigint, who text, wanted_action text, wanted_subject text) RETURNS bigint[]
  LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  actors text[] := CASE WHEN who IS NOT NULL THEN ARRAY(SELECT p.id::text FROM wpa.principal p WHERE p.name = who) || who END;
  actions text[] := CASE WHEN wanted_action IS NOT NULL THEN ARRAY(
    WITH RECURSIVE each_of(action) AS (
      SELECT (SELECT a.action FROM wpa.audit a ORDER BY a.action LIMIT 1)
      UNION ALL
      SELECT (SELECT a.action FROM wpa.audit a WHERE a.action > e.action ORDER BY a.action LIMIT 1) FROM each_of e WHERE e.action IS NOT NULL)
    SELECT e.action FROM each_of e WHERE e.action = wanted_action OR starts_with(e.action, wanted_action || '.')) END;
BEGIN
  RETURN ARRAY(SELECT a.seq FROM wpa.audit a
    WHERE (before IS NULL OR a.seq < before) AND (actors IS NULL OR a.actor = ANY(actors)) AND (wanted_subject IS NULL OR a.subject = wanted_subject)
      AND (actions IS NULL OR a.action = ANY(actions))
    ORDER BY a.seq DESC LIMIT n);
END $$;
