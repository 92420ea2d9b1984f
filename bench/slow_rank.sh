#!/usr/bin/env bash
# Measures what one slow rank in a job of four costs, with computing replaced by sleeping, so that two cores will do.
#
#   bench/slow_rank.sh [MILLISECONDS [FACTOR]]      for one micro-batch, 20; of the slow rank, 4
#
# Total time beside the ideal (work divided by the sum of speeds) for 64, 128 and 512 micro-batches. The last line is a JSON
# object. Takes seconds.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"
cd "$root"

number='^[1-9][0-9]*$'
[[ ${1:-20} =~ $number && ${2:-4} =~ $number ]] || die "usage: bench/slow_rank.sh [MILLISECONDS [FACTOR]]"
launch/setup.sh
build release --target bench_slow_rank
build/release/bench/bench_slow_rank "$@"
