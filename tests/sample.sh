#!/usr/bin/env bash
# sample.sh WPA DIR [--fresh] [--serve]: the sample fleet below DIR, its service, its first Guardian,
# and the console or the REST API on it. Called by src/run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wpa=$(realpath "$1")
dir=$2
# shellcheck source=tests/fleet/lib.sh
source "$here/fleet/lib.sh"

fresh="" serve=""
for argument in "${@:3}"; do
  case $argument in
    --fresh) fresh=yes ;;
    --serve) serve=yes ;;
  esac
done
if [ -n "$fresh" ]; then
  rm -rf "$dir"
fi
sample_open "$wpa" "$dir"
trap sample_close EXIT

sample_guardian
sample_import
cat <<TXT

The sample fleet is in $SAMPLE_DIR (six git repositories, health checks answer on port $SAMPLE_PORT).
Sign in as     guardian
passphrase     $(cat "$SAMPLE_DIR/passphrase")

TXT
if [ -n "$serve" ]; then
  "$wpa" serve --workers 2
elif [ -t 0 ] && [ -t 1 ]; then
  read -r -p "Enter opens the console. " _ || true
  "$wpa"
else
  echo "this is no terminal: run src/run in one, or src/run --headless" >&2
  exit 1
fi
