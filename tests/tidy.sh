#!/usr/bin/env bash
# Looks through the code with clang-tidy; .clang-tidy has the rules. Needs no build.
#
#   tests/tidy.sh [--since COMMIT] [--only PATTERN] [--seconds N]
#
# Without --since: every file of src, tests and bench, with their headers. With it: the modules of which a file differs from COMMIT, those
# with the latest changes first. PATTERN, of grep -E, chooses among the paths of files and units. Files of a module are read eight at a
# time, as the sanitizers compile them: most of the time goes into the headers of libraries. After N seconds nothing new begins, and what
# is left out is told. Exit code 1 if anything was found.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"
cd "$root"

usage="usage: tests/tidy.sh [--since COMMIT] [--only PATTERN] [--seconds N]"
since='' only=. seconds=86400
while (($# > 0)); do
  case "$1" in
    --since) since=$(git rev-parse --verify --quiet "${2:?$usage}^{commit}") || die "there is no commit $2" ;;
    --only) only=${2:?$usage} ;;
    --seconds) seconds=${2:?$usage} ;;
    *) die "unknown argument '$1'; $usage" ;;
  esac
  shift 2
done
command -v clang-tidy > /dev/null || die "clang-tidy is missing; launch/setup.sh --dev installs it"
configure tidy
# Units of several files lie there; clang-tidy takes the rules of the folder in which a unit lies.
ln -sf "$root/tests/.clang-tidy" build/tidy/tests/.clang-tidy

# What the compile database names: files, and units that include several.
all_units() {
  "$python" -c 'import json, sys; print("\n".join(sorted({each["file"] for each in json.load(open(sys.argv[1]))})))' \
    build/tidy/compile_commands.json
}

# Folders of code in which something differs, the latest first: src/run, tests/comm, bench.
changed_folders() {
  { git ls-files --others --exclude-standard -- src include tests bench
    git diff --name-only HEAD -- src include tests bench
    git log --name-only --format= "$since..HEAD" -- src include tests bench
  } | grep -E '\.(cpp|hpp)$' | sed -E 's|^include/polyhead/|src/|; s|^((src\|tests)/[^/]+\|bench)/.*|\1|' | awk '!seen[$0]++'
}

# A unit belongs to the folder of the files that it includes.
folder_of() { # UNIT
  local file
  file=$(grep -m 1 -oE '"[^"]+\.cpp"' "$1" | tr -d '"' || true)
  [[ $1 == */Unity/* ]] || file=$1
  sed -E "s|^$root/||; s,^((src|tests)/[^/]+|bench)/.*,\1," <<< "$file"
}

changed_units() {
  local unit folder found
  found=$(while read -r unit; do printf '%s %s\n' "$(folder_of "$unit")" "$unit"; done)
  changed_folders | while read -r folder; do
    awk -v folder="$folder" '$1 == folder { print $2 }' <<< "$found"
  done
}

units=$(all_units | grep -E "$only") || die "no path matches '$only'"
if [[ -n $since ]]; then units=$(changed_units <<< "$units"); fi
[[ -n $units ]] || { say "clang-tidy: nothing has changed"; exit 0; }

log=build/tidy/log
rm -rf "$log"
mkdir -p "$log"
look() { # UNIT
  local unit=$1 name
  name=$(sed -E "s|^$root/||; s|build/tidy/||; s|/CMakeFiles/\|/Unity/\|/|_|g" <<< "$unit")
  ((SECONDS < seconds)) || { touch "$log/$name.left"; return; }
  # A unit of several files includes them by name.
  clang-tidy -p build/tidy --quiet --extra-arg=-Wno-unknown-warning-option --checks=-bugprone-suspicious-include "$unit" \
    > "$log/$name.txt" 2> "$log/$name.err" || touch "$log/$name.failed"
}

SECONDS=0 running=0
while read -r unit; do
  ((running < $(nproc))) || { wait -n; running=$((running - 1)); }
  look "$unit" &
  running=$((running + 1))
done <<< "$units"
wait

count() { find "$log" -name "$1" | wc -l; }
find "$log" -name '*.txt' -exec cat {} + | sed -E "s|$root/||" | awk '!seen[$0]++' > "$log/all"
say "clang-tidy: $(count '*.txt') of $(wc -l <<< "$units") units in $SECONDS s; $(grep -cE ' (error|warning): ' "$log/all" || true) findings; left out for lack of time: $(count '*.left')"
if (($(count '*.failed') > 0)); then
  cat "$log/all"
  find "$log" -name '*.failed' -size 0 | while read -r failed; do
    [[ -s ${failed%.failed}.txt ]] || cat "${failed%.failed}.err" # it found nothing, and ended
  done
  exit 1
fi
