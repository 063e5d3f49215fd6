#!/usr/bin/env bash
# Kills the daemon in the middle of everything, and prints what became of each entry.
#   tests/kill.sh [KILLS [SEED [SERVER_DIR]]]
# 200 kills, unless it is said how many. With SERVER_DIR, where tests/real/install.sh has installed
# it, a real Bluesky server takes the place of its stand-in.
set -euo pipefail
cd "$(dirname "$0")/.."

export POSSE_KILLS=${1:-200}
[ -z "${2:-}" ] || export POSSE_SEED=$2
if [ -n "${3:-}" ]; then
  POSSE_PDS=$(realpath "$3")
  export POSSE_PDS
fi
exec cargo test --locked --quiet --test it -- --nocapture kill::
