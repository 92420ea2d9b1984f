#!/usr/bin/env bash
# Hides this machine's Open MPI, PMIx and HDF5 in the mount namespace that it is started in, then runs a command:
#
#   unshare --mount tests/e2e/support/hide_mpi.sh COMMAND [ARGUMENTS...]
set -euo pipefail

# Folders first asked for, then hidden: the question needs them.
plugins=$(ompi_info --parsable --path pkglibdir | sed -n 's/^path:pkglibdir://p')
shared=$(ompi_info --parsable --path pkgdatadir | sed -n 's/^path:pkgdatadir://p')
mapfile -t programs < <(for name in mpirun orterun orted; do readlink -f "$(command -v "$name")"; done | sort -u)
mapfile -t libraries < <(ldconfig -p | awk '$NF ~ /\/lib(mpi|open-rte|open-pal|mca_common|pmix|hdf5|hwloc|event|fabric|ucp|uct|ucs)[^\/]*$/ {print $NF}' |
  xargs -n 1 readlink -f | sort -u)

for file in "${programs[@]}" "${libraries[@]}"; do
  mount --bind /dev/null "$file"
done
for folder in "$plugins" "$shared"; do
  mount -t tmpfs none "$folder"
done
exec "$@"
