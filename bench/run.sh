#!/usr/bin/env bash
# Measures polyhead against other ways to do the same job on this machine: JPEG files to a file of fused predictions.
#
#   bench/run.sh [COUNT [arguments of bench/race.py]]      COUNT: number of photographs, 512 when missing
#
# Same weights, same images, same preprocessing, all cores for everybody. Every contestant is tuned first (the trials are
# in runs/bench/sweep.log), then all are run in 3 interleaved rounds. The last line of output is a JSON object, contestant
# to img/s. --require 'Daft=1.3' (NAME=RATIO, also several times) makes the exit code 1 unless polyhead is so many times
# faster than that contestant. A contestant that fails, or whose answers are not the reference's, is shown as failed, and the exit code is 1.
# Takes about an hour on 2 cores; wants a machine that does nothing else.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"
cd "$root"

count=${1:-512}
[[ $count =~ ^[1-9][0-9]*$ ]] || die "COUNT must be a number of photographs, not '$count'; usage: bench/run.sh [COUNT]"
shift $(($# > 0 ? 1 : 0))

launch/setup.sh
build release --target polyhead
bench/setup.sh
allow_root_mpi

folder=$root/runs/bench
bench_python=$folder/venv/bin/python
"$bench_python" bench/make_photos.py "$folder/photos-$count" "$count" 500 375 90
"$bench_python" bench/make_model.py "$folder/model-$count" "$folder/photos-$count"
exec "$bench_python" bench/race.py "$folder/photos-$count" "$folder/model-$count" "$folder" --count "$count" "$@" < /dev/null
