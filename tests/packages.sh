# shellcheck shell=bash disable=SC2034
# Sourced by src/run and tests/run: install what is missing, say what is done.

WPA_BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config git ca-certificates python3
  libncurses-dev libpq-dev libjansson-dev libjwt-dev libssl-dev libcurl4-openssl-dev libsodium-dev libyaml-dev
  libgit2-dev libmicrohttpd-dev libpcre2-dev libseccomp-dev libexpat1-dev"
WPA_RUN_PACKAGES="postgresql-15 bubblewrap shellcheck ncurses-term"
WPA_TEST_PACKAGES="clang-14 clang-format-14 libclang-rt-14-dev lld libcmocka-dev libvterm-dev tmux locales-all openssl curl jq"

# as_root COMMAND...: run it as root, by sudo if need be.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    echo "cannot run '$*': not root, and sudo is not installed" >&2
    return 1
  fi
}

# install_missing PACKAGE...: apt-get install those that dpkg does not have.
install_missing() {
  local missing=()
  local package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      missing+=("$package")
    fi
  done
  if [ ${#missing[@]} -eq 0 ]; then
    return 0
  fi
  echo "installing: ${missing[*]}"
  # Debian would start a cluster of its own with the server package; wpa runs its own.
  if [[ " ${missing[*]} " == *" postgresql-15 "* && ! -e /etc/postgresql-common/createcluster.conf ]]; then
    as_root mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/tmp/wpa-apt.$$.log 2>&1 || {
    tail -n 20 /tmp/wpa-apt.$$.log >&2
    echo "apt-get could not install: ${missing[*]}" >&2
    return 1
  }
  rm -f /tmp/wpa-apt.$$.log
}
