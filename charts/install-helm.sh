#!/usr/bin/env bash
# Builds helm and puts it at .kvorum/bin/helm, where the tests of the chart look for it beside $HELM and the PATH. Needs Go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly VERSION=v3.22.0
readonly TARGET=.kvorum/bin
if [ -x "$TARGET/helm" ]; then exit 0; fi
command -v go >/dev/null || { echo 'install-helm.sh: go is missing; install Go 1.24 or newer, or helm itself' >&2; exit 2; }
mkdir -p "$TARGET"
# Without these it takes itself for one of Kubernetes 1.20, which the chart refuses in a dry run.
readonly PACKAGE=helm.sh/helm/v3/pkg
for each in chartutil lint/rules; do flags="${flags:-} -X $PACKAGE/$each.k8sVersionMajor=1 -X $PACKAGE/$each.k8sVersionMinor=34"; done
GOBIN=$PWD/$TARGET nice -n 10 go install -ldflags "$flags" "helm.sh/helm/v3/cmd/helm@$VERSION"
"$TARGET/helm" version --short
