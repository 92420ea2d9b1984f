#!/usr/bin/env bash
# Sets up, builds and runs every test. Arguments go to ctest:  tests/run.sh -R config
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"

"$root/launch/setup.sh"
build release
allow_root_mpi
ctest --test-dir "$root/build/release" --parallel "$(nproc)" --output-on-failure --no-tests=error \
  --output-junit "$root/build/release/junit.xml" "$@" < /dev/null
