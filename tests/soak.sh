#!/usr/bin/env bash
# What takes too long for each run of the tests: 200 kills, every grid, every fault of the output's disk, and faults at random for a while.
#
#   tests/soak.sh [MINUTES]      # of faults at random, 20; the rest takes longer
#
# Prints figures, and fails where a promise is broken.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"
cd "$root"
exec < /dev/null
allow_root_mpi

build release --target polyhead polyhead_fault_shim polyhead_nccl_double
demo=build/release/demo
[[ -e $demo/ensemble.yaml ]] || "$python" tools/make_demo.py "$demo"
export POLYHEAD=$root/build/release/polyhead POLYHEAD_DEMO=$root/$demo OMP_WAIT_POLICY=PASSIVE
export POLYHEAD_FAULT_SHIM=$root/build/release/tests/libpolyhead_fault_shim.so

failed=()
part() { # NAME COMMAND...
  say "== $1"
  "${@:2}" || failed+=("$1")
}
part "200 kills, each job resumed until it is complete" env POLYHEAD_KILLS=200 "$python" tests/e2e/kill_test.py
export POLYHEAD_LONG=1 POLYHEAD_NCCL_DOUBLE=$root/build/release/tests/polyhead_nccl_double
part "the same bytes on every grid" "$python" tests/e2e/grid_test.py
part "each fusion rule on every grid" "$python" tests/e2e/rules_test.py
part "every format at ImageNet's sizes" "$python" tests/e2e/formats_test.py
part "20 kills of ranks that write" "$python" tests/e2e/writers_test.py
part "every call on the output fails once with every error" env POLYHEAD_FAULTS=all "$python" tests/e2e/faults_test.py
part "faults at random" "$python" tests/soak/soak.py "${1:-20}"

((${#failed[@]} == 0)) || die "failed: ${failed[*]}"
say "all promises were kept"
