-- The console's list of where notices go. Those that fail come first.

CREATE VIEW v_destination_row AS
SELECT d.id, d.name, d.channel, CASE WHEN NOT d.is_enabled THEN 'off' WHEN d.failing_since IS NOT NULL THEN 'failing' ELSE 'on' END AS state,
       array_to_string(d.events, ' ') || CASE d.min_severity WHEN 'info' THEN '' ELSE ' from ' || d.min_severity END AS what,
       d.waiting, d.dead, wpa.us(d.last_sent_at) AS last_sent_at_us, d.error, true AS shown, d.name || ' ' || d.channel AS text,
       CASE WHEN d.failing_since IS NULL THEN '1' ELSE '0' END || lower(d.name) AS k_default, lower(d.name) AS k_name, wpa.key_newest(d.last_sent_at) AS k_age,
       CASE WHEN NOT d.is_enabled THEN 'off' WHEN d.failing_since IS NOT NULL THEN 'failing' ELSE 'on' END AS k_state
  FROM wpa.v_destination d;
INSERT INTO list_view VALUES ('destinations', 'v_destination_row', '{default,name,age,state}');

DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.v_destination_row TO %I', r);
    END IF;
  END LOOP;
END $$;
