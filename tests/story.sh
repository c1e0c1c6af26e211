#!/usr/bin/env bash
# story.sh WPA: the whole story without a terminal, on a fresh sample fleet with a database of its
# own: each step says what was measured, and the first one that fails ends it with exit code 1.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wpa=$(realpath "${1:?usage: story.sh WPA}")
# shellcheck source=tests/fleet/lib.sh
source "$here/fleet/lib.sh"

dir=$(mktemp -d "${TMPDIR:-/tmp}/wpa-story-XXXXXX")
chmod 711 "$dir" # as root the server is another user, and lives in here
agent=""
step=0 step_name="start" passed=0

finish() {
  local code=$?
  if [ -n "$agent" ]; then kill -9 "$agent" 2>/dev/null || true; fi
  sample_close
  if [ "$code" -ne 0 ]; then
    "$wpa" patch list 2>/dev/null | tail -n 3 || true
    echo "FAILED in step $step, $step_name; what there is to see is in $dir"
  else
    rm -rf "$dir"
    echo "$passed of $step steps passed, none failed, none skipped"
  fi
}

begin() {
  step=$((step + 1))
  step_name=$*
  began=$(date +%s%N)
}
# ok TEXT: the step's end, with what was measured.
ok() {
  passed=$((passed + 1))
  printf '%2d  ok  %-34s %6d ms  %s\n' "$step" "$step_name" $((($(date +%s%N) - began) / 1000000)) "$*"
}
fail() {
  echo "$step_name: $*" >&2
  exit 1
}
# json EXPRESSION: of the document on standard input, called d.
json() {
  python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"
}
head_of() { git --git-dir="$SAMPLE_DIR/fleet/$1.git" rev-parse refs/heads/main; }
tree_of() { git --git-dir="$SAMPLE_DIR/fleet/$1.git" rev-parse "$2^{tree}"; }
commits() { git --git-dir="$SAMPLE_DIR/fleet/$1.git" rev-list --count refs/heads/main; }
state_of() { "$wpa" patch show "p-$1" --json | json "d['state']"; }
# refused CODE COMMAND...: it must end with this exit code and leave its words in $words.
refused() {
  local wanted=$1 code=0
  shift
  words=$("$@" 2>&1) || code=$?
  [ "$code" -eq "$wanted" ] || fail "'$*' ended with $code instead of $wanted: $words"
}

begin "sample fleet and its service"
sample_open "$wpa" "$dir"
trap finish EXIT
ok "$(find "$SAMPLE_DIR/fleet" -maxdepth 1 -name '*.git' | wc -l) git repositories, health checks on port $SAMPLE_PORT"

begin "database and first Guardian"
sample_guardian >/dev/null
ok "PostgreSQL of its own, $("$wpa" guardian list --json | json "sum(p['role'] == 'guardian' for p in d)") guardian"

begin "wrong passphrase"
echo "not the passphrase" >"$dir/wrong"
refused 1 "$wpa" login guardian --passphrase-file "$dir/wrong"
ok "refused: $words"

begin "sign in, take the fleet in"
sample_import >/dev/null
"$wpa" analyse --all --wait >/dev/null
repositories=$("$wpa" fleet list --json | json "len(d)")
workflows=$("$wpa" health --json | json "len(d)")
[ "$repositories" -eq 6 ] || fail "$repositories repositories instead of 6"
ok "$repositories repositories, $workflows files analysed"

begin "findings"
"$wpa" finding list --json -n 1000 >"$dir/findings.json"
dimensions=$(json "len(set(f['dimension'] for f in d))" <"$dir/findings.json")
[ "$dimensions" -eq 5 ] || fail "findings in $dimensions dimensions instead of 5"
ok "$(json "', '.join('%d %s' % (sum(f['severity'] == s for f in d), s) for s in ('critical', 'high', 'medium', 'low'))" <"$dir/findings.json"), all five dimensions"
before=$("$wpa" health ledger-api/ci.yml --json | json "d[0]['score']")

begin "patch"
old=$(head_of ledger-api)
"$wpa" patch create --workflow ledger-api/ci.yml --json >"$dir/patch.json"
patch=$(json "d['id']" <"$dir/patch.json")
added=$("$wpa" patch diff "p-$patch" | grep -c '^+[^+]' || true)
removed=$("$wpa" patch diff "p-$patch" | grep -c '^-[^-]' || true)
ok "p-$patch: $added lines added, $removed removed"

begin "test in four phases"
"$wpa" patch test "p-$patch" --wait >/dev/null
"$wpa" patch show "p-$patch" --json >"$dir/report.json"
[ "$(json "d['state']" <"$dir/report.json")" = tested ] || fail "p-$patch is not tested"
ok "$(json "', '.join('%d %s' % (sum(c['result'] == r for c in d['checks']), r) for r in ('pass', 'warn', 'skipped', 'fail') if any(c['result'] == r for c in d['checks']))" <"$dir/report.json"); own tests of the repository: $(json "' '.join('%s cases, %s failed' % (c['cases'], c['cases_failed']) for c in d['checks'] if c['check'] == 'T112')" <"$dir/report.json")"

begin "approve, deploy in stages, bake"
"$wpa" deploy start "p-$patch" --json >"$dir/deploy.json"
deployment=$(json "d['id']" <"$dir/deploy.json")
"$wpa" deploy watch "d-$deployment" >"$dir/watch.log"
new=$(head_of ledger-api)
[ "$new" != "$old" ] || fail "the branch has not moved"
[ "$(git --git-dir="$SAMPLE_DIR/fleet/ledger-api.git" rev-parse "$new^")" = "$old" ] || fail "the new commit is no child of the old one"
[ "$(state_of "$patch")" = deployed ] || fail "p-$patch is not deployed"
ok "main of ledger-api ${old:0:7} -> ${new:0:7}, $("$wpa" deploy status "d-$deployment" --json | json "'%d stage, checks %s' % (len(d['stages']), ', '.join('%s %s' % (c['name'], c['verdict']) for c in d['checks']))")"

begin "healthier"
"$wpa" fleet scan --wait >/dev/null
"$wpa" analyse ledger-api/ci.yml --wait >/dev/null
after=$("$wpa" health ledger-api/ci.yml --json | json "d[0]['score']")
python3 -c "import sys; sys.exit(not float('$after') > float('$before'))" || fail "health went from $before to $after"
ok "health of ledger-api/ci.yml from $before to $after"

begin "roll back"
"$wpa" deploy rollback "d-$deployment" --reason "the story goes back" --watch >"$dir/rollback.log"
back=$(head_of ledger-api)
[ "$back" != "$old" ] || fail "history was rewritten instead of reverted"
[ "$(tree_of ledger-api "$back")" = "$(tree_of ledger-api "$old")" ] || fail "the tree is not the one of before"
[ "$(state_of "$patch")" = rolled_back ] || fail "p-$patch is not rolled_back"
ok "${new:0:7} -> ${back:0:7}, a revert commit; the tree is ${old:0:7}'s again"

begin "a change that does harm"
old=$(head_of payments-worker)
bad=$("$wpa" patch create --rule retired-runner --workflow payments-worker/ci.yml --json | json "d['id']")
"$wpa" patch test "p-$bad" --wait >/dev/null
refused 4 "$wpa" deploy start "p-$bad" --watch
harm=$words
now=$(head_of payments-worker)
[ "$(state_of "$bad")" = rolled_back ] || fail "p-$bad is $(state_of "$bad"): $harm"
[ "$now" != "$old" ] || fail "the branch never moved"
[ "$(tree_of payments-worker "$now")" = "$(tree_of payments-worker "$old")" ] || fail "the tree is not the one of before"
ok "p-$bad deployed, a health check failed, rolled back by itself"

begin "kill -9 in the middle"
old=$(head_of ledger-api)
commits_before=$(commits ledger-api)
next=$("$wpa" patch create --workflow ledger-api/nightly.yml --json | json "d['id']")
"$wpa" patch test "p-$next" --wait >/dev/null
"$wpa" agent --name story >"$dir/agent.log" 2>&1 &
agent=$!
third=$("$wpa" deploy start "p-$next" --json | json "d['id']")
for _ in $(seq 1 1200); do
  [ "$(head_of ledger-api)" = "$old" ] || break
  sleep 0.05
done
[ "$(head_of ledger-api)" != "$old" ] || fail "the deployment did not begin"
kill -9 "$agent"
wait "$agent" 2>/dev/null || true
agent=""
"$wpa" deploy watch "d-$third" >"$dir/watch2.log" || fail "watching ended with $?: $(tail -n 1 "$dir/watch2.log")"
[ "$(state_of "$next")" = deployed ] || fail "p-$next is $(state_of "$next")"
[ "$(commits ledger-api)" -eq $((commits_before + 1)) ] || fail "$(($(commits ledger-api) - commits_before)) commits instead of one"
ok "another went on: one commit, d-$third succeeded"

begin "audit log"
"$wpa" audit verify --json >"$dir/audit.json"
ok "sound: $(json "d['rows']" <"$dir/audit.json") rows checked"
