#!/usr/bin/env bash
# Drives the built program against a real Bluesky server, through a proxy that loses answers; then
# kills it in the middle of everything (tests/kill.sh), unless BINARY is given.
#   tests/real/run.sh [SERVER_DIR [BINARY]]
# The server is installed into SERVER_DIR, unless it is there (default: ~/.cache/posse-party/pds);
# the program is built, unless BINARY is given. Without Node, or room for the server, there is nothing
# to drive: one line, and 0.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

node=$(node --version 2>/dev/null || true)
major=${node#v}
major=${major%%.*}
if [ -z "$node" ] || [ "$major" -lt 20 ] || ! command -v npm >/dev/null; then
  echo "left out: the tests against a real Bluesky server need Node 20 or newer, with npm"
  exit 0
fi

cache=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/posse-party/pds}
binary=${2:-}
if [ -z "$binary" ]; then
  (cd "$here/../.." && cargo build --quiet --bin posse-party)
  binary=${CARGO_TARGET_DIR:-$here/../../target}/debug/posse-party
fi
code=0
"$here/install.sh" "$cache" || code=$?
case $code in
  0) ;;
  75) exit 0 ;; # no room: it has said so
  *) exit "$code" ;;
esac
node "$here/drive.mjs" "$(realpath "$binary")" "$cache"
[ -n "${2:-}" ] || "$here/../kill.sh" 40 "" "$cache"
