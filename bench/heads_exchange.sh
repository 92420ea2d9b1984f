#!/usr/bin/env bash
# Times head groups of 2 ranks: features exchanged against features computed by every rank, with 5 small and with 64 large
# heads, beside the planner's predictions. See heads_exchange.py.
#
#   bench/heads_exchange.sh [--rounds 3] [--folder runs/heads-exchange]
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"
cd "$root"

launch/setup.sh
build release --target polyhead
"$python" bench/heads_exchange.py "$@"
