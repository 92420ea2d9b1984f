#!/usr/bin/env bash
# Makes runs/bench/venv, where the contestants of bench/run.sh live. Does nothing where it is up to date.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"

venv=$root/runs/bench/venv
stamp=$venv/polyhead-requirements.sha256
wanted=$(cat "$root/launch/requirements.txt" "$root/bench/requirements.txt" | sha256sum)

modules='daft, h5py, onnx, onnxruntime, openvino, ray.data, skimage, sklearn, torch, torchvision, yaml'

# Finds the packages without loading them, which takes seconds.
has_all() {
  "$venv/bin/python" -c 'import importlib.util, sys
sys.exit(not all(importlib.util.find_spec(name.split(".")[0]) for name in sys.argv[1].split(", ")))' "$modules" 2> /dev/null
}

if [[ -e $stamp && $(< "$stamp") == "$wanted" ]] && has_all; then
  say "contestants: runs/bench/venv is up to date"
  exit
fi

say "contestants: filling runs/bench/venv with Daft, Ray Data, ONNX Runtime, OpenVINO and what they need"
rm -rf "$venv"
python3 -m venv "$venv" || die "python3 -m venv $venv failed; what it said is above"
# Where polyhead's own .venv exists, its packages are seen from here: the very same PyTorch, and 5.4 GB less to fetch.
# pip takes them for installed, and puts what is missing, or has another version, into this venv, which comes first.
if [[ -x $python ]]; then
  purelib='import sysconfig; print(sysconfig.get_paths()["purelib"])'
  "$python" -c "$purelib" > "$("$venv/bin/python" -c "$purelib")/polyhead.pth"
fi
"$venv/bin/python" -m pip install --quiet --no-input \
  -r "$root/launch/requirements.txt" -r "$root/bench/requirements.txt" ||
  die "pip could not install bench/requirements.txt; what it said is above. It needs PyPI or the mirror in pip's configuration."
"$venv/bin/python" -c "import $modules" || die "the contestants are installed, but do not load; what Python said is above"
echo "$wanted" > "$stamp"
say "contestants: runs/bench/venv is ready"
