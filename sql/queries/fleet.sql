-- name: fleet_add
-- params: name text, url text, branch text, owner text, labels jsonb, criticality int, test text, integration jsonb, checks jsonb, rollout jsonb, added_by bigint
-- rows: one: id; none: the name is taken (kept as it is)
-- why: a removed repository comes back with its history
INSERT INTO wpa.repository AS r (name, url, branch, owner, labels, criticality, test_command, integration_points,
       health_checks, rollout, added_by)
VALUES ($1, $2, $3, $4, $5::jsonb, $6::smallint, $7, $8::jsonb, $9::jsonb, $10::jsonb, $11::bigint)
ON CONFLICT (name) DO UPDATE
   SET url = excluded.url, branch = excluded.branch, owner = excluded.owner, labels = excluded.labels,
       criticality = excluded.criticality, test_command = excluded.test_command,
       integration_points = excluded.integration_points, health_checks = excluded.health_checks,
       rollout = excluded.rollout, added_by = excluded.added_by, state = 'new', error = NULL
 WHERE r.state = 'removed'
RETURNING r.id;

-- name: fleet_store
-- params: name text, url text, branch text, owner text, labels jsonb, criticality int, test text, integration jsonb, checks jsonb, rollout jsonb, added_by bigint
-- rows: at most one: id, was_added; none: nothing to change
INSERT INTO wpa.repository AS r (name, url, branch, owner, labels, criticality, test_command, integration_points,
       health_checks, rollout, added_by)
VALUES ($1, $2, $3, $4, $5::jsonb, $6::smallint, $7, $8::jsonb, $9::jsonb, $10::jsonb, $11::bigint)
ON CONFLICT (name) DO UPDATE
   SET url = excluded.url, branch = excluded.branch, owner = excluded.owner, labels = excluded.labels,
       criticality = excluded.criticality, test_command = excluded.test_command,
       integration_points = excluded.integration_points, health_checks = excluded.health_checks,
       rollout = excluded.rollout,
       state = CASE WHEN r.state = 'removed' THEN 'new' ELSE r.state END
 WHERE r.state = 'removed'
    OR (r.url, r.branch, r.owner, r.labels, r.criticality, r.test_command, r.integration_points, r.health_checks, r.rollout)
       IS DISTINCT FROM (excluded.url, excluded.branch, excluded.owner, excluded.labels, excluded.criticality,
                         excluded.test_command, excluded.integration_points, excluded.health_checks, excluded.rollout)
RETURNING r.id, r.xmax = 0 AS was_added;

-- name: fleet_id
-- params: name text
-- rows: at most one: id
SELECT id FROM wpa.repository WHERE name = $1 AND state <> 'removed';

-- name: fleet_remove
-- params: id bigint
-- rows: one: id; none: it is the target of a live deployment
UPDATE wpa.repository r SET state = 'removed', error = NULL
 WHERE r.id = $1::bigint
   AND NOT EXISTS (SELECT 1 FROM wpa.target_claim c WHERE c.target_id = r.id)
   AND NOT EXISTS (SELECT 1 FROM wpa.deployment_target t JOIN wpa.deployment d ON d.id = t.deployment_id
                    WHERE t.target_id = r.id AND d.state IN ('planned','running','paused','rolling_back','stuck'))
RETURNING r.id;

-- name: fleet_gone
-- params: repository_id bigint, kept text[]
-- rows: ids of workflows that are not at the head any more
-- why: what is gone has no open findings
WITH gone AS (
  UPDATE wpa.workflow SET state = 'gone'
   WHERE repository_id = $1::bigint AND state = 'present' AND NOT (path = ANY($2::text[]))
  RETURNING id),
closed AS (
  UPDATE wpa.finding f SET state = 'fixed', fixed_at = clock_timestamp()
    FROM gone WHERE f.workflow_id = gone.id AND f.state <> 'fixed')
SELECT id FROM gone;

-- name: fleet_list
-- params:
-- rows: all that are not removed, by name
SELECT r.id, r.name, r.url, r.branch, r.owner, r.criticality, r.labels, r.test_command, r.health_checks, r.rollout,
       r.integration_points, r.state, r.error, r.head_commit, r.scanned_at,
       (SELECT count(*) FROM wpa.workflow w WHERE w.repository_id = r.id AND w.state = 'present' AND w.kind = 'workflow')
  FROM wpa.repository r WHERE r.state <> 'removed' ORDER BY r.name;

-- name: fleet_find
-- params: name text, id bigint, uid uuid
-- rows: at most one, as fleet_list
SELECT r.id, r.name, r.url, r.branch, r.owner, r.criticality, r.labels, r.test_command, r.health_checks, r.rollout,
       r.integration_points, r.state, r.error, r.head_commit, r.scanned_at,
       (SELECT count(*) FROM wpa.workflow w WHERE w.repository_id = r.id AND w.state = 'present' AND w.kind = 'workflow')
  FROM wpa.repository r WHERE r.state <> 'removed' AND (r.name = $1 OR r.id = $2::bigint OR r.uid = $3::uuid)
 ORDER BY r.name = $1 DESC LIMIT 1;

-- name: fleet_get
-- params: id bigint
-- rows: at most one, as fleet_list; removed ones too
SELECT r.id, r.name, r.url, r.branch, r.owner, r.criticality, r.labels, r.test_command, r.health_checks, r.rollout,
       r.integration_points, r.state, r.error, r.head_commit, r.scanned_at,
       (SELECT count(*) FROM wpa.workflow w WHERE w.repository_id = r.id AND w.state = 'present' AND w.kind = 'workflow')
  FROM wpa.repository r WHERE r.id = $1::bigint;

-- name: fleet_hold
-- params: id bigint
-- rows: one: is it in the fleet; locked until the end of the transaction
-- why: a scan takes a while; what was removed meanwhile gets no workflows back
SELECT state <> 'removed' FROM wpa.repository WHERE id = $1::bigint FOR NO KEY UPDATE;

-- name: fleet_scan_store
-- params: repository_id bigint, head text, paths text[], names text[], kinds text[], blobs text[], sizes bigint[], errors text[]
-- rows: one a file: id, path, must_analyse
WITH seen AS (
  SELECT * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[])
             AS s(path, name, kind, blob, size_bytes, error)),
old AS (
  SELECT path, blob_oid, state, rules_version FROM wpa.workflow WHERE repository_id = $1::bigint),
stored AS (
  INSERT INTO wpa.workflow AS w (repository_id, path, name, kind, blob_oid, head_commit, size_bytes, is_valid, error)
  SELECT $1::bigint, path, name, kind, blob, $2, size_bytes, error IS NULL, error FROM seen
  ON CONFLICT (repository_id, path) DO UPDATE
     SET name = excluded.name, kind = excluded.kind, head_commit = excluded.head_commit, size_bytes = excluded.size_bytes,
         state = 'present', last_seen = clock_timestamp(), blob_oid = excluded.blob_oid,
         is_valid = CASE WHEN w.blob_oid = excluded.blob_oid AND excluded.error IS NULL THEN w.is_valid ELSE excluded.is_valid END,
         error = CASE WHEN w.blob_oid = excluded.blob_oid AND excluded.error IS NULL THEN w.error ELSE excluded.error END
  RETURNING w.id, w.path)
SELECT stored.id, stored.path,
       seen.error IS NULL AND (old.path IS NULL OR old.state = 'gone' OR old.blob_oid <> seen.blob OR old.rules_version IS NULL)
  FROM stored JOIN seen USING (path) LEFT JOIN old USING (path) ORDER BY stored.path;

-- name: fleet_scanned
-- params: id bigint, head text
UPDATE wpa.repository SET state = 'ok', error = NULL, head_commit = $2, scanned_at = clock_timestamp()
 WHERE id = $1::bigint AND state <> 'removed';

-- name: fleet_unreadable
-- params: id bigint, error text
-- why: what an earlier scan found stays; only the repository says that it cannot be read now
UPDATE wpa.repository SET state = 'error', error = $2, scanned_at = clock_timestamp()
 WHERE id = $1::bigint AND state <> 'removed';

-- name: fleet_workflow_find
-- params: name text, id bigint, uid uuid
-- rows: those that fit: id, repository_id, name, slash name, path, kind, blob, head
SELECT w.id, w.repository_id, w.name,
       r.name || '/' || regexp_replace(w.path, '^\.github/(workflows/)?', ''), w.path, w.kind, w.blob_oid, w.head_commit
  FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id
 WHERE w.state = 'present' AND r.state <> 'removed'
   AND w.id IN (SELECT $2::bigint UNION ALL SELECT x.id FROM wpa.workflow x WHERE x.uid = $3::uuid UNION ALL SELECT x.id FROM wpa.workflow x WHERE x.name = $1
        UNION ALL SELECT x.id FROM wpa.repository y JOIN wpa.workflow x ON x.repository_id = y.id
         WHERE y.name = split_part($1, '/', 1) AND y.name || '/' || regexp_replace(x.path, '^\.github/(workflows/)?', '') = $1)
 ORDER BY 4 LIMIT 20;
