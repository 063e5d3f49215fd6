#!/usr/bin/env bash
# Installs a real Bluesky server (PDS) and its directory (PLC) from the npm registry into DIR.
#   tests/real/install.sh DIR
# About two minutes once; nothing to do the next time. Needs Node 20 or newer, npm and a C++ compiler.
set -euo pipefail

PDS=0.4.217  # the newest that runs on Node 20
PLC=0.0.1

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

echo "installing the Bluesky server $PDS into $dir (once, about two minutes; log: $dir/install.log)"
exec 8>&2 > install.log 2>&1
trap '[ -e installed ] || {
  tail -20 install.log >&8
  echo "could not install the Bluesky server: the whole story is in $dir/install.log" >&8
}' EXIT
rm -rf node_modules package-lock.json installed
cat > package.json <<JSON
{"name": "local-pds", "private": true, "dependencies": {"@atproto/pds": "$PDS", "@did-plc/server": "$PLC"}}
JSON
npm install --ignore-scripts --no-audit --no-fund --loglevel=warn

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
done
echo "$stamp" > installed
