#!/usr/bin/env bash
# Feeds damaged input to the readers of foreign files, built with clang's sanitizers.
#
#   tests/fuzz/run.sh [SECONDS [NAME...]]      SECONDS: of all targets added up, 300 when missing; NAME: targets, all when missing
#
# The time is shared out evenly; building comes before it. Two targets run at a time. What is found new goes to build/fuzz/corpus, a crash's input to build/fuzz/NAME-*. Prints how
# many inputs each target ran; exit code 1 if one crashed, hung or ran out of memory.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../launch/common.sh"
cd "$root"

seconds=${1:-300}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "SECONDS must be a number, not '$seconds'; usage: tests/fuzz/run.sh [SECONDS [NAME...]]"
shift $(($# > 0 ? 1 : 0))
command -v clang++ > /dev/null || die "clang++ is missing; on Debian: apt-get install clang libclang-rt-dev"

names=("$@")
if ((${#names[@]} == 0)); then
  for source in tests/fuzz/*_fuzz.cpp; do
    name=$(basename "$source" _fuzz.cpp)
    names+=("$name")
  done
fi
each=$((seconds / ${#names[@]} > 0 ? seconds / ${#names[@]} : 1))
folder=$root/build/fuzz
build fuzz --target "${names[@]/#/fuzz_}"

run_one() { # NAME
  local name=$1 log=$folder/$1.log found=$folder/corpus/$1
  mkdir -p "$found"
  if "$folder/tests/fuzz/fuzz_$name" -max_total_time="$each" -timeout=20 -rss_limit_mb=2048 -max_len=8192 \
    -artifact_prefix="$folder/$name-" "$found" "tests/fuzz/corpus/$name" > "$log" 2>&1; then
    say "$name: $(grep -m 1 '^Done ' "$log")"
  else
    tail -n 40 "$log" >&2
    say "$name: failed; see $log"
    return 1
  fi
}

failed=0
for ((i = 0; i < ${#names[@]}; i += 2)); do
  jobs=()
  for name in "${names[@]:i:2}"; do
    run_one "$name" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do
    wait "$job" || failed=1
  done
done
exit "$failed"
