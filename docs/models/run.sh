#!/usr/bin/env bash
# Checks the models of this directory with Spin: the protocol as it is has no error, and each rule that is taken out is missed.
#   run.sh            the model, what it must reach, and every fault
#   run.sh --quick    the model and two faults
#   run.sh FAULT      one fault, with the run that shows it (e.g. ONE_SOURCE)
# Exit code 0: all as it should be; 1: something is not; 2: it could not be run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly FAULTS=(ONE_SOURCE DONE_UNCONFIRMED READS_SWITCH_EARLY STAGE_2_HELD_BY_F_ONLY NO_WRITE_BACK SOURCE_NOT_CONFIRMED
  CONFIRMED_BEFORE_DURABLE ACKS_OF_TWO_EPOCHS ACK_BEFORE_DURABLE EMPTIED_TWICE EPOCH_NOT_DURABLE NO_FENCE_ON_READS CANCELLED_AFTER_SWITCH)
readonly QUICK=(ONE_SOURCE DONE_UNCONFIRMED)
readonly REACHES=(DONE CANCELLED CRASH)
readonly MEMORY_MB=3500 DEPTH=100000

say() { printf '%s\n' "$*" >&2; }
die() { say "models: $*"; exit 2; }

install_missing() {
  if command -v spin >/dev/null && command -v gcc >/dev/null; then return; fi
  command -v apt-get >/dev/null || die "spin and gcc are needed: install them (Debian: apt-get install spin gcc libc6-dev)"
  [ "$(id -u)" = 0 ] || die "spin and gcc are needed, and installing them needs root: apt-get install spin gcc libc6-dev"
  say "installing spin and gcc"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends spin gcc libc6-dev >/dev/null
}

# check NAME DEFINES...: 0 where the search is complete and finds no error, 1 where it finds one.
check() {
  local name=$1 out
  shift
  mkdir -p "$work/$name"
  (cd "$work/$name" && spin -a "$@" "$model" >spin.out && gcc -O2 -DSAFETY -DNOREDUCE -DMEMLIM=$MEMORY_MB -o pan pan.c) ||
    die "$name: the model does not compile: $(cat "$work/$name/spin.out")"
  out=$(cd "$work/$name" && ./pan -m$DEPTH -w24 -n) || die "$name: the search ended with code $?"
  summary=$(grep -oE '[0-9.e+]+ states, stored' <<<"$out")
  case "$out" in
    *"Search not completed"*"errors: 0"*|*"max search depth too small"*) die "$name: the search is not complete: raise DEPTH or MEMORY_MB" ;;
    *"errors: 0"*) return 0 ;;
    *"errors: 1"*) return 1 ;;
    *) die "$name: the search said neither: $out" ;;
  esac
}

failures=0
expect() { # expect error|none NAME DEFINES...
  local wanted=$1 name=$2 found=none began=$SECONDS
  shift 2
  check "$name" "$@" || found=error
  local verdict=ok
  [ "$found" = "$wanted" ] || { verdict=WRONG; failures=$((failures + 1)); }
  printf '%-5s  %-32s %-5s  %s, %s s\n' "$verdict" "$name" "$found" "$summary" "$((SECONDS - began))"
}

model=$PWD/move.pml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install_missing
case "${1:-}" in
  ''|--quick)
    [ "${1:-}" = --quick ] && faults=("${QUICK[@]}") || faults=("${FAULTS[@]}")
    expect none move
    for reach in "${REACHES[@]}"; do expect error "reaches-$reach" "-DREACH_$reach"; done
    for fault in "${faults[@]}"; do expect error "$fault" "-DFAULT_$fault"; done
    ;;
  *)
    [[ " ${FAULTS[*]} " = *" $1 "* ]] || die "unknown fault '$1'; there are: ${FAULTS[*]}"
    expect error "$1" "-DFAULT_$1"
    (cd "$work/$1" && cp -- *.trail move.trail && spin -t -k move.trail -g "-DFAULT_$1" "$model" | tail -60)
    ;;
esac
[ "$failures" = 0 ] || { say "models: $failures of the checks above did not come out as they should"; exit 1; }
