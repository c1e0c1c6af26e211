#!/usr/bin/env bash
# pictures.sh WPA [README]: take the README's pictures anew. Drives the program in tmux on a sample
# fleet of its own and puts each screen between its two marks in the README, as it was on the screen.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wpa=$(realpath "$1")
readme=${2:-$here/../README.md}
# shellcheck source=tests/fleet/lib.sh
source "$here/fleet/lib.sh"

dir=$(mktemp -d "${TMPDIR:-/tmp}/wpa-pictures-XXXXXX")
chmod 711 "$dir" # the database server may run as another user
pane=(tmux -L "wpa-pictures-$$")

finish() {
  "${pane[@]}" kill-server 2>/dev/null || true
  sample_close
  rm -rf "$dir"
}

screen() { "${pane[@]}" capture-pane -p -t console; }

press() { # each argument a key as tmux calls it
  local key
  for key; do
    "${pane[@]}" send-keys -t console "$key"
    sleep 0.3
  done
}

write() { "${pane[@]}" send-keys -t console -l -- "$1"; }

await() { # extended regular expression that the screen must show within a minute
  local try
  for try in $(seq 1 600); do
    if screen | grep -Eq -- "$1"; then
      return 0
    fi
    sleep 0.1
  done
  printf 'the screen never showed "%s" (%s looks):\n' "$1" "$try" >&2
  screen >&2
  return 1
}

picture() { # name: what is on the screen now, into the README
  {
    printf '```text\n'
    screen | sed 's/ *$//'
    printf '```\n'
  } >"$dir/picture"
  awk -v name="$1" -v file="$dir/picture" '
    $0 == "<!-- /picture -->" { inside = 0 }
    !inside { print }
    $0 == "<!-- picture: " name " -->" {
      inside = 1
      found = 1
      while ((getline line < file) > 0) print line
    }
    END { exit !found }' "$readme" >"$dir/readme" ||
    { echo "$readme has no place for the picture '$1'" >&2; return 1; }
  cat "$dir/readme" >"$readme"
  echo "took $1"
}

sample_open "$wpa" "$dir"
trap finish EXIT
sample_guardian
sample_import
"$wpa" fleet scan --wait
"$wpa" patch create --workflow web-front/ci.yml --wait
"$wpa" patch create --workflow ledger-api/ci.yml --wait

"${pane[@]}" -f /dev/null new-session -d -s console -x 80 -y 24 "$wpa --fleet sample"
await 'Passphrase'
write guardian
press Tab
write "$(cat "$dir/passphrase")"
press Enter
await 'Health [0-9]+'

press 3
await '▸ CRIT'
press Enter
await 'Why and what to do'
picture finding

press 4
await '▸ p-2'
press Enter
await 'Test report'
picture report

press D
await 'y deploy'
press y 5
await '▸ d-1'
press Enter
await '00:0[1-9]/00:06'
picture deploy

press R
await 'ROLLING BACK'
picture rollback
press Escape
await 'cancelled'

press 1
await 'Live tests and deploys ─.* [1-9] ─'
picture dashboard
press q
