#!/usr/bin/env bash
# Builds test programs of a sanitizer preset and runs them. Arguments after the targets go to ctest:
#
#   tests/sanitized.sh asan unit_tests -L unit
#   tests/sanitized.sh tsan 'test_data test_run' -R '^(data|run)\.'
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"

preset=${1:?usage: tests/sanitized.sh asan|tsan TARGETS [ctest arguments]}
read -ra targets <<< "${2:?usage: tests/sanitized.sh asan|tsan TARGETS [ctest arguments]}"
shift 2
# With more than 28 random address bits ThreadSanitizer finds no room; containers may not switch them off.
fixed=()
if setarch "$(uname -m)" -R true 2> /dev/null; then
  fixed=(setarch "$(uname -m)" -R)
fi
configure "$preset"
"${fixed[@]}" cmake --build "$root/build/$preset" -j "$(build_jobs)" --target "${targets[@]}"
allow_root_mpi
export TSAN_OPTIONS="suppressions=$root/tests/tsan.supp"
"${fixed[@]}" ctest --test-dir "$root/build/$preset" --parallel "$(nproc)" --output-on-failure --no-tests=error \
  --output-junit "$root/build/$preset/junit.xml" "$@" < /dev/null
