#!/usr/bin/env bash
# Installs a real Bluesky server (PDS) and its directory (PLC) from the npm registry into DIR.
#   tests/real/install.sh DIR
# About two minutes once; nothing to do the next time. Needs Node 20 or newer, npm and a C++ compiler.
# Exit codes: 0 it is there; 75 left out, because the disk has no room for it; another: it failed.
set -euo pipefail

PDS=0.4.217  # the newest that runs on Node 20
PLC=0.0.1
NO_ROOM=75
ROOM_KB=1500000  # the packages, npm's cache and the compiler's files, while it is at work

dir=$(realpath -m "${1:?usage: install.sh DIR}")
mkdir -p "$dir"
cd "$dir"
stamp="pds $PDS, plc $PLC, node $(node --version)"
[ "$(cat installed 2>/dev/null)" = "$stamp" ] && exit 0

# two runs at once: the second waits, and then finds the work done
if command -v flock >/dev/null; then
  exec 9>lock
  flock 9
  [ "$(cat installed 2>/dev/null)" = "$stamp" ] && exit 0
fi

# what an earlier run left, which did not come to its end, makes room first
rm -rf node_modules npm-cache package-lock.json installed
free_kb() { df -Pk . | awk 'NR == 2 { print $4 }'; }
if [ "$(free_kb)" -lt "$ROOM_KB" ]; then
  echo "left out: the Bluesky server needs $((ROOM_KB / 1000)) MB to be installed, and $dir has" \
    "$(($(free_kb) / 1000)) MB left"
  exit $NO_ROOM
fi

echo "installing the Bluesky server $PDS into $dir (once, about two minutes; log: $dir/install.log)"
exec 7>&1 8>&2 > install.log 2>&1
ended() {
  local code=$?
  [ ! -e installed ] || return 0
  # a full disk may not have taken the words that say so
  if grep -qE 'ENOSPC|No space left on device|EDQUOT' install.log || [ "$(free_kb)" -lt 50000 ]; then
    rm -rf node_modules npm-cache
    echo "left out: the disk was full before the Bluesky server was installed into $dir" >&7
    exit $NO_ROOM
  fi
  tail -20 install.log >&8
  echo "could not install the Bluesky server: the whole story is in $dir/install.log" >&8
  [ "$code" != $NO_ROOM ] || exit 1
}
trap ended EXIT
cat > package.json <<JSON
{"name": "local-pds", "private": true, "dependencies": {"@atproto/pds": "$PDS", "@did-plc/server": "$PLC"}}
JSON
npm install --ignore-scripts --no-audit --no-fund --omit=dev --omit=optional --no-update-notifier \
  --cache "$dir/npm-cache" --loglevel=warn
rm -rf npm-cache

# The one part that must be compiled. Its prebuilt binary, and the headers that npm would fetch for
# it, come from places that are no registry: the headers of the installed Node come first.
gyp=$(dirname "$(readlink -f "$(command -v npm)")")/../node_modules/node-gyp/bin/node-gyp.js
headers=
for prefix in "$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")" /usr /usr/local; do
  if [ -e "$prefix/include/node/node.h" ]; then
    headers=--nodedir=$prefix
    break
  fi
done
for module in $(find node_modules -type d -name better-sqlite3 -not -path '*/deps/*'); do
  if [ -e "$gyp" ]; then
    (cd "$module" && node "$gyp" rebuild --release $headers)
  else
    (cd "$module" && npm rebuild)
  fi
  # what only the compiler needs
  rm -rf "$module/deps" "$module/build/Release/obj" "$module/build/Release/obj.target"
done
echo "$stamp" > installed
