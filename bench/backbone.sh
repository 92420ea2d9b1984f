#!/usr/bin/env bash
# Measures polyhead's CPU backbone against ONNX Runtime, OpenVINO and LibTorch (optimize_for_inference), side by side:
# ResNet-18, 224x224, fp32, features only, 1 and 2 threads. Before it, where the engine's time goes, and how near its products
# are to what the processor can do (bench/shares.cpp).
#
#   bench/backbone.sh [arguments of bench/backbone.py]      for example --batch 16 32 --threads 1
#
# The last line of output is a JSON object with speeds and ratios. Takes some minutes; wants a machine that does nothing else.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"
cd "$root"

launch/setup.sh
build release --target bench_backbone --target bench_shares
bench/setup.sh
for batch in 1 16 32; do
  build/release/bench/bench_shares "$batch"
done
folder=$root/runs/bench/backbone
exec "$root/runs/bench/venv/bin/python" bench/backbone.py build/release/bench/bench_backbone "$folder" "$@" < /dev/null
