#!/bin/sh
# make.sh DIR [PORT]: makes the sample fleet: bare git repositories DIR/<name>.git, each with the
# history that ./history tells (the same commits every time), and DIR/fleet.yml with their paths.
# PORT is where service.py will answer health checks (8765). Repositories that are made already are
# taken from WPA_TEST_TEMPLATE/fleet (tests/harness/template.sh).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
port=${2:-8765}

# No configuration of the user or the host, so that the commits are the same everywhere.
GIT_CONFIG_NOSYSTEM=1
GIT_CONFIG_GLOBAL=/dev/null
export GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

# commit REPOSITORY DATE AUTHOR MESSAGE PATHS
commit() {
    work=$dir/.work/$1
    if [ ! -d "$work" ]; then
        mkdir -p "$work"
        git init -q -b main "$work"
    fi
    name=${3% <*}
    mail=${3##*<}
    mail=${mail%>}
    for path in $5; do
        mkdir -p "$work/$(dirname "$path")"
        cp -R "$here/$1/$path" "$work/$(dirname "$path")/"
    done
    find "$work" -name __pycache__ -prune -exec rm -rf {} +
    rm -rf "$work/reports"
    git -C "$work" add -A
    GIT_AUTHOR_NAME=$name GIT_AUTHOR_EMAIL=$mail GIT_AUTHOR_DATE=$2 \
        GIT_COMMITTER_NAME=$name GIT_COMMITTER_EMAIL=$mail GIT_COMMITTER_DATE=$2 \
        git -C "$work" commit -q -m "$4"
}

make() {
    rm -rf "$dir/.work"
    while IFS='|' read -r repository date author message paths; do
        case $repository in
        '#'* | '') continue ;;
        esac
        if [ -e "$dir/$repository.git" ]; then
            echo "make.sh: $dir/$repository.git is there already" >&2
            exit 1
        fi
        if [ "$paths" = . ]; then
            paths=$(cd "$here/$repository" && find . -mindepth 1 -maxdepth 1 -printf '%P ')
        fi
        commit "$repository" "$date" "$author" "$message" "$paths"
    done <"$here/history"

    for work in "$dir"/.work/*; do
        name=$(basename "$work")
        git clone -q --bare --no-hardlinks "$work" "$dir/$name.git"
        git -C "$dir/$name.git" remote remove origin
    done
    rm -rf "$dir/.work"
}

if [ -d "${WPA_TEST_TEMPLATE:-}/fleet" ]; then
    cp -R "$WPA_TEST_TEMPLATE"/fleet/*.git "$dir"
else
    make
fi
sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|$port|g" -e "s|@SAMPLE@|$here|g" "$here/fleet.yml.in" >"$dir/fleet.yml"
