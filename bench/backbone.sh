#!/usr/bin/env bash
# Measures polyhead's CPU backbone against ONNX Runtime, OpenVINO and LibTorch (optimize_for_inference), side by side:
# ResNet-18, 224x224, fp32, features only, 1 and 2 threads.
#
#   bench/backbone.sh [arguments of bench/backbone.py]      for example --batch 16 32 --threads 1
#
# The last line of output is a JSON object with speeds and ratios. Takes some minutes; wants a machine that does nothing else.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"
cd "$root"

launch/setup.sh
build release --target bench_backbone
bench/setup.sh
folder=$root/runs/bench/backbone
exec "$root/runs/bench/venv/bin/python" bench/backbone.py build/release/bench/bench_backbone "$folder" "$@" < /dev/null
