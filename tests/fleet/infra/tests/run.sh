#!/bin/sh
# What can be said about the Terraform files without Terraform; prints TAP.
cd "$(dirname "$0")/.." || exit 1
bad=0
n=0
echo "1..4"
for stage in staging production; do
    n=$((n + 1))
    if grep -q "stage  = \"$stage\"" "live/$stage/main.tf"; then
        echo "ok $n - $stage names its own stage"
    else
        echo "not ok $n - $stage names its own stage"
        bad=1
    fi
done
n=$((n + 1))
if grep -rq 'deletion_protection = true' modules/ledger; then
    echo "ok $n - the ledger's database cannot be deleted by accident"
else
    echo "not ok $n - the ledger's database cannot be deleted by accident"
    bad=1
fi
n=$((n + 1))
if cat live/*/main.tf modules/*/main.tf | awk '{o += gsub(/{/, ""); c += gsub(/}/, "")} END {exit o != c}'; then
    echo "ok $n - braces match"
else
    echo "not ok $n - braces match"
    bad=1
fi
exit $bad
