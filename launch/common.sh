# Functions for the scripts of launch/, tests/ and .ci/. Sourced, never run.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # for the scripts that source this
python=$root/.venv/bin/python

say() { printf '[polyhead] %s\n' "$*"; }

die() {
  printf '[polyhead] error: %s\n' "$*" >&2
  exit 1
}

# Open MPI refuses root unless both are set; containers and CI are often root.
allow_root_mpi() {
  if ((EUID == 0)); then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
}

# Compile jobs: one a core, and 2 GiB of free memory for each, which LibTorch's headers need.
build_jobs() {
  local cores gib
  cores=$(nproc)
  gib=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)
  local jobs=$((gib / 2 < cores ? gib / 2 : cores))
  echo $((jobs > 1 ? jobs : 1))
}

# configure PRESET [cmake arguments...]: into build/PRESET.
configure() {
  local preset=$1
  shift
  configure_into "$root/build/$preset" --preset "$preset" "$@"
}

# configure_into FOLDER [cmake arguments...]: quiet unless it fails; the whole text is in FOLDER/configure.log.
configure_into() {
  local folder=$1 log=$1/configure.log
  shift
  local launcher=()
  if command -v ccache > /dev/null; then
    # So that another checkout finds what this one compiled, with precompiled headers, too; also when ninja is called by hand.
    local settings="CCACHE_BASEDIR=$root;CCACHE_NOHASHDIR=1;CCACHE_SLOPPINESS=pch_defines,time_macros"
    launcher=("-DCMAKE_CXX_COMPILER_LAUNCHER=env;$settings;ccache")
  fi
  mkdir -p "$folder"
  (cd "$root" && cmake "$@" -B "$folder" "${launcher[@]}") > "$log" 2>&1 || {
    cat "$log" >&2
    die "CMake could not configure $folder; what it said is above and in $log"
  }
  grep -e '-- polyhead:' "$log" || true
}

# build PRESET [cmake --build arguments...]
build() {
  local preset=$1
  shift
  say "building build/$preset with $(build_jobs) jobs"
  configure "$preset"
  cmake --build "$root/build/$preset" -j "$(build_jobs)" "$@"
}
