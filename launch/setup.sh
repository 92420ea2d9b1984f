#!/usr/bin/env bash
# Installs what polyhead needs to be built and run: Debian packages, and LibTorch with Python tools in .venv.
#
#   launch/setup.sh [--dev]      --dev: also what CI needs (clang for fuzzing, clang-format, clang-tidy, shellcheck, pyflakes; iproute2 and Slurm for pretended hosts)
#
# Does nothing where nothing is missing. Never touches anything outside the project but Debian packages.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

packages=(build-essential cmake ninja-build ccache python3 ca-certificates
  libopenmpi-dev openmpi-bin libhdf5-dev libjpeg-dev libpng-dev zlib1g-dev libyaml-cpp-dev libfmt-dev libspdlog-dev
  nlohmann-json3-dev libcli11-dev libxxhash-dev libgtest-dev libgmock-dev)
case "${1-}" in
  '') ;;
  --dev) packages+=(clang clang-format clang-tidy shellcheck pyflakes3 iproute2 slurmctld slurmd slurm-client munge) ;;
  *) die "unknown argument '$1'; usage: launch/setup.sh [--dev]" ;;
esac

venv=$root/.venv
requirements=$root/launch/requirements.txt
stamp=$venv/polyhead-requirements.sha256

# Debian keeps the part of Python that makes a venv in a package of its own.
python_makes_venvs() { python3 -c 'import ensurepip, venv' 2> /dev/null; }

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2> /dev/null) == ?i* ]] || echo "$package"
  done
  python_makes_venvs || echo python3-venv
}

# The words that run a command as root, if that needs no password.
become_root() {
  if ((EUID == 0)); then
    echo env
  elif sudo -n true 2> /dev/null; then
    echo sudo -n env
  else
    return 1
  fi
}

install_packages() {
  local missing as_root
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]} == 0)); then
    say "Debian packages: all there"
    return
  fi
  say "Debian packages missing: ${missing[*]}"
  read -ra as_root < <(become_root) || die "installing them needs root. Run this once, then start again:
  sudo apt-get update && sudo apt-get install -y ${missing[*]}"
  say "installing them with apt-get"
  local apt=("${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -qq)
  "${apt[@]}" update < /dev/null || die "apt-get update failed; is Debian's package server within reach?"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" < /dev/null > /dev/null ||
    die "apt-get could not install ${missing[*]}; what it said is above"
}

check_other_system() {
  local tool
  say "this is no Debian or Ubuntu, so nothing is installed here"
  for tool in c++ cmake ninja mpirun mpicc python3; do
    command -v "$tool" > /dev/null || die "$tool is missing. polyhead needs a C++20 compiler (gcc 11 or newer), CMake 3.22,
  Ninja, Open MPI, HDF5, zlib, yaml-cpp, fmt, spdlog, nlohmann-json, CLI11, xxHash and GoogleTest with their headers, and
  Python 3.10 or newer. On Debian the packages are: ${packages[*]} python3-venv"
  done
}

python_imports_all() {
  "$python" -c 'import h5py, mlxtend, numpy, PIL, safetensors.torch, sklearn, torch, torchvision, yaml' 2> /dev/null
}

fill_venv() { # [--clear]
  python3 -m venv "$@" "$venv" || die "python3 -m venv $venv failed; what it said is above"
  "$python" -m pip install --quiet --no-input -r "$requirements" ||
    die "pip could not install launch/requirements.txt. It needs PyPI (https://pypi.org or the mirror in pip's
  configuration) and about 6 GB of disk. Start again when both are there: what is done is kept."
}

make_venv() {
  local wanted
  wanted=$(sha256sum < "$requirements")
  if [[ -x $python && -e $stamp && $(< "$stamp") == "$wanted" ]]; then
    say "Python packages: .venv is up to date"
    return
  fi
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || die "Python 3.10 or newer is needed; this is $(python3 -V)"
  say "filling .venv with PyTorch and the other packages of launch/requirements.txt (minutes, and 5.4 GB, the first time)"
  rm -f "$stamp"
  fill_venv
  if ! python_imports_all; then
    say ".venv is damaged, perhaps by an interrupted set-up: making it anew"
    fill_venv --clear
    python_imports_all || die "the packages are installed, but do not load: try  $python -c 'import torch, h5py'"
  fi
  echo "$wanted" > "$stamp"
  say "Python packages: .venv is ready"
}

if command -v apt-get > /dev/null && command -v dpkg-query > /dev/null; then
  install_packages
else
  check_other_system
fi
make_venv
