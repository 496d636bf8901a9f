#!/usr/bin/env bash
# Takes promtool and prometheus out of Debian's package and puts them into .kvorum/bin, where the tests of the alert rules look for
# promtool beside $PROMTOOL and the PATH. Nothing is installed or started on the machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly TARGET=$PWD/.kvorum/bin
if [ -x "$TARGET/promtool" ]; then exit 0; fi
command -v apt-get >/dev/null || { echo 'install-promtool.sh: no apt-get here; install Prometheus, which brings promtool' >&2; exit 2; }
mkdir -p "$TARGET"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
readonly SANDBOX=APT::Sandbox::User=root # which may write here
apt-get -qq -o "$SANDBOX" download prometheus || { apt-get -qq update && apt-get -qq -o "$SANDBOX" download prometheus; }
dpkg -x prometheus_*.deb .
cp usr/bin/promtool usr/bin/prometheus "$TARGET/"
"$TARGET/promtool" --version | head -1
