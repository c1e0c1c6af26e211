-- name: analysis_subject
-- params: workflow_id bigint
-- rows: at most one: repository, owner, url, branch, path, kind, blob_oid, head_commit, state, error
SELECT r.name, r.owner, r.url, r.branch, w.path, w.kind, w.blob_oid, w.head_commit, w.state, w.error
  FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id
 WHERE w.id = $1::bigint;

-- name: analysis_hold
-- params: workflow_id bigint
-- rows: one: is the file there; locked until the end of the transaction
-- why: what has gone while it was analysed gets no open findings back
SELECT state = 'present' FROM wpa.workflow WHERE id = $1::bigint FOR NO KEY UPDATE;

-- name: analysis_start
-- params: workflow_id bigint, dimension text, blob_oid text, head_commit text, rules_version text, requested_by bigint, job_id bigint
-- rows: one: id, uid
-- why: what an interrupted attempt of the same job left running is ended first
WITH interrupted AS (
  UPDATE wpa.workflow_analysis SET status = 'failed', finished_at = clock_timestamp(), error = 'interrupted; run again'
   WHERE workflow_id = $1::bigint AND status = 'running' AND job_id = $7::bigint)
INSERT INTO wpa.workflow_analysis (workflow_id, dimension, blob_oid, head_commit, rules_version, requested_by, job_id)
VALUES ($1::bigint, $2, $3, $4, $5, $6::bigint, $7::bigint)
RETURNING id, uid;

-- name: analysis_cache_get
-- params: blob_oid text, rules_version text, context text
-- rows: at most one: result
SELECT result FROM wpa.analysis_cache WHERE blob_oid = $1 AND rules_version = $2 AND context = $3;

-- name: analysis_cache_put
-- params: blob_oid text, rules_version text, context text, result jsonb
-- why: two workers may come to the same result at once, and a result that read a file that has
--      changed makes room for the new one; of an old rule set nothing is asked again
WITH old AS (DELETE FROM wpa.analysis_cache WHERE blob_oid = $1 AND context = $3 AND rules_version <> $2)
INSERT INTO wpa.analysis_cache (blob_oid, rules_version, context, result) VALUES ($1, $2, $3, $4::jsonb)
ON CONFLICT (blob_oid, rules_version, context) DO UPDATE SET result = excluded.result, made_at = clock_timestamp();

-- name: analysis_source_keep
-- params: blob_oid text, content bytea
INSERT INTO wpa.source (blob_oid, content) VALUES ($1, $2::bytea) ON CONFLICT DO NOTHING;

-- name: analysis_join_moved
-- params: workflow_id bigint, dimension text, findings jsonb
-- why: a finding whose step was moved or renamed keeps its age, comments and ignores: same rule and
--      evidence in the same job, the n-th that vanished is the n-th that appeared
WITH seen AS (
  SELECT r->>'fingerprint' AS fingerprint, r->>'rule' AS rule, coalesce(r->>'check', '') AS check_name,
         r->>'evidence' AS evidence, jsonb_array_length(r->'structure') AS depth,
         coalesce(r->'structure'->>0, '') AS root, coalesce(r->'structure'->>1, '') AS job, at
    FROM jsonb_array_elements($3::jsonb) WITH ORDINALITY AS t(r, at)),
appeared AS (
  SELECT s.fingerprint, s.rule, s.check_name, s.evidence, s.depth, s.root, s.job,
         row_number() OVER (PARTITION BY s.rule, s.check_name, s.evidence, s.depth, s.root, s.job ORDER BY s.at) AS n
    FROM seen s
   WHERE s.evidence <> ''
     AND NOT EXISTS (SELECT 1 FROM wpa.finding f WHERE f.workflow_id = $1::bigint AND f.fingerprint = s.fingerprint)),
vanished AS (
  SELECT f.id, f.rule, coalesce(f.check_name, '') AS check_name, f.evidence,
         jsonb_array_length(f.structure) AS depth, coalesce(f.structure->>0, '') AS root, coalesce(f.structure->>1, '') AS job,
         row_number() OVER (PARTITION BY f.rule, coalesce(f.check_name, ''), f.evidence, jsonb_array_length(f.structure),
                              coalesce(f.structure->>0, ''), coalesce(f.structure->>1, '') ORDER BY f.start_byte, f.id) AS n
    FROM wpa.finding f
   WHERE f.workflow_id = $1::bigint AND f.state <> 'fixed' AND ($2 = 'all' OR f.dimension = $2)
     AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.fingerprint = f.fingerprint))
UPDATE wpa.finding f SET previous = f.fingerprint, fingerprint = a.fingerprint
  FROM vanished v JOIN appeared a USING (rule, check_name, evidence, depth, root, job, n)
 WHERE f.id = v.id;

-- name: analysis_findings_store
-- params: workflow_id bigint, analysis_id bigint, blob_oid text, findings jsonb
-- rows: one for each: is_new
-- why: what a guardian ignored stays ignored until its end; what a patch answers stays with the
--      patch; what was fixed and is back is open again, with its old age
INSERT INTO wpa.finding AS f (workflow_id, fingerprint, rule, code, check_name, dimension, kind, severity, confidence,
       persona, state, message, path, start_line, start_column, end_line, end_column, start_byte, end_byte,
       structure, related, aliases, data, fixes, help, evidence, blob_oid, analysis_id, repository, workflow_name)
SELECT $1::bigint, r->>'fingerprint', r->>'rule', r->>'code', r->>'check', r->>'dimension', r->>'kind', r->>'severity',
       r->>'confidence', r->>'persona', r->>'state', r->>'message', r->>'path',
       (r#>>'{span,start,line}')::int, (r#>>'{span,start,column}')::int,
       (r#>>'{span,end,line}')::int, (r#>>'{span,end,column}')::int,
       (r#>>'{span,bytes,0}')::bigint, (r#>>'{span,bytes,1}')::bigint,
       r->'structure', r->'related', r->'aliases', r->'data', r->'fixes', r->>'help', r->>'evidence', $3, $2::bigint, n.repository, n.workflow
  FROM jsonb_array_elements($4::jsonb) AS r
  CROSS JOIN (SELECT w.name AS workflow, p.name AS repository FROM wpa.workflow w JOIN wpa.repository p ON p.id = w.repository_id WHERE w.id = $1::bigint) n
ON CONFLICT (workflow_id, fingerprint) DO UPDATE
   SET code = excluded.code, dimension = excluded.dimension, kind = excluded.kind, severity = excluded.severity,
       confidence = excluded.confidence, persona = excluded.persona, message = excluded.message, path = excluded.path,
       start_line = excluded.start_line, start_column = excluded.start_column, end_line = excluded.end_line,
       end_column = excluded.end_column, start_byte = excluded.start_byte, end_byte = excluded.end_byte,
       structure = excluded.structure, related = excluded.related, aliases = excluded.aliases, data = excluded.data,
       fixes = excluded.fixes, help = excluded.help, evidence = excluded.evidence, blob_oid = excluded.blob_oid,
       analysis_id = excluded.analysis_id, repository = excluded.repository, workflow_name = excluded.workflow_name, last_seen = clock_timestamp(), fixed_at = NULL,
       ignored_by = CASE WHEN f.ignored_until > clock_timestamp() THEN f.ignored_by END,
       ignored_reason = CASE WHEN f.ignored_until > clock_timestamp() THEN f.ignored_reason END,
       ignored_until = CASE WHEN f.ignored_until > clock_timestamp() THEN f.ignored_until END,
       state = CASE
         WHEN f.ignored_by IS NOT NULL AND f.ignored_until > clock_timestamp() THEN 'ignored'
         WHEN excluded.state <> 'open' THEN excluded.state
         WHEN f.state = 'in_patch' THEN 'in_patch'
         WHEN f.state = 'verifying' AND f.blob_oid IS NOT DISTINCT FROM excluded.blob_oid THEN 'verifying'
         ELSE 'open' END
RETURNING (xmax = 0) AS is_new;

-- name: analysis_findings_fixed
-- params: workflow_id bigint, dimension text, fingerprints text[], rules_done text[]
-- why: a rule that did not run to its end says nothing about what it did not report
UPDATE wpa.finding SET state = 'fixed', fixed_at = clock_timestamp()
 WHERE workflow_id = $1::bigint AND state <> 'fixed' AND ($2 = 'all' OR dimension = $2)
   AND fingerprint <> ALL ($3::text[]) AND rule = ANY ($4::text[]);

-- name: analysis_open_findings
-- params: workflow_id bigint
-- rows: any number: id, rule, check_name, job, dimension, kind, severity, confidence, persona, fix
SELECT id, rule, check_name, CASE WHEN structure->>0 = 'jobs' THEN structure->>1 END,
       dimension, kind, severity, confidence, persona, fixes#>>'{0,title}'
  FROM wpa.finding WHERE workflow_id = $1::bigint AND state IN ('open', 'in_patch', 'verifying')
 ORDER BY id;

-- name: analysis_runs
-- params: workflow_id bigint
-- rows: one: n_runs, n_good, n_commits, n_flaky, p50_now, p50_before
-- why: completed runs of the default branch, 30 days; cancelled and skipped ones say nothing
WITH run AS (
  SELECT n.commit_oid, n.conclusion = 'success' AS is_good, extract(epoch FROM n.completed_at - n.started_at) AS seconds,
         n.started_at > clock_timestamp() - interval '30 days' AS is_now
    FROM wpa.workflow_run n JOIN wpa.workflow w ON w.id = n.workflow_id JOIN wpa.repository r ON r.id = w.repository_id
   WHERE n.workflow_id = $1::bigint AND n.branch IN (r.branch, '') AND n.completed_at IS NOT NULL
     AND n.conclusion IN ('success', 'failure', 'timed_out')
     AND n.started_at > clock_timestamp() - interval '60 days'),
by_commit AS (
  SELECT commit_oid, bool_or(is_good) AND NOT bool_and(is_good) AS is_flaky FROM run WHERE is_now GROUP BY commit_oid)
SELECT count(*) FILTER (WHERE is_now), count(*) FILTER (WHERE is_now AND is_good),
       (SELECT count(*) FROM by_commit), (SELECT count(*) FROM by_commit WHERE is_flaky),
       coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE is_now), 0)::float8,
       coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE NOT is_now), 0)::float8
  FROM run;

-- name: analysis_health_store
-- params: workflow_id bigint, total double precision, uncapped double precision, cap double precision, cap_reason text, grade text, scores double precision[], parts smallint, explanation jsonb
-- why: scores in the order of the parts: five dimensions, run history; null without data
INSERT INTO wpa.health (workflow_id, total, uncapped, cap, cap_reason, grade, security, performance, efficiency,
                        compatibility, quality, run_history, parts, explanation)
SELECT $1::bigint, $2::float8, $3::float8, $4::float8, $5, $6, s[1], s[2], s[3], s[4], s[5], s[6], $8::smallint, $9::jsonb
  FROM (SELECT $7::float8[] AS s) AS given
ON CONFLICT (workflow_id) DO UPDATE
   SET total = excluded.total, uncapped = excluded.uncapped, cap = excluded.cap, cap_reason = excluded.cap_reason,
       grade = excluded.grade, security = excluded.security, performance = excluded.performance,
       efficiency = excluded.efficiency, compatibility = excluded.compatibility, quality = excluded.quality,
       run_history = excluded.run_history, parts = excluded.parts, explanation = excluded.explanation,
       computed_at = clock_timestamp();

-- name: analysis_workflow_store
-- params: workflow_id bigint, is_valid boolean, jobs int, title text, triggers jsonb, uses jsonb, rules_version text
UPDATE wpa.workflow SET is_valid = $2::boolean, jobs = $3::int, title = $4, triggers = $5::jsonb, uses = $6::jsonb,
       rules_version = $7, analysed_at = clock_timestamp()
 WHERE id = $1::bigint;

-- name: analysis_finish
-- params: analysis_id bigint, status text, is_complete boolean, is_cached boolean, findings int, findings_new int, findings_fixed int, duration_ms bigint, error text, rules_run int
UPDATE wpa.workflow_analysis
   SET status = $2, is_complete = $3::boolean, is_cached = $4::boolean, findings = $5::int, findings_new = $6::int,
       findings_fixed = $7::int, duration_ms = $8::bigint, error = $9, rules_run = $10::int, finished_at = clock_timestamp()
 WHERE id = $1::bigint AND status = 'running';

-- name: analysis_resolve_older
-- params: workflow_id bigint, analysis_id bigint
-- why: an older analysis none of whose findings is open any more is resolved
UPDATE wpa.workflow_analysis a SET status = 'resolved'
 WHERE a.workflow_id = $1::bigint AND a.id < $2::bigint AND a.status IN ('new', 'reviewed', 'patched')
   AND NOT EXISTS (SELECT 1 FROM wpa.finding f WHERE f.workflow_id = a.workflow_id
          AND (a.dimension = 'all' OR f.dimension = a.dimension) AND f.state IN ('open', 'in_patch', 'verifying'));

-- name: analysis_uses_forget
-- params: workflow_id bigint, slugs text[], majors int[]
DELETE FROM wpa.definition_use u
 WHERE u.workflow_id = $1::bigint
   AND NOT EXISTS (SELECT 1 FROM unnest($2::text[], $3::int[]) AS n(slug, major) WHERE n.slug = u.slug AND n.major = u.major);

-- name: analysis_uses_store
-- params: workflow_id bigint, slugs text[], majors int[], places int[]
INSERT INTO wpa.definition_use AS u (workflow_id, slug, major, places)
SELECT $1::bigint, n.slug, n.major, n.places FROM unnest($2::text[], $3::int[], $4::int[]) AS n(slug, major, places)
ON CONFLICT (workflow_id, slug, major) DO UPDATE SET places = excluded.places WHERE u.places <> excluded.places;

-- name: analysis_fleet
-- params: slugs text[]
-- rows: how many repositories there are (slug ''), then one a slug and major
SELECT '' AS slug, -1 AS major, 0::bigint AS places, count(*) AS repositories FROM wpa.repository WHERE state = 'ok'
 UNION ALL
SELECT u.slug, u.major, sum(u.places)::bigint, count(DISTINCT w.repository_id)
  FROM wpa.definition_use u JOIN wpa.workflow w ON w.id = u.workflow_id AND w.state = 'present'
 WHERE u.slug = ANY($1::text[])
 GROUP BY u.slug, u.major
 ORDER BY slug, major;

-- name: analysis_likeness_store
-- params: workflow_id bigint, marks int[]
WITH old AS (DELETE FROM wpa.definition_likeness WHERE workflow_id = $1::bigint AND mark <> ALL ($2::int[]))
INSERT INTO wpa.definition_likeness (workflow_id, repository_id, mark)
SELECT w.id, w.repository_id, m.mark FROM wpa.workflow w CROSS JOIN unnest($2::int[]) AS m(mark) WHERE w.id = $1::bigint
ON CONFLICT DO NOTHING;

-- name: analysis_alike
-- params: workflow_id bigint, marks int[]
-- rows: repository, path, kind, blob_oid of what may be alike in other repositories, most alike ones at most
-- why: what all repositories have would be found in all of them: of each mark the first ones are enough
SELECT r.name, w.path, w.kind, w.blob_oid
  FROM (SELECT l.workflow_id
          FROM unnest($2::int[]) AS m(mark)
         CROSS JOIN LATERAL (SELECT d.workflow_id FROM wpa.definition_likeness d
                WHERE d.mark = m.mark AND d.repository_id <> (SELECT repository_id FROM wpa.workflow WHERE id = $1::bigint)
                ORDER BY d.repository_id, d.workflow_id LIMIT 32) l
         GROUP BY l.workflow_id ORDER BY count(*) DESC, l.workflow_id LIMIT 96) c
  JOIN wpa.workflow w ON w.id = c.workflow_id AND w.state = 'present'
  JOIN wpa.repository r ON r.id = w.repository_id AND r.state = 'ok'
 ORDER BY r.name, w.path;

-- name: analysis_sources
-- params: blob_oids text[]
-- rows: blob_oid, content
SELECT blob_oid, content FROM wpa.source WHERE blob_oid = ANY($1::text[]);

-- name: default_config_get
-- params:
-- rows: one: version, content, changed_by, changed_at
SELECT c.version, c.content, p.name, c.changed_at FROM wpa.default_config c LEFT JOIN wpa.principal p ON p.id = c.changed_by;

-- name: default_config_set
-- params: content text, wanted bigint
-- rows: one: version; none if it is not the wanted one any more
UPDATE wpa.default_config
   SET changed_by = CASE WHEN content IS DISTINCT FROM $1 THEN wpa.actor() ELSE changed_by END,
       changed_at = CASE WHEN content IS DISTINCT FROM $1 THEN clock_timestamp() ELSE changed_at END,
       version = version + (content IS DISTINCT FROM $1)::int, content = $1
 WHERE $2::bigint IS NULL OR version = $2::bigint
RETURNING version;
