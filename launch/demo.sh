#!/usr/bin/env bash
# From a fresh checkout to a result: sets up, builds, trains a small real ensemble and evaluates it on two ranks.
# Starting it again skips what is there and repeats the run, which takes seconds.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

launch/setup.sh
build release --target polyhead
say "preparing runs/demo: MNIST digits, a trained backbone and five heads"
"$python" tools/make_demo.py runs/demo

flags=(--bind-to none)
if (($(nproc) < 2)); then
  flags+=(--oversubscribe)
fi
allow_root_mpi
say "mpirun -np 2 ${flags[*]} build/release/polyhead run runs/demo/ensemble.yaml --overwrite"
mpirun -np 2 "${flags[@]}" build/release/polyhead run runs/demo/ensemble.yaml --overwrite < /dev/null
say "the result is in $root/runs/demo/result.h5; look at it with  build/release/polyhead info runs/demo/result.h5"
