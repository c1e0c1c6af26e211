-- What one patch is told with is asked by functions whose plans a session keeps: PostgreSQL reads and
-- plans the text of a function in SQL anew in each statement that cannot take it in.
CREATE OR REPLACE FUNCTION api_comments(about text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('by', g.name, 'at', wpa.api_time(c.at), 'text', c.text) ORDER BY c.id), '[]')
    FROM wpa.comment c JOIN wpa.principal g ON g.id = c.principal_id WHERE c.subject = about);
END $$;

CREATE OR REPLACE FUNCTION api_plan(plan jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF jsonb_typeof(plan->'stages') IS DISTINCT FROM 'array' THEN
    RETURN plan;
  END IF;
  RETURN plan || jsonb_build_object('stages', (
      SELECT coalesce(jsonb_agg(s.s || jsonb_build_object('targets', (
          SELECT coalesce(jsonb_agg(t.t || jsonb_build_object('id', r.uid, 'short_id', 'r-' || r.id) ORDER BY t.n), '[]')
            FROM jsonb_array_elements(s.s->'targets') WITH ORDINALITY t(t, n) LEFT JOIN wpa.repository r ON r.id = (t.t->>'id')::bigint)) ORDER BY s.n), '[]')
        FROM jsonb_array_elements(plan->'stages') WITH ORDINALITY s(s, n)));
END $$;
