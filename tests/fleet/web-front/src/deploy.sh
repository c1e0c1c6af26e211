#!/bin/sh
# deploy.sh NAME: copies src/ to the host named by $DEPLOY_TARGET
set -eu
name=$1
rsync -a --delete "$(dirname "$0")/" "${DEPLOY_TARGET:?}/$name/"
