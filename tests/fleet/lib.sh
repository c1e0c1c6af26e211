# shellcheck shell=bash
# Sourced by tests/sample.sh and tests/story.sh: a sample fleet with its own state, and its service.

# sample_open WPA DIR: repositories (made once), service started, environment for wpa.
sample_open() {
  SAMPLE_WPA=$1
  mkdir -p "$2"
  SAMPLE_DIR=$(cd "$2" && pwd)
  SAMPLE_FLEET=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  export XDG_STATE_HOME=$SAMPLE_DIR/state XDG_CONFIG_HOME=$SAMPLE_DIR/config XDG_CACHE_HOME=$SAMPLE_DIR/cache
  # The sample is on its own: whatever database the environment names is not touched.
  unset WPA_DB PGHOST PGPORT PGDATABASE PGUSER PGPASSWORD PGSERVICE DATABASE_URL
  mkdir -p "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" "$XDG_CACHE_HOME"
  # The first time it takes a free port and says which.
  SAMPLE_PORT=$(cat "$SAMPLE_DIR/port" 2>/dev/null || echo 0)
  python3 "$SAMPLE_FLEET/service.py" "$SAMPLE_DIR/fleet" "$SAMPLE_PORT" >"$SAMPLE_DIR/service.log" 2>&1 &
  SAMPLE_SERVICE=$!
  until grep -qs '^listening' "$SAMPLE_DIR/service.log"; do
    if ! kill -0 "$SAMPLE_SERVICE" 2>/dev/null; then
      echo "the sample service did not start: $(cat "$SAMPLE_DIR/service.log")" >&2
      return 1
    fi
    sleep 0.05
  done
  SAMPLE_PORT=$(sed -n 's/^listening on .*://p' "$SAMPLE_DIR/service.log")
  echo "$SAMPLE_PORT" >"$SAMPLE_DIR/port"
  if [ ! -e "$SAMPLE_DIR/fleet/fleet.yml" ]; then
    rm -rf "$SAMPLE_DIR/fleet"
    "$SAMPLE_FLEET/make.sh" "$SAMPLE_DIR/fleet" "$SAMPLE_PORT"
  fi
}

sample_close() {
  kill "$SAMPLE_SERVICE" 2>/dev/null || true
  wait "$SAMPLE_SERVICE" 2>/dev/null || true
}

# The first Guardian, with a passphrase made up for this sample and kept beside it.
sample_guardian() {
  if [ ! -e "$SAMPLE_DIR/passphrase" ]; then
    (umask 077 && python3 -c 'import secrets; print(secrets.token_urlsafe(12))' >"$SAMPLE_DIR/passphrase.new")
    "$SAMPLE_WPA" guardian add guardian --passphrase-file "$SAMPLE_DIR/passphrase.new"
    mv "$SAMPLE_DIR/passphrase.new" "$SAMPLE_DIR/passphrase"
  fi
}

# Sign in as the Guardian and take the fleet in.
sample_import() {
  "$SAMPLE_WPA" login guardian --passphrase-file "$SAMPLE_DIR/passphrase"
  "$SAMPLE_WPA" fleet import "$SAMPLE_DIR/fleet/fleet.yml"
}
