#!/usr/bin/env bash
# Looks through the code with clang-tidy; .clang-tidy has the rules. Needs no build.
#
#   tests/tidy.sh [--since COMMIT] [--only PATTERN] [--seconds N]
#
# Without --since: every file of src, tests and bench, with their headers. With it: those that differ from COMMIT. PATTERN, of grep -E,
# chooses among the paths of files and units. Files of a module are read
# eight at a time, as the sanitizers compile them: most of the time goes into the headers of libraries. After N seconds nothing new
# begins, and what is left out is told. Exit code 1 if anything was found.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"
cd "$root"

usage="usage: tests/tidy.sh [--since COMMIT] [--only PATTERN] [--seconds N]"
since='' only=. seconds=86400
while (($# > 0)); do
  case "$1" in
    --since) since=${2:?$usage} ;;
    --only) only=${2:?$usage} ;;
    --seconds) seconds=${2:?$usage} ;;
    *) die "unknown argument '$1'; $usage" ;;
  esac
  shift 2
done
command -v clang-tidy > /dev/null || die "clang-tidy is missing; launch/setup.sh --dev installs it"
configure tidy

# What the compile database names: files, and units that include several.
all_units() {
  "$python" -c 'import json, sys; print("\n".join(sorted({each["file"] for each in json.load(open(sys.argv[1]))})))' \
    build/tidy/compile_commands.json
}

# A unit counts as changed when one of its files has, or a header beside it.
changed_units() {
  local changed
  changed=$(git diff --name-only "$since" -- src include tests bench | grep -E '\.(cpp|hpp)$' | sed -E 's/\.[ch]pp$//; s|^include/polyhead/|src/|')
  [[ -n $changed ]] || return 0
  local unit
  while read -r unit; do
    if { printf '%s\n' "$unit"; grep -oE '"[^"]+\.cpp"' "$unit" || true; } | tr -d '"' | sed -E "s|^$root/||; s/\.cpp$//" |
      grep -qxFf <(printf '%s\n' "$changed"); then
      printf '%s\n' "$unit"
    fi
  done
}

export log=build/tidy/log
rm -rf "$log"
mkdir -p "$log"
look() { # UNIT
  local unit=$1 name
  name=$(sed -E 's|.*/(polyhead_\|test_)?([a-z0-9_]+)\.dir/Unity/|\2_|; s|.*/(src\|tests\|bench)/||; s|/|_|g' <<< "$unit")
  ((SECONDS < seconds)) || { touch "$log/$name.left"; return; }
  # A unit of several files includes them by name.
  clang-tidy -p build/tidy --quiet --extra-arg=-Wno-unknown-warning-option --checks=-bugprone-suspicious-include "$unit" \
    > "$log/$name.txt" 2> "$log/$name.err" || touch "$log/$name.failed"
}

units=$(all_units | grep -E "$only")
if [[ -n $since ]]; then units=$(changed_units <<< "$units"); fi
[[ -n $units ]] || { say "clang-tidy: nothing to look at"; exit 0; }
running=0
while read -r unit; do
  ((running < $(nproc))) || { wait -n; running=$((running - 1)); }
  look "$unit" &
  running=$((running + 1))
done <<< "$units"
wait

sed -E "s|$root/||" "$log"/*.txt | awk '!seen[$0]++' > "$log/all"
count() { find "$log" -name "$1" | wc -l; }
say "clang-tidy: $(count '*.txt') of $(wc -l <<< "$units") units in $SECONDS s; $(grep -cE ' (error|warning): ' "$log/all" || true) findings; left out for lack of time: $(count '*.left')"
if (($(count '*.failed') > 0)); then
  cat "$log/all"
  exit 1
fi
