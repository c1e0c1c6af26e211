#!/bin/sh
# prints TAP
cd "$(dirname "$0")/.." || exit 1
bad=0
n=0
echo "1..5"
same() {
    n=$((n + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1: $2 is not $3"
        bad=1
    fi
}
same "major" "$(sh scripts/bump.sh 1.2.3 major)" 2.0.0
same "minor" "$(sh scripts/bump.sh 1.2.3 minor)" 1.3.0
same "patch" "$(sh scripts/bump.sh 1.2.9 patch)" 1.2.10
same "unknown part" "$(sh scripts/bump.sh 1.2.3 micro || echo refused)" refused
same "notes parse" "$(sh -n scripts/notes.sh && echo yes)" yes
exit $bad
