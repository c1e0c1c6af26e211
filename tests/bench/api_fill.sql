-- A big installation, as the schema's own constraints allow it: psql variables patches, findings, and
-- repositories (2000 unless told otherwise), each with five workflows of three analyses.
-- Row triggers that guard transitions and write the audit log are off while it is filled; what they
-- keep up to date (counts) is written here.
\set ON_ERROR_STOP on
\if :{?repositories}
\else
\set repositories 2000
\endif
SET synchronous_commit = off;
BEGIN;
ALTER TABLE wpa.patch DISABLE TRIGGER USER;
ALTER TABLE wpa.patch_edit DISABLE TRIGGER USER;
ALTER TABLE wpa.patch_finding DISABLE TRIGGER USER;
ALTER TABLE wpa.test_run DISABLE TRIGGER USER;
ALTER TABLE wpa.approval DISABLE TRIGGER USER;
ALTER TABLE wpa.workflow_analysis DISABLE TRIGGER USER;

INSERT INTO wpa.repository (name, url, branch, owner, state, scanned_at)
SELECT 'service-' || i, 'https://git.example/service-' || i, 'main', 'team-' || i % 40, 'ok', clock_timestamp()
  FROM generate_series(1, :repositories) i;

INSERT INTO wpa.workflow (repository_id, path, name, kind, title, blob_oid, head_commit, jobs, analysed_at)
SELECT r.id, '.github/workflows/' || f || '.yml', r.name || '-' || f, 'workflow', 'Build ' || f, encode(sha256((r.name || f)::bytea), 'hex'),
       encode(sha256(r.name::bytea), 'hex'), 3, clock_timestamp()
  FROM wpa.repository r, unnest(ARRAY['ci','release','pages','nightly','label']) f WHERE r.name LIKE 'service-%';

-- One a number, for joining rows with workflows far from each other.
CREATE TEMP TABLE numbered ON COMMIT DROP AS
  SELECT w.id, w.repository_id, w.path, w.name, r.name AS repository, row_number() OVER (ORDER BY w.id) - 1 AS n
    FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id;
ANALYZE numbered;

INSERT INTO wpa.workflow_analysis (workflow_id, dimension, status, finished_at, duration_ms, is_complete, findings, rules_run, requested_by)
SELECT w.id, 'all', 'new', clock_timestamp(), 12, true, 100, 182, (SELECT id FROM wpa.principal WHERE name = 'mira')
  FROM wpa.workflow w, generate_series(1, 3) ORDER BY random();

INSERT INTO wpa.health (workflow_id, total, uncapped, grade, security, performance, efficiency, compatibility, quality, parts)
SELECT w.id, 40 + w.id % 60, 40 + w.id % 60, 'C', 50, 60, 70, 80, 90, 5 FROM wpa.workflow w;

-- Indexes are made when the rows are there: a tenth of the time.
SET maintenance_work_mem = '256MB';
CREATE TEMP TABLE later ON COMMIT DROP AS
  SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS text FROM pg_index i
   WHERE i.indrelid IN ('wpa.finding'::regclass, 'wpa.patch_edit'::regclass, 'wpa.patch_finding'::regclass)
     AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid);
DO $$
DECLARE n text;
BEGIN
  FOR n IN SELECT name FROM later LOOP
    EXECUTE 'DROP INDEX ' || n;
  END LOOP;
END $$;

-- Findings as they come in: those of one workflow lie far apart.
INSERT INTO wpa.finding (workflow_id, fingerprint, rule, code, dimension, kind, severity, confidence, state, message, path,
       start_line, start_column, end_line, end_column, start_byte, end_byte, fixes, help, first_seen, last_seen, fixed_at, repository, workflow_name, had_patch)
SELECT w.id, left(encode(sha256(i::text::bytea), 'hex'), 40), 'rule-' || i % 180, 'SEC-' || lpad((i % 180)::text, 3, '0'),
       (ARRAY['security','performance','efficiency','compatibility','quality'])[1 + i % 5], (ARRAY['issue','issue','issue','inefficiency','opportunity'])[1 + i % 5],
       CASE WHEN i % 100 = 0 THEN 'critical' WHEN i % 10 = 0 THEN 'high' WHEN i % 3 = 0 THEN 'medium' ELSE 'low' END, 'high',
       (ARRAY['open','open','open','fixed','ignored','verifying','open','open'])[1 + i % 8],
       'the action ''org/action-' || i % 997 || ''' is used by a tag that can move', w.path, i % 200 + 1, 9, i % 200 + 1, 40, i % 4000, i % 4000 + 31,
       CASE WHEN i % 2 = 0 THEN '[{"safety": "safe", "title": "pin the commit", "edits": [{"start": 10, "end": 20, "text": "0123456789"}]}]' ELSE '[]' END::jsonb,
       'https://example.org/rule-' || i % 180, clock_timestamp() - (i % 200) * interval '1 hour', clock_timestamp(),
       CASE WHEN i % 8 = 3 THEN clock_timestamp() END, w.repository, w.name, i % 10 BETWEEN 1 AND 3
  FROM generate_series(1, :findings) i
  JOIN numbered w ON w.n = (i * 7919::bigint) % (5 * :repositories);

INSERT INTO wpa.patch (name, patch_version, type, severity, description, issue, state, reason, digest, author_id, requester_id, tested_digest, analysis_id,
       plan, rollback, diff, lines_added, lines_removed, created_at, tested_at, updated_at)
SELECT 'Pin actions ' || i, '1.' || i % 9 || '.0', 'security', CASE WHEN i % 50 = 0 THEN 'critical' WHEN i % 5 = 0 THEN 'high' ELSE 'medium' END,
       'Pins what can move.', 'actions by tag', s.state, CASE s.state WHEN 'failed' THEN 'test_failed' END, sha256(i::text::bytea), e.id, m.id,
       CASE WHEN s.state IN ('tested','approved','deployed') THEN sha256(i::text::bytea) END, (SELECT min(id) FROM wpa.workflow_analysis) + i % (15 * :repositories),
       '{"strategy": "waves-percent", "percent": [5, 25, 100], "bake_ms": 600000, "stages": [{"n": 1, "targets": ["a"]}]}', '{"on_failure": "rollback", "files": ["a"]}',
       repeat(E'-      - uses: actions/checkout@v4\n+      - uses: actions/checkout@0123456789012345678901234567890123456789 # v4\n', 12), 12, 12,
       clock_timestamp() - i * interval '1 second', clock_timestamp() - i * interval '1 second', clock_timestamp() - i * interval '1 second'
  FROM generate_series(1, :patches) i
  CROSS JOIN LATERAL (SELECT (ARRAY['pending','tested','tested','approved','deployed','deployed','deployed','failed','rolled_back','tested'])[1 + i % 10] AS state) s
  CROSS JOIN (SELECT id FROM wpa.principal WHERE role = 'agent') e CROSS JOIN (SELECT id FROM wpa.principal WHERE name = 'mira') m;

INSERT INTO wpa.patch_edit (patch_id, repository_id, ref, path, before_oid, after_oid, before_bytes, after_bytes)
SELECT p.id, w.repository_id, 'refs/heads/main', w.path, left(encode(p.digest, 'hex'), 40), right(encode(p.digest, 'hex'), 40),
       convert_to(repeat('before ', 200), 'UTF8'), convert_to(repeat('after ', 200), 'UTF8')
  FROM wpa.patch p JOIN numbered w ON w.n = (p.id * 104729) % (5 * :repositories);

INSERT INTO wpa.patch_finding (patch_id, finding_id)
SELECT p.id, (SELECT min(id) FROM wpa.finding) + (p.id * 10 + k) % :findings FROM wpa.patch p, generate_series(0, 2) k ON CONFLICT DO NOTHING;

DO $$
DECLARE t text;
BEGIN
  FOR t IN SELECT text FROM later LOOP
    EXECUTE t;
  END LOOP;
END $$;

INSERT INTO wpa.test_run (patch_id, digest, state, finished_at, report)
SELECT p.id, p.digest, CASE p.state WHEN 'failed' THEN 'failed' ELSE 'passed' END, p.tested_at, '{"isolated_tests": {"passed": true, "tests_run": 12, "tests_passed": 12}}'
  FROM wpa.patch p WHERE p.state <> 'pending';

INSERT INTO wpa.approval (patch_id, digest, guardian_id, expires_at)
SELECT p.id, p.digest, p.requester_id, clock_timestamp() + interval '7 days' FROM wpa.patch p WHERE p.state IN ('approved','deployed');

SELECT wpa.patch_brief_make(0, 9223372036854775807);
INSERT INTO wpa.summary_part SELECT 'patch', state, count(*) FROM wpa.patch GROUP BY state;

ALTER TABLE wpa.patch ENABLE TRIGGER USER;
ALTER TABLE wpa.patch_edit ENABLE TRIGGER USER;
ALTER TABLE wpa.patch_finding ENABLE TRIGGER USER;
ALTER TABLE wpa.test_run ENABLE TRIGGER USER;
ALTER TABLE wpa.approval ENABLE TRIGGER USER;
ALTER TABLE wpa.workflow_analysis ENABLE TRIGGER USER;
COMMIT;
VACUUM ANALYZE;
SELECT wpa.summary_fold();
