#!/bin/sh
# Checks of the pages without a browser; prints TAP.
cd "$(dirname "$0")/.." || exit 1
n=0
bad=0
check() {
    n=$((n + 1))
    what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "ok $n - $what"
    else
        echo "not ok $n - $what"
        bad=1
    fi
}
same_version() {
    [ "$(grep -m1 '"version"' package.json)" = "$(grep -m1 '"version"' package-lock.json)" ]
}
echo "1..5"
check "the page has a title" grep -q '<title>.\+</title>' src/index.html
check "the page says its language" grep -q '<html lang=' src/index.html
check "the style sheet is there" test -s src/style.css
check "the deploy script parses" sh -n src/deploy.sh
check "package and lockfile agree on the version" same_version
exit $bad
