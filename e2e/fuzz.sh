#!/usr/bin/env bash
# Fuzzes the HTTP surface against its own OpenAPI document: no 5xx, no undocumented status.
# usage: e2e/fuzz.sh [BASE_URL]; without one a server is started on a free port with a new data directory.
# FUZZ_ROLE=admin|write|read|metrics|none: that server needs tokens, and the requests come with one of that role, or with none.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export SCHEMATHESIS_HOOKS=$PWD/e2e/fuzz-hooks.py
readonly VENV=$PWD/node_modules/.cache/fuzz SCHEMATHESIS=4.32.5 EXAMPLES=${FUZZ_EXAMPLES:-50}
work=$(mktemp -d)
server=
cleanup() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

if [ ! -x "$VENV/bin/schemathesis" ]; then
  echo "installing schemathesis into $VENV (once)" >&2
  python3 -m venv "$VENV"
  "$VENV/bin/pip" install --quiet "schemathesis==$SCHEMATHESIS"
fi

readonly ROLE=${FUZZ_ROLE:-} TOKEN=fuzz-0123456789abcdef
tokens=() header=()
if [ -n "$ROLE" ]; then
  other=$([ "$ROLE" = none ] && echo admin || echo "$ROLE")
  # Of those that send no token the document itself is read with one.
  echo "tokens: [{name: fuzz, role: $other, token: $TOKEN}]" >"$work/tokens.yaml"
  tokens=(--set "http.tokensFile=$work/tokens.yaml")
  [ "$ROLE" = none ] || header=(--header "Authorization: Bearer $TOKEN")
fi

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

base=${1:-}
if [ -z "$base" ]; then
  port=$(free_port)
  base=http://127.0.0.1:$port
  PATH="$PWD/node_modules/node/bin:$PATH" node cli/main.ts server --data-dir "$work/data" --http-port "$port" --bootstrap --replication-factor 1 --peer-port 0 \
    --set http.remoteStop=off "${tokens[@]}" >"$work/log" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    if curl -fsS "$base/readyz" >/dev/null 2>&1; then break; fi
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
  done
fi
curl -fsS "$base/livez" >/dev/null
cd "$work" # it leaves a cache where it runs
document=$base/v1/openapi.json
if [ "$ROLE" = none ]; then
  curl -fsS -H "Authorization: Bearer $TOKEN" "$document" >openapi.json
  document=openapi.json
fi
"$VENV/bin/schemathesis" run "$document" --url "$base" "${header[@]}" \
  --checks not_a_server_error,status_code_conformance --max-examples "$EXAMPLES" --seed "${FUZZ_SEED:-1}" --no-color
