#!/bin/sh
# bump.sh VERSION major|minor|patch: the next version
set -eu
IFS=. read -r major minor patch <<EOT
$1
EOT
case $2 in
major) echo "$((major + 1)).0.0" ;;
minor) echo "$major.$((minor + 1)).0" ;;
patch) echo "$major.$minor.$((patch + 1))" ;;
*) exit 2 ;;
esac
