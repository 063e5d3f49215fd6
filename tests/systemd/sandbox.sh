#!/usr/bin/env bash
# Runs the integration tests, and with them the daemon that they start, under the restrictions of
# the unit (see sandbox.py). Where the machine can't restrict, one line says so and nothing fails.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v python3 >/dev/null; then
  echo "sandbox: not run: python3 is missing"
  exit 0
fi
built=$(cargo test --locked --test it --no-run 2>&1) || { echo "$built" >&2; exit 1; }
program=$(sed -n 's/.*Executable tests\/it\/main.rs (\(.*\))/\1/p' <<<"$built")
[ -x "$program" ] || { printf 'sandbox.sh: failed: no test program in:\n%s\n' "$built" >&2; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
sandbox=(tests/systemd/sandbox.py --writable "$scratch" --)

code=0
TMPDIR=$scratch "${sandbox[@]}" true || code=$?
if [ "$code" = 125 ]; then
  exit 0 # it has said why
elif [ "$code" != 0 ]; then
  echo "sandbox.sh: failed: \`true\` ends with $code under the restrictions" >&2
  exit 1
fi
# what must be impossible, so that the tests prove something
if "${sandbox[@]}" unshare --user true 2>/dev/null; then
  echo "sandbox.sh: failed: a new namespace was allowed" >&2
  exit 1
fi
TMPDIR=$scratch "${sandbox[@]}" "$program"
