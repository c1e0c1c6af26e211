-- Every resource of the interface has a UUID, its id; the short id that people say stands beside it where there is one.
-- A delivery, a token, a session and an agent have theirs; a row of the audit log is found by its place in the chain.

ALTER TABLE principal ADD COLUMN uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();
ALTER TABLE repository ADD COLUMN uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();
ALTER TABLE workflow ADD COLUMN uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();
ALTER TABLE notice ADD COLUMN uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();
ALTER TABLE destination ADD COLUMN uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();
ALTER TABLE hook ADD COLUMN uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();
ALTER TABLE job ADD COLUMN uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();
ALTER TABLE job_history ADD COLUMN uid uuid NOT NULL DEFAULT gen_random_uuid(); -- what has ended already: from now on the job's own
CREATE INDEX job_history_uid ON job_history (uid);

CREATE OR REPLACE FUNCTION job_ended() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, wpa, pg_temp AS $$
BEGIN
  INSERT INTO wpa.job_history (id, queue, kind, subject, payload, state, attempt, last_error, requested_by, label, done_count, total_count, note, result,
    created_at, claimed_at, finished_at, uid)
  VALUES (NEW.id, NEW.queue, NEW.kind, NEW.subject, NEW.payload, NEW.state, NEW.attempt, NEW.last_error, NEW.requested_by, NEW.label, NEW.done_count,
    NEW.total_count, NEW.note, NEW.result, NEW.created_at, NEW.claimed_at, NEW.finished_at, NEW.uid);
  DELETE FROM wpa.job WHERE id = NEW.id;
  RETURN NULL;
END $$;

-- ---- what a subject is about ----------------------------------------------------------------------------
-- Subjects, references and news name things by kind and number: here is what a client knows them by, and of what kind that is.
CREATE VIEW v_api_thing AS
          SELECT 'patch' AS kind, p.id, 'patch' AS of, p.uid, 'p-' || p.id AS short_id FROM wpa.patch p
UNION ALL SELECT 'deployment', d.id, 'deployment', d.uid, 'd-' || d.id FROM wpa.deployment d
UNION ALL SELECT 'stage', d.id, 'deployment', d.uid, 'd-' || d.id FROM wpa.deployment d
UNION ALL SELECT 'target', d.id, 'deployment', d.uid, 'd-' || d.id FROM wpa.deployment d
UNION ALL SELECT 'probe', b.id, 'deployment', d.uid, 'd-' || d.id FROM wpa.probe b JOIN wpa.deployment d ON d.id = b.deployment_id
UNION ALL SELECT 'test', t.id, 'patch', p.uid, 'p-' || p.id FROM wpa.test_run t JOIN wpa.patch p ON p.id = t.patch_id
UNION ALL SELECT 'approval', a.id, 'patch', p.uid, 'p-' || p.id FROM wpa.approval a JOIN wpa.patch p ON p.id = a.patch_id
UNION ALL SELECT 'waiver', v.id, 'patch', p.uid, 'p-' || p.id FROM wpa.waiver v JOIN wpa.patch p ON p.id = v.patch_id
UNION ALL SELECT 'finding', f.id, 'finding', f.uid, 'f-' || f.id FROM wpa.finding f
UNION ALL SELECT 'analysis', a.id, 'analysis', a.uid, 'a-' || a.id FROM wpa.workflow_analysis a
UNION ALL SELECT 'workflow', w.id, 'workflow', w.uid, 'w-' || w.id FROM wpa.workflow w
UNION ALL SELECT 'repository', r.id, 'repository', r.uid, 'r-' || r.id FROM wpa.repository r
UNION ALL SELECT 'job', j.id, 'job', j.uid, 'j-' || j.id FROM wpa.job j
UNION ALL SELECT 'job', j.id, 'job', j.uid, 'j-' || j.id FROM wpa.job_history j
UNION ALL SELECT 'notice', n.id, 'notice', n.uid, 'n-' || n.id FROM wpa.notice n
UNION ALL SELECT 'principal', p.id, 'guardian', p.uid, NULL FROM wpa.principal p
UNION ALL SELECT 'token', t.id, 'token', t.uid, 't-' || t.id FROM wpa.api_token t
UNION ALL SELECT 'destination', d.id, 'destination', d.uid, 'o-' || d.id FROM wpa.destination d
UNION ALL SELECT 'delivery', o.id, 'delivery', o.delivery, 'm-' || o.id FROM wpa.outbox o
UNION ALL SELECT 'webhook', h.id, 'webhook', h.uid, 'h-' || h.id FROM wpa.hook h;

-- The number in "patch:12" or "target:3/7"; NULL: it names no row.
CREATE FUNCTION subject_number(subject text) RETURNS bigint LANGUAGE sql IMMUTABLE AS
 $$ SELECT CASE WHEN subject ~ '^[a-z_]+:[0-9]{1,18}(/|$)' THEN substring(subject FROM ':([0-9]+)')::bigint END $$;

-- ---- resources ------------------------------------------------------------------------------------------
DROP VIEW v_api_job;
CREATE VIEW v_api_job AS
SELECT j.id AS key, j.uid AS id, 'j-' || j.id AS short_id, j.kind, j.subject, s.uid AS subject_id, j.label, j.state, j.attempt, j.note, j.done_count AS done,
       j.total_count AS total, j.last_error AS error,
       CASE WHEN j.result ? 'analysis' THEN (j.result - 'analysis') || jsonb_build_object('analysis_id',
              (SELECT a.uid FROM wpa.workflow_analysis a WHERE a.id = (j.result->>'analysis')::bigint))
            WHEN j.result ? 'delivery_id' THEN j.result || jsonb_build_object('delivery_id',
              (SELECT o.delivery FROM wpa.outbox o WHERE o.id = (j.result->>'delivery_id')::bigint))
            ELSE j.result END AS result,
       q.name AS requested_by, j.created_at, j.run_after, j.claimed_at AS started_at, j.finished_at
  FROM (SELECT id, uid, kind, subject, label, state, attempt, note, done_count, total_count, last_error, result, requested_by, created_at, run_after, claimed_at, finished_at FROM wpa.job
        UNION ALL
        SELECT id, uid, kind, subject, label, state, attempt, note, done_count, total_count, last_error, result, requested_by, created_at, NULL, claimed_at, finished_at FROM wpa.job_history) j
  LEFT JOIN wpa.principal q ON q.id = j.requested_by
  LEFT JOIN LATERAL (SELECT t.uid FROM wpa.v_api_thing t WHERE t.kind = split_part(j.subject, ':', 1) AND t.id = wpa.subject_number(j.subject) LIMIT 1) s ON true;

DROP VIEW v_api_audit;
CREATE VIEW v_api_audit AS
SELECT a.seq AS key, a.seq, a.at, coalesce(p.name, a.actor) AS actor, a.action, a.subject, s.uid AS subject_id, a.detail::json AS detail,
       encode(a.prev, 'hex') AS prev, encode(a.hash, 'hex') AS hash
  FROM wpa.audit a LEFT JOIN wpa.principal p ON p.id::text = a.actor
  LEFT JOIN LATERAL (SELECT t.uid FROM wpa.v_api_thing t WHERE t.kind = split_part(a.subject, ':', 1) AND t.id = wpa.subject_number(a.subject) LIMIT 1) s ON true;

CREATE OR REPLACE VIEW v_api_notice AS
SELECT n.id, n.level, n.acknowledged_at IS NULL AS is_open, jsonb_build_object('id', n.uid, 'short_id', 'n-' || n.id, 'level', n.level, 'message', n.message,
         'subject', nullif(n.subject, ''), 'subject_id', s.uid,
         'count', n.count, 'at', wpa.api_time(n.at), 'last_at', wpa.api_time(n.last_at), 'acknowledged_by', p.name, 'acknowledged_at', wpa.api_time(n.acknowledged_at)) AS item
  FROM wpa.notice n LEFT JOIN wpa.principal p ON p.id = n.acknowledged_by
  LEFT JOIN LATERAL (SELECT t.uid FROM wpa.v_api_thing t WHERE t.kind = split_part(n.subject, ':', 1) AND t.id = wpa.subject_number(n.subject) LIMIT 1) s ON true;

CREATE OR REPLACE VIEW v_api_repository AS
SELECT r.id, r.name, jsonb_build_object('id', r.uid, 'short_id', 'r-' || r.id, 'name', r.name, 'url', r.url, 'branch', r.branch, 'owner', r.owner, 'labels', r.labels,
         'criticality', r.criticality,
         'state', r.state, 'error', r.error, 'head', r.head_commit, 'scanned_at', wpa.api_time(r.scanned_at), 'rollout', r.rollout, 'health_checks', r.health_checks,
         'workflows', (SELECT count(*) FROM wpa.workflow w WHERE w.repository_id = r.id AND w.state = 'present' AND w.kind = 'workflow'),
         'health_score', (SELECT round(avg(h.total)::numeric, 1) FROM wpa.workflow w JOIN wpa.health h ON h.workflow_id = w.id WHERE w.repository_id = r.id AND w.state = 'present')) AS item,
       r.uid
  FROM wpa.repository r WHERE r.state <> 'removed';

CREATE OR REPLACE VIEW v_api_workflow AS
SELECT w.id, w.repository_id, jsonb_build_object('id', w.uid, 'short_id', 'w-' || w.id, 'workflow_name', w.name, 'repository', r.name, 'path', w.path, 'kind', w.kind,
         'title', nullif(w.title, ''),
         'health_score', round(h.total::numeric, 1), 'grade', h.grade, 'open_findings', w.open_findings, 'error', w.error, 'last_analysis', wpa.api_time(w.analysed_at)) AS item
  FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id LEFT JOIN wpa.health h ON h.workflow_id = w.id
 WHERE w.state = 'present' AND r.state <> 'removed';

CREATE OR REPLACE VIEW v_api_guardian AS
SELECT p.id, p.name, jsonb_build_object('id', p.uid, 'name', p.name, 'role', p.role, 'active', p.active, 'created_at', wpa.api_time(p.created_at),
         'last_sign_in_at', wpa.api_time(p.last_sign_in_at), 'one_time_code', EXISTS (SELECT FROM wpa.v_code c WHERE c.principal_id = p.id),
         'sessions', (SELECT count(*) FROM wpa.session s WHERE s.principal_id = p.id AND s.ended_at IS NULL AND s.expires_at > clock_timestamp())) AS item,
       p.uid
  FROM wpa.principal p;

CREATE OR REPLACE VIEW v_api_token AS -- never the hash
SELECT t.id, jsonb_build_object('id', t.uid, 'short_id', 't-' || t.id, 'name', t.name, 'acts_as', p.name, 'role', p.role, 'made_by', m.name, 'scopes', t.scopes,
         'created_at', wpa.api_time(t.created_at), 'expires_at', wpa.api_time(t.expires_at), 'revoked_at', wpa.api_time(t.revoked_at),
         'is_valid', t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND p.active) AS item
  FROM wpa.api_token t JOIN wpa.principal p ON p.id = t.principal_id JOIN wpa.principal m ON m.id = t.made_by;

CREATE OR REPLACE VIEW v_api_destination AS
SELECT d.id, d.name, d.version, jsonb_build_object('id', (SELECT x.uid FROM wpa.destination x WHERE x.id = d.id), 'short_id', 'o-' || d.id, 'name', d.name,
         'channel', d.channel, 'settings', d.settings, 'has_secret', d.has_secret,
         'events', to_jsonb(d.events), 'min_severity', d.min_severity, 'repositories', to_jsonb(d.repositories), 'timeout_ms', d.timeout_ms, 'max_tries', d.max_tries,
         'private_addresses', d.private_addresses, 'is_enabled', d.is_enabled, 'waiting', d.waiting, 'dead', d.dead, 'failing_since', wpa.api_time(d.failing_since),
         'last_sent_at', wpa.api_time(d.last_sent_at), 'error', d.error, 'created_by', d.created_by, 'created_at', wpa.api_time(d.created_at)) AS item
  FROM wpa.v_destination d;

-- Its id is what X-Wpa-Delivery says.
CREATE OR REPLACE VIEW v_api_outbox AS
SELECT o.id, o.state, o.event, d.name, jsonb_build_object('id', o.delivery, 'short_id', 'm-' || o.id, 'destination', d.name, 'channel', d.channel, 'event', o.event,
         'severity', o.severity, 'subject', nullif(o.subject, ''), 'subject_id', s.uid, 'message', o.message, 'repositories', to_jsonb(o.repositories),
         'is_test', o.is_test, 'is_over', o.is_over, 'state', o.state,
         'tries', o.tries, 'max_tries', d.max_tries, 'at', wpa.api_time(o.at), 'due_at', wpa.api_time(CASE WHEN o.state = 'waiting' THEN o.due_at END),
         'sent_at', wpa.api_time(o.sent_at), 'answer_status', o.answer_status, 'answer', o.answer, 'latency_ms', o.latency_ms, 'error', o.error) AS item
  FROM wpa.outbox o JOIN wpa.destination d ON d.id = o.destination_id
  LEFT JOIN LATERAL (SELECT t.uid FROM wpa.v_api_thing t WHERE t.kind = split_part(o.subject, ':', 1) AND t.id = wpa.subject_number(o.subject) LIMIT 1) s ON true;

CREATE OR REPLACE VIEW v_api_hook AS
SELECT h.id, jsonb_build_object('id', (SELECT x.uid FROM wpa.hook x WHERE x.id = h.id), 'short_id', 'h-' || h.id, 'repository', h.repository,
         'created_by', h.created_by, 'created_at', wpa.api_time(h.created_at),
         'deliveries', h.deliveries, 'last_event', h.last_event, 'last_at', wpa.api_time(h.last_at)) AS item
  FROM wpa.v_hook h;

-- How a patch is deployed, its targets by their ids.
CREATE FUNCTION api_plan(plan jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN jsonb_typeof(plan->'stages') = 'array' THEN plan || jsonb_build_object('stages', (
      SELECT coalesce(jsonb_agg(s.s || jsonb_build_object('targets', (
          SELECT coalesce(jsonb_agg(t.t || jsonb_build_object('id', r.uid, 'short_id', 'r-' || r.id) ORDER BY t.n), '[]')
            FROM jsonb_array_elements(s.s->'targets') WITH ORDINALITY t(t, n) LEFT JOIN wpa.repository r ON r.id = (t.t->>'id')::bigint)) ORDER BY s.n), '[]')
        FROM jsonb_array_elements(plan->'stages') WITH ORDINALITY s(s, n))) ELSE plan END $$;

CREATE OR REPLACE VIEW v_api_patch_detail AS
SELECT p.id AS key, wpa.api_plan(p.plan) || jsonb_build_object('changes', p.deployment_config) AS deployment_config, p.rollback || p.rollback_config AS rollback_config,
       p.diff, p.declares, p.notes AS "patch_content.notes", p.dependencies AS "patch_content.dependencies", p.configuration AS "patch_content.configuration",
       (SELECT coalesce(json_agg(json_build_object('id', f.uid, 'short_id', 'f-' || f.id, 'rule', f.rule, 'severity', f.severity, 'state', f.state,
           'message', f.message) ORDER BY f.rank DESC, f.id), '[]') FROM wpa.patch_finding x JOIN wpa.finding f ON f.id = x.finding_id WHERE x.patch_id = p.id) AS answers,
       (SELECT coalesce(json_agg(json_build_object('name', g.name, 'at', wpa.api_time(a.at), 'expires_at', wpa.api_time(a.expires_at),
           'is_explicit', a.is_explicit, 'comment', nullif(a.comment, '')) ORDER BY a.id), '[]')
           FROM wpa.approval a JOIN wpa.principal g ON g.id = a.guardian_id WHERE a.patch_id = p.id AND a.digest = p.digest AND a.withdrawn_at IS NULL) AS approved_by,
       (SELECT coalesce(json_agg(json_build_object('check', w.check_id, 'name', g.name, 'reason', w.reason,
           'expires_at', wpa.api_time(w.expires_at)) ORDER BY w.id), '[]')
           FROM wpa.waiver w JOIN wpa.principal g ON g.id = w.guardian_id WHERE w.patch_id = p.id AND w.digest = p.digest AND w.withdrawn_at IS NULL) AS waivers,
       p.confidence, wpa.api_comments('patch:' || p.id) AS comments
  FROM wpa.patch p;

DO $$
DECLARE r text;
BEGIN
  REVOKE ALL ON FUNCTION wpa.subject_number(text), wpa.api_plan(jsonb) FROM PUBLIC;
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT SELECT ON wpa.v_api_job, wpa.v_api_audit, wpa.v_api_thing TO %I', r);
      EXECUTE format('GRANT EXECUTE ON FUNCTION wpa.subject_number(text), wpa.api_plan(jsonb) TO %I', r);
    END IF;
  END LOOP;
END $$;
