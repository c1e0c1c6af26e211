#!/bin/sh
# notes.sh SINCE TITLE: subjects of the commits since a tag, as a list
set -eu
printf '# %s\n\n' "$2"
git log --no-merges --format='- %s' "$1..HEAD"
