#!/usr/bin/env bash
# Checks the unit without a running systemd: it parses without a word, and it is hardened so far
# that `systemd-analyze security` shows at most 1.1.
set -euo pipefail
cd "$(dirname "$0")/../.."
unit=systemd/posse-party.service
exposure_max=11 # tenths

if ! command -v systemd-analyze >/dev/null; then
  echo "check.sh: failed: systemd-analyze is missing (Debian: apt-get install systemd)" >&2
  exit 1
fi

# verify wants the program to be there, so a copy of the unit names one that is
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
sed 's|^ExecStart=/usr/local/bin/posse-party|ExecStart=/bin/true|' "$unit" >"$copy/posse-party.service"
if ! grep -q '^ExecStart=/bin/true run$' "$copy/posse-party.service"; then
  echo "check.sh: failed: ExecStart of $unit is not \`/usr/local/bin/posse-party run\`" >&2
  exit 1
fi
# a setting that it does not know is only a warning to it, so any word is a failure
said=$(systemd-analyze verify --man=no "$copy/posse-party.service" 2>&1) || true
if [ -n "$said" ]; then
  printf 'check.sh: failed: systemd-analyze verify says of %s:\n%s\n' "$unit" "$said" >&2
  exit 1
fi
echo "$unit: verify is clean"

level=$(systemd-analyze security --offline=true --no-pager "$unit" | sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
if ! systemd-analyze security --offline=true --no-pager --threshold="$exposure_max" "$unit" >/dev/null; then
  systemd-analyze security --offline=true --no-pager "$unit" | grep '✗' >&2 || true
  echo "check.sh: failed: exposure level of $unit is $level, want at most 1.1" >&2
  exit 1
fi
echo "$unit: exposure level $level, at most 1.1"

if command -v systemd-sysusers >/dev/null; then
  root=$copy/root
  mkdir -p "$root/etc"
  systemd-sysusers --root="$root" --inline "$(grep -v '^#' systemd/posse-party.sysusers.conf)"
  grep -q '^posse-party:' "$root/etc/passwd"
  echo "systemd/posse-party.sysusers.conf: makes the user"
fi
