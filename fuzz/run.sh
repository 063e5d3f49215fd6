#!/usr/bin/env bash
# Runs each fuzz target for a while and prints what it did. Needs cargo-fuzz and a C++ compiler,
# no nightly: there is no unsafe code here that a sanitizer could watch.
#
# usage: fuzz/run.sh [--dev] [SECONDS [TARGET...]]
#   --dev  builds in a third of the time, and runs a tenth as fast: for a short run
set -uo pipefail
cd "$(dirname "$0")/.."
profile=release options=()
if [ "${1:-}" = --dev ]; then
  profile=debug options=(--dev)
  shift
fi
seconds=${1:-60}
shift $(($# > 0))
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(cargo fuzz list); fi

cargo fuzz build -s none "${options[@]}" || exit
built=fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/$profile
logs=$(mktemp -d)
findings=0
printf '| target | executions | a second | edges | inputs kept | finding |\n|---|---|---|---|---|---|\n'
for target in "${targets[@]}"; do
  log=$logs/$target
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
  finding=none words=()
  [ ! -f "fuzz/dictionaries/$target" ] || words=(-dict="fuzz/dictionaries/$target")
  "$built/$target" "fuzz/corpus/$target" "${words[@]}" -artifact_prefix="fuzz/artifacts/$target/" \
    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 >"$log" 2>&1 ||
    { finding="see $log" findings=$((findings + 1)); }
  awk -v target="$target" -v finding="$finding" '
    /^stat::number_of_executed_units:/ { executions = $2 }
    /^stat::average_exec_per_sec:/ { speed = $2 }
    / cov: / {
      for (field = 1; field < NF; field++) {
        if ($field == "cov:") edges = $(field + 1)
        if ($field == "corp:") { split($(field + 1), parts, "/"); kept = parts[1] }
      }
    }
    END { print "| " target " | " executions " | " speed " | " edges " | " kept " | " finding " |" }
  ' "$log"
done
[ "$findings" = 0 ]
