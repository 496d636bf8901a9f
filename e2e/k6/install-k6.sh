#!/usr/bin/env bash
# Builds k6 and puts it at .kvorum/bin/k6, where the scenarios look for it beside the PATH. Needs Go 1.24 or newer; 2 minutes, once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly VERSION=v1.8.1
readonly TARGET=.kvorum/bin
if [ -x "$TARGET/k6" ]; then exit 0; fi
command -v go >/dev/null || { echo 'install-k6.sh: go is missing; install Go 1.24 or newer, or k6 itself' >&2; exit 2; }
mkdir -p "$TARGET"
GOBIN=$PWD/$TARGET nice -n 10 go install -trimpath -ldflags '-s -w' "go.k6.io/k6@$VERSION"
"$TARGET/k6" version
