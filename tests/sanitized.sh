#!/usr/bin/env bash
# Builds a sanitizer preset and runs its tests. Arguments after the preset go to ctest:
#
#   tests/sanitized.sh asan -L unit
#   tests/sanitized.sh tsan -R '^(data|run|comm)\.'
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"

preset=${1:?usage: tests/sanitized.sh asan|tsan [ctest arguments]}
shift
# With more than 28 random address bits ThreadSanitizer finds no room; containers may not switch them off.
fixed=()
if setarch "$(uname -m)" -R true 2> /dev/null; then
  fixed=(setarch "$(uname -m)" -R)
fi
configure "$preset"
"${fixed[@]}" cmake --build "$root/build/$preset" -j "$(build_jobs)"
allow_root_mpi
export TSAN_OPTIONS="suppressions=$root/tests/tsan.supp"
"${fixed[@]}" ctest --test-dir "$root/build/$preset" --parallel "$(nproc)" --output-on-failure --no-tests=error \
  "$@" < /dev/null
