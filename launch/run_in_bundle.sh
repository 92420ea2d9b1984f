#!/usr/bin/env bash
# Starts what is in this bundle, with this machine's PyTorch; nothing is installed and no root is needed.
#
#   ./run.sh polyhead run job.yaml
#   ./run.sh mpirun -np 2 polyhead run job.yaml
#   ./run.sh tests/gpu/check.sh          # or any other command: bin/ is the first folder of its PATH
#
# POLYHEAD_TORCH names the folder of torch; else python3 is asked. It must be of the version that the bundle was made for.
set -uo pipefail
self=$(readlink -f "${BASH_SOURCE[0]}")
bundle=$(dirname "$self")
name=$(basename "$0")  # the programs of bin/ are links to this file
# shellcheck source=launch/torch.sh
source "$bundle/torch.sh"

readonly kUsage=64 kConfig=78

die() { # CODE TEXT
  printf '[polyhead] error: %s\n' "$2" >&2
  exit "$1"
}

# The folder of a torch that the programs can be loaded with.
choose_torch() {
  local folder wanted found
  folder=${POLYHEAD_TORCH:-$(find_torch)} ||
    die "$kConfig" "python3 has no torch: put one that has it first in PATH, or name torch's folder in POLYHEAD_TORCH"
  found=$(torch_version "$folder") ||
    die "$kConfig" "$folder is no folder of torch (it has no version.py); POLYHEAD_TORCH or python3 named it"
  wanted=$(< "$bundle/torch-version")
  [[ $(torch_kind "$found") == "$(torch_kind "$wanted")" ]] ||
    die "$kConfig" "this bundle was made for torch $wanted, but $folder is torch $found: name another folder in POLYHEAD_TORCH, or make a bundle with launch/bundle.sh --torch FOLDER"
  printf '%s\n' "$folder"
}

# Libraries of the bundle first, then torch's, then those of CUDA, which lie beside it. Only for the bundle's own programs: the
# machine's python3 wants its own libraries.
library_path() {
  local path=$bundle/lib:$POLYHEAD_TORCH/lib folder
  for folder in "$POLYHEAD_TORCH"/../nvidia/*/lib; do
    [[ ! -d $folder ]] || path+=:$folder
  done
  printf '%s\n' "$path${POLYHEAD_LIBRARIES_OF_MACHINE:+:$POLYHEAD_LIBRARIES_OF_MACHINE}"
}

# Open MPI and PMIx look for their parts where they were built; here they are told.
set_open_mpi() {
  export OPAL_PREFIX=$bundle OPAL_LIBDIR=$bundle/lib OPAL_PKGDATADIR=$bundle/share/openmpi
  export OMPI_MCA_mca_base_component_path=$bundle/lib/openmpi PMIX_MCA_mca_base_component_path=$bundle/lib/pmix
  export OMPI_MCA_ess_singleton_isolated=1  # a rank without mpirun starts no daemon
  command -v ssh > /dev/null || export OMPI_MCA_plm=isolated
  ((EUID != 0)) || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
}

[[ $name != run.sh ]] || (($# > 0)) ||
  die "$kUsage" "no command; usage: run.sh COMMAND [ARGUMENTS...], as in run.sh polyhead run job.yaml"
POLYHEAD_TORCH=$(choose_torch) || exit
export POLYHEAD_TORCH
set_open_mpi
case $name in
  run.sh)
    export PATH=$bundle/bin:$PATH POLYHEAD=$bundle/bin/polyhead MPIEXEC=$bundle/bin/mpirun POLYHEAD_TESTS=$bundle/bin
    export POLYHEAD_TEST_DIR=$bundle/tests POLYHEAD_PYTHON=$bundle/bin/machine-python3
    exec "$@"
    ;;
  machine-python3)  # also where a program of the bundle starts it
    export LD_LIBRARY_PATH=${POLYHEAD_LIBRARIES_OF_MACHINE-${LD_LIBRARY_PATH-}}
    exec python3 "$@"
    ;;
  *)
    export POLYHEAD_LIBRARIES_OF_MACHINE=${POLYHEAD_LIBRARIES_OF_MACHINE-${LD_LIBRARY_PATH-}}
    LD_LIBRARY_PATH=$(library_path)
    export LD_LIBRARY_PATH
    exec "$bundle/libexec/$name" "$@"
    ;;
esac
