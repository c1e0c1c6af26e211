#!/usr/bin/env bash
# template.sh WPA DIR: what samples begin with, made once for all tests of a run: DIR/state with a
# database that WPA has made and brought up to date, DIR/fleet with the repositories of the sample
# fleet. Where DIR is missing each sample makes its own.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wpa=$(realpath "${1:?usage: template.sh WPA DIR}")
to=${2:?usage: template.sh WPA DIR}
made=$(mktemp -d "${TMPDIR:-/tmp}/wpa-template-XXXXXX")
trap 'rm -rf "$made"' EXIT
chmod 711 "$made" # as root the server is another user, and lives in here
mkdir -m 711 "$made/state"

env -i PATH="$PATH" LC_ALL=C.UTF-8 HOME="$made" XDG_STATE_HOME="$made/state" XDG_CONFIG_HOME="$made/config" \
  XDG_CACHE_HOME="$made/cache" XDG_DATA_HOME=/nonexistent XDG_DATA_DIRS=/nonexistent \
  "$wpa" guardian list
# a database that still runs, or lies elsewhere, is nothing to copy
[ -s "$made/state/wpa/postgres/data/PG_VERSION" ]
[ ! -e "$made/state/wpa/postgres/data/postmaster.pid" ]
env -u WPA_TEST_TEMPLATE "$here/../fleet/make.sh" "$made/fleet"

rm -rf "$to" "$to.new"
cp -a "$made" "$to.new"
mv "$to.new" "$to"
