#!/usr/bin/env bash
# Packs polyhead for a machine without Open MPI, HDF5, a compiler, a network or root: all that it needs but PyTorch, CUDA and glibc.
#
#   launch/bundle.sh [--torch FOLDER | --build FOLDER] OUT.tar.xz
#
#   --torch FOLDER    the torch to build for, of the version that the other machine has: a folder of site-packages/torch with its
#                     headers, and CUDA's wheels beside it. Default: that of build/release
#   --build FOLDER    packs what is built there already, as build/release
#
# There: unpack, then ./run.sh polyhead run job.yaml. The test programs that want a GPU and tests/gpu travel, too: ./run.sh tests/gpu/check.sh
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=launch/torch.sh
source "$root/launch/torch.sh"

readonly kMostMiB=64
readonly kPrograms=(polyhead test_device test_comm test_model)

usage() { die "$1; usage: launch/bundle.sh [--torch FOLDER | --build FOLDER] OUT.tar.xz"; }

torch='' folder='' packed='' new=0
while (($# > 0)); do
  case $1 in
    -h | --help) awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "${BASH_SOURCE[0]}" && exit 0 ;;
    --torch | --build)
      (($# > 1)) || usage "$1 wants a folder"
      if [[ $1 == --torch ]]; then torch=$2; else folder=$2; fi
      shift
      ;;
    -*) usage "unknown option '$1'" ;;
    *)
      [[ -z $packed ]] || usage "two outputs, '$packed' and '$1'"
      packed=$1
      ;;
  esac
  shift
done
[[ $packed == *.tar.xz ]] || usage "the output must be called .tar.xz, not '$packed'"
[[ -z $torch || -z $folder ]] || usage "--torch builds for a torch, --build takes a build as it is: give one of them"
[[ -d $(dirname "$packed") ]] || die "there is no folder $(dirname "$packed") to write $packed to"

for tool in ompi_info orterun orted ldd strip xz; do
  command -v "$tool" > /dev/null || die "$tool is missing: a bundle takes Open MPI 4, binutils and xz (launch/setup.sh installs the first two)"
done

# A build folder for the torch, unless there is a `folder` already.
choose_folder() {
  [[ -z $folder ]] || return 0
  folder=$root/build/release
  if [[ -n $torch ]]; then
    torch=$(readlink -f "$torch")
    version=$(torch_version "$torch") || die "$torch is no folder of torch: it has no version.py (give .../site-packages/torch)"
    folder=$root/build/torch-$(torch_kind "$version")
    configure_into "$folder" --preset release -ULibTorch_ROOT -DCMAKE_PREFIX_PATH="$torch"
  else
    configure release
  fi
  new=1
}

# Says in `torch` and `version` what the folder builds with.
ask_folder() {
  local wanted=$torch
  [[ -r $folder/CMakeCache.txt ]] || die "$folder is no build folder: it has no CMakeCache.txt"
  torch=$(sed -n 's/^LibTorch_ROOT:PATH=//p' "$folder/CMakeCache.txt")
  [[ ${wanted:-$torch} == "$torch" ]] ||
    die "$wanted cannot be built with, so CMake took $torch: it needs lib/libtorch_cpu.so and include/ATen/ATen.h"
  version=$(torch_version "$torch") || die "torch in '$torch', which $folder was built with, does not tell its version"
}

build_programs() {
  nice cmake --build "$folder" -j "$(build_jobs)" --target "${kPrograms[@]}" > "$folder/bundle.log" 2>&1 ||
    die "the programs could not be built: $(tail -n 20 "$folder/bundle.log")"
}

# A folder of this installation of Open MPI, as pkglibdir.
open_mpi_folder() { ompi_info --parsable --path "$1" | sed -n "s/^path:$1://p"; }

# Whether the other machine has the library, or must use its own: glibc, the compiler's, PyTorch's and CUDA's.
stays_here() { # NAME PATH
  case $1 in
    linux-vdso.* | ld-linux* | libc.so* | libm.so* | libmvec.so* | libpthread.so* | libdl.so* | librt.so* | libutil.so* | libresolv.so* | libanl.so*) ;;
    libstdc++.so* | libgcc_s.so* | libgomp.so* | libcudart* | libcupti* | libnccl* | libcuda.so*) ;;
    *) [[ $(readlink -f "$2") == "$(readlink -f "$torch/..")"/* ]] ;;
  esac
}

# copy_libraries FILES...: the shared libraries that they are loaded with, by the names that they are asked for.
copy_libraries() {
  local name path
  while read -r name path; do
    ! stays_here "$name" "$path" || continue
    [[ $path != not ]] || die "$name is missing on this machine, so it cannot be packed"
    cp -L --no-clobber "$path" "$bundle/lib/$name"
  done < <(for file; do ldd "$file" | awk '$2 == "=>" {print $1, $3}'; done | sort -u)
}

copy_programs() {
  local name
  mkdir -p "$bundle"/{bin,lib,libexec,share}
  for name in "${kPrograms[@]}"; do
    cp "$folder/$name" "$bundle/libexec/" 2> /dev/null || cp "$folder/tests/$name" "$bundle/libexec/" ||
      die "$folder has no $name: build it, or leave out --build"
  done
  strip "$bundle"/libexec/*
  cp "$(readlink -f "$(command -v orterun)")" "$bundle/libexec/mpirun"
  cp "$(readlink -f "$(command -v orted)")" "$bundle/libexec/orted"
  for name in "$bundle"/libexec/*; do
    ln -s ../run.sh "$bundle/bin/$(basename "$name")"
  done
}

# Plugins are found by folder, so ldd of the programs does not know them.
copy_open_mpi() {
  local plugins pmix
  plugins=$(open_mpi_folder pkglibdir)
  cp -rL "$plugins" "$bundle/lib/openmpi"
  cp -rL "$(open_mpi_folder pkgdatadir)" "$bundle/share/openmpi"
  pmix=$(ldd "$plugins"/*pmix*.so | awk '$1 ~ /^libpmix\.so/ {found = $3} END {print found}')
  if [[ -n $pmix ]]; then
    cp -rL "$(dirname "$(readlink -f "$pmix")")/pmix" "$bundle/lib/pmix"
  fi
}

copy_scripts() {
  cp "$root/launch/run_in_bundle.sh" "$bundle/run.sh"
  cp "$root/launch/torch.sh" "$bundle/"
  ln -s ../run.sh "$bundle/bin/machine-python3"
  mkdir -p "$bundle"/tests/{gpu,model}
  cp "$root"/tests/gpu/*.{sh,py} "$bundle/tests/gpu/"
  cp "$root/tests/model/make_reference.py" "$bundle/tests/model/"
  echo "$version" > "$bundle/torch-version"
}

[[ ! -d $packed ]] || usage "$packed is a folder"
# Beside the archive, so that an older one stays until the new one is whole.
part=$packed.part
trap 'rm -f "$part"' EXIT
: > "$part" || die "cannot write $part"
choose_folder
ask_folder
((!new)) || build_programs
bundle=$(mktemp -d "${TMPDIR:-/tmp}/polyhead-bundle-XXXXXX")
trap 'rm -rf "$bundle" "$part"' EXIT
copy_programs
copy_open_mpi
copy_scripts
find "$bundle/libexec" "$bundle/lib" -type f \( -name '*.so*' -o -path '*/libexec/*' \) -print0 > "$bundle/files"
mapfile -d '' -t files < "$bundle/files"
rm "$bundle/files"
copy_libraries "${files[@]}"
say "packing $packed; it takes a minute"
tar -C "$bundle" -c . | xz -T "$(build_jobs)" > "$part"
bytes=$(stat -c %s "$part")
((bytes <= kMostMiB << 20)) || die "$packed would have $bytes bytes, more than $kMostMiB MiB: leave out plugins of Open MPI, or link HDF5 without curl"
mv "$part" "$packed"
say "$packed: for torch $(torch_kind "$version"), $((bytes >> 10)) KiB packed, $(du -sk "$bundle" | cut -f 1) KiB unpacked"
