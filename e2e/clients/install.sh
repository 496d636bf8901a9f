#!/usr/bin/env bash
# Puts redis-py and a program with go-redis into .kvorum/clients, where the tests look for them; a few seconds, once. Needs Python 3.10 or
# newer with venv, and Go 1.26 or newer. Without arguments both; `python` or `go`: one of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
readonly TARGET=$PWD/../../.kvorum/clients
mkdir -p "$TARGET"

die() { printf 'e2e/clients/install.sh: %s\n' "$*" >&2; exit 2; }

install_python() {
  command -v python3 >/dev/null || die 'python3 is missing: install Python 3.10 or newer'
  if [ -x "$TARGET/python/bin/python" ] && cmp -s python/requirements.txt "$TARGET/requirements.txt"; then return; fi
  rm -rf "$TARGET/python"
  python3 -m venv "$TARGET/python" || die 'python3 has no venv: on Debian install python3-venv'
  "$TARGET/python/bin/pip" install --quiet --disable-pip-version-check --requirement python/requirements.txt
  cp python/requirements.txt "$TARGET/requirements.txt"
}

# What go built before it does not build again.
install_go() {
  command -v go >/dev/null || die 'go is missing: install Go 1.26 or newer'
  (cd go && nice -n 10 go build -trimpath -mod=readonly -o "$TARGET/go-redis" .)
}

case "${1:-all}" in
  all) install_python; install_go ;;
  python) install_python ;;
  go) install_go ;;
  *) die "there is no '$1': python, go, or nothing for both" ;;
esac
