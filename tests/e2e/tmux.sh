#!/usr/bin/env bash
# tmux.sh WPA: a Guardian's day at the console inside tmux: sign in, finding, patch, test, approve,
# deploy, watch beside a wall display, roll back; looked at on the screen, in git and in the database.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
wpa=$(realpath "${1:?usage: tmux.sh WPA}")
# shellcheck source=tests/fleet/lib.sh
source "$here/fleet/lib.sh"

if ! command -v tmux >/dev/null; then
  echo "skipped: tmux is not installed"
  exit 77
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/wpa-tmux-XXXXXX")
chmod 711 "$dir" # as root the server is another user, and lives in here
server=wpa-e2e-$$
mux() { tmux -L "$server" -f /dev/null "$@"; }
finish() {
  local code=$?
  if [ "$code" -ne 0 ]; then
    mux capture-pane -t "${pane:-console}" -p 2>/dev/null || true
  fi
  mux kill-server 2>/dev/null || true
  sample_close
  for _ in $(seq 1 100); do # the last wpa stops the server before its folder goes
    pgrep -f "$dir/state" >/dev/null || break
    sleep 0.1
  done
  rm -rf "$dir"
}

# see PANE TEXT: wait until the pane shows it.
see() {
  pane=$1
  for _ in $(seq 1 1200); do
    if mux capture-pane -t "$1" -p | grep -qF -- "$2"; then
      return 0
    fi
    sleep 0.1
  done
  echo "'$2' did not appear in $1" >&2
  exit 1
}
press() { mux send-keys -t console "$@"; }
write() { mux send-keys -t console -l -- "$1"; } # a passphrase may begin with a dash
fail() {
  echo "$*" >&2
  exit 1
}
head_of() { git --git-dir="$SAMPLE_DIR/fleet/$1.git" rev-parse refs/heads/main; }
tree_of() { git --git-dir="$SAMPLE_DIR/fleet/$1.git" rev-parse "$2^{tree}"; }
state_of() { "$wpa" patch show "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["state"])'; }

sample_open "$wpa" "$dir"
trap finish EXIT
sample_guardian >/dev/null
sample_import >/dev/null
"$wpa" analyse --all --wait >/dev/null

mux new-session -d -s console -x 80 -y 24 env USER=guardian "$wpa" # the name stands in the form
see console "Passphrase"
see console "guardian"
write "$(cat "$SAMPLE_DIR/passphrase")"
press Enter
see console "Workflows, worst first"
press 3
see console "[3 Findings]"
see console "web-front/preview.yml"
press Enter
see console "Why and what to do"
old=$(head_of web-front)
press p
see console "✓ tested"
[ "$(head_of web-front)" = "$old" ] || fail "the branch moved before anybody approved"
press A
see console "Approve"
press y
see console "approved"
[ "$(state_of p-1)" = approved ] || fail "p-1 is $(state_of p-1)"

mux new-session -d -s wall -x 160 -y 45 "$wpa wall"
see wall "read-only"
press D
see console "Deploy p-1"
press y
see console "baking"
see wall "d-1"
mux send-keys -t wall R
mux send-keys -t wall D
mux send-keys -t wall y
see console "deployed"
new=$(head_of web-front)
[ "$new" != "$old" ] || fail "the branch has not moved"
[ "$(state_of p-1)" = deployed ] || fail "p-1 is $(state_of p-1)"
[ "$("$wpa" deploy status --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" -eq 1 ] ||
  fail "the wall has ordered something"

press R
see console "ROLLING BACK d-1"
see console "rolled_back"
back=$(head_of web-front)
[ "$back" != "$new" ] || fail "the branch has not moved back"
[ "$(tree_of web-front "$back")" = "$(tree_of web-front "$old")" ] || fail "the tree is not the one of before"
[ "$(state_of p-1)" = rolled_back ] || fail "p-1 is $(state_of p-1)"
"$wpa" audit verify
