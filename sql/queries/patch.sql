-- name: patch_findings
-- params: ids bigint[]
-- why: from the end of a file to its start, since the fingerprint of a finding counts its equals before it
-- rows: each finding that exists, by file: id, fingerprint, rule, code, severity, kind, dimension, state, message, path, repository id, name, url, branch, owner, patch that answers it now
SELECT f.id, f.fingerprint, f.rule, f.code, f.severity, f.kind, f.dimension, f.state, f.message, f.path,
       r.id, r.name, r.url, r.branch, r.owner,
       (SELECT max(p.id) FROM wpa.patch_finding pf JOIN wpa.patch p ON p.id = pf.patch_id
         WHERE pf.finding_id = f.id AND p.state IN ('pending','testing','tested','approved'))
  FROM wpa.finding f JOIN wpa.workflow w ON w.id = f.workflow_id JOIN wpa.repository r ON r.id = w.repository_id
 WHERE f.id = ANY($1::bigint[]) AND r.state <> 'removed'
 ORDER BY r.id, f.path, f.start_byte DESC, f.id DESC;

-- name: patch_repository
-- params: name text
-- rows: at most one: id, name, url, branch, owner
SELECT id, name, url, branch, owner FROM wpa.repository WHERE name = $1 AND state <> 'removed';

-- name: patch_insert
-- params: name text, version text, type text, severity text, description text, issue text, digest bytea, requester bigint, is_by_person boolean, supersedes bigint, declares jsonb, diff text, added int, removed int, rollback jsonb, engine_notes text
-- rows: one: id
-- why: what the engine wrote is authored by it, whoever ordered it; a revision counts on
INSERT INTO wpa.patch (name, patch_version, type, severity, description, issue, digest, author_id, requester_id,
                       supersedes, revision, declares, diff, lines_added, lines_removed, rollback, engine_notes)
SELECT $1, $2, $3, $4, $5, $6, $7::bytea,
       CASE WHEN $9::boolean THEN $8::bigint ELSE (SELECT id FROM wpa.principal WHERE name = 'engine') END,
       $8::bigint, $10::bigint, coalesce((SELECT revision + 1 FROM wpa.patch WHERE id = $10::bigint), 1),
       $11::jsonb, $12, $13::int, $14::int, $15::jsonb, $16
RETURNING id;

-- name: patch_edit_insert
-- params: patch_id bigint, repository_id bigint, ref text, path text, base text, before_oid text, after_oid text, before bytea, after bytea, edits jsonb, inverse jsonb
INSERT INTO wpa.patch_edit (patch_id, repository_id, ref, path, base_commit, before_oid, after_oid, before_bytes, after_bytes, edits, inverse)
VALUES ($1::bigint, $2::bigint, $3, $4, $5, $6, $7, $8::bytea, $9::bytea, $10::jsonb, $11::jsonb);

-- name: patch_take_findings
-- params: patch_id bigint, ids bigint[]
-- rows: those taken: id
-- why: only what no other live patch has taken meanwhile; an ignored finding may still be fixed
WITH taken AS (
  UPDATE wpa.finding f SET state = 'in_patch', had_patch = true
   WHERE f.id = ANY($2::bigint[]) AND f.state IN ('open','ignored','baseline')
  RETURNING f.id, f.workflow_id),
linked AS (
  INSERT INTO wpa.patch_finding (patch_id, finding_id) SELECT $1::bigint, id FROM taken RETURNING finding_id),
answered AS (
  UPDATE wpa.workflow_analysis a SET status = 'patched'
   WHERE a.status IN ('new','reviewed') AND a.id IN
     (SELECT max(x.id) FROM wpa.workflow_analysis x WHERE x.workflow_id IN (SELECT workflow_id FROM taken) GROUP BY x.workflow_id))
SELECT finding_id FROM linked;

-- name: patch_supersede
-- params: patch_id bigint
-- rows: at most one: id
UPDATE wpa.patch SET state = 'failed', reason = 'superseded'
 WHERE id = $1::bigint AND state IN ('pending','tested','approved') RETURNING id;

-- name: patch_propose_plan
-- params: patch_id bigint, plan jsonb
UPDATE wpa.patch SET plan = $2::jsonb WHERE id = $1::bigint AND state = 'pending';

-- name: patch_order_place
-- params: analysis_id bigint, workflow_id bigint
-- rows: at most one: repository name, repository of the analysis is another one
SELECT r.name, coalesce(o.repository_id <> w.repository_id, false)
  FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id
  LEFT JOIN wpa.workflow_analysis a ON a.id = $1::bigint LEFT JOIN wpa.workflow o ON o.id = a.workflow_id
 WHERE w.id = coalesce($2::bigint, (SELECT workflow_id FROM wpa.workflow_analysis WHERE id = $1::bigint)) AND r.state <> 'removed';

-- name: patch_order_findings
-- params: analysis_id bigint, files text[]
-- rows: the fixable ones that are open, of these files, or of all if these have none: id
WITH f AS (SELECT g.id, g.path FROM wpa.workflow_analysis a CROSS JOIN LATERAL wpa.analysis_findings(a) g
            WHERE a.id = $1::bigint AND g.state = 'open' AND jsonb_array_length(g.fixes) > 0),
here AS (SELECT id FROM f WHERE path = ANY($2::text[]) OR regexp_replace(path, '^\.github/workflows/', '') = ANY($2::text[]))
SELECT id FROM here UNION ALL SELECT id FROM f WHERE NOT EXISTS (SELECT FROM here) ORDER BY id;

-- name: patch_answered
-- params: repository_id bigint, path text, fingerprints text[]
-- rows: open findings of the file that a change of it answers, and that no live patch has taken: id
SELECT f.id FROM wpa.finding f JOIN wpa.workflow w ON w.id = f.workflow_id
 WHERE w.repository_id = $1::bigint AND f.path = $2 AND f.fingerprint = ANY($3::text[]) AND f.state IN ('open','ignored','baseline')
   AND NOT EXISTS (SELECT FROM wpa.patch_finding x JOIN wpa.patch p ON p.id = x.patch_id
                    WHERE x.finding_id = f.id AND p.state IN ('pending','testing','tested','approved'))
 ORDER BY f.id;

-- name: patch_keep
-- params: patch_id bigint, analysis_id bigint, notes jsonb, dependencies jsonb, configuration jsonb, workflow_id bigint
-- rows: none
UPDATE wpa.patch SET analysis_id = $2::bigint, notes = $3::jsonb, dependencies = $4::jsonb, configuration = $5::jsonb, workflow_id = $6::bigint
 WHERE id = $1::bigint AND state = 'pending';

-- name: patch_revise
-- params: patch_id bigint, if_version bigint, reviewed_by text, deployment_config jsonb, rollback_config jsonb
-- rows: at most one: id
-- why: what a deployment began with stays as it is
UPDATE wpa.patch p SET reviewed_by = coalesce($3, reviewed_by), deployment_config = coalesce($4::jsonb, deployment_config),
       rollback_config = coalesce($5::jsonb, rollback_config)
 WHERE p.id = $1::bigint AND ($2::bigint < 0 OR p.version = $2::bigint)
   AND (($4::jsonb IS NULL AND $5::jsonb IS NULL) OR (p.state IN ('pending','testing','tested','approved')
        AND NOT EXISTS (SELECT FROM wpa.deployment d WHERE d.patch_id = p.id)))
RETURNING p.id;

-- name: patch_replan
-- params: patch_id bigint, plan jsonb
-- rows: none
UPDATE wpa.patch SET plan = $2::jsonb WHERE id = $1::bigint;

-- name: patch_version
-- params: patch_id bigint
-- rows: at most one: version, state
SELECT version, state FROM wpa.patch WHERE id = $1::bigint;
