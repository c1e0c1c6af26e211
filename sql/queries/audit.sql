-- name: audit_page
-- params: from_seq bigint, to_seq bigint, page int
-- rows: in order: seq, microseconds, actor, action, subject, detail, prev, hash
SELECT seq, (extract(epoch FROM at) * 1000000)::bigint, actor, action, subject, detail,
       encode(prev, 'hex'), encode(hash, 'hex')
  FROM wpa.audit WHERE seq >= $1::bigint AND seq <= $2::bigint ORDER BY seq LIMIT $3::int;

-- name: audit_ends
-- params:
-- rows: one: first and last row (1 and 0: there is none), head's seq and hash (null: there is no head)
-- why: one statement sees one moment, in which the head is the last row whoever writes meanwhile
SELECT coalesce(a.lowest, 1), coalesce(a.highest, 0), h.seq, encode(h.hash, 'hex')
  FROM (SELECT min(seq) AS lowest, max(seq) AS highest FROM wpa.audit) a LEFT JOIN wpa.audit_head h ON true;

-- name: audit_hash_of
-- params: seq bigint
-- rows: at most one
SELECT encode(hash, 'hex'), (extract(epoch FROM at) * 1000000)::bigint FROM wpa.audit WHERE seq = $1::bigint;

-- name: audit_append
-- params: action text, subject text, detail jsonb
-- rows: one
SELECT wpa.audit_add($1, $2, $3::jsonb);

-- name: audit_read
-- params: actor text, action text, subject text, before_seq bigint, page int
-- rows: newest first
SELECT a.seq, (extract(epoch FROM a.at) * 1000000)::bigint, a.actor, a.action, a.subject, a.detail,
       encode(a.prev, 'hex'), encode(a.hash, 'hex'), coalesce(p.name, a.actor)
  FROM wpa.audit a LEFT JOIN wpa.principal p ON p.id::text = a.actor
 WHERE ($1::text IS NULL OR p.name = $1) AND ($2::text IS NULL OR a.action = $2 OR a.action LIKE $2 || '.%')
   AND ($3::text IS NULL OR a.subject = $3) AND a.seq < $4::bigint
 ORDER BY a.seq DESC LIMIT $5::int;
