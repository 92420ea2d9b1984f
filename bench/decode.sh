#!/usr/bin/env bash
# Measures decoding and preprocessing (resize 256, crop 224) on one thread: polyhead against PyTorch's tools.
#
#   bench/decode.sh [ROUNDS [SECONDS [REQUIREMENT...]]]
#
# ROUNDS: 5 when missing; SECONDS: for each turn, 3 when missing. REQUIREMENT: the least ratio of two figures, without which
# the exit code is 1: '500x375 exact/500x375 torchvision=1.5'.
#
# The contestants take turns, so that what else the machine does hits all; the table shows each one's median. The last line
# is a JSON object: images a second by size and contestant. Wants a machine that does nothing else.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"
cd "$root"

rounds=${1:-5}
seconds=${2:-3}
requirements=("${@:3}")
[[ $rounds =~ ^[1-9][0-9]*$ && $seconds =~ ^[1-9][0-9]*$ ]] || die "usage: bench/decode.sh [ROUNDS [SECONDS [REQUIREMENT...]]]"
folder=$root/runs/bench
sizes=("500 375" "1024 768")
contestants=(exact fast torchvision pillow)

launch/setup.sh
build release --target bench_decode
for size in "${sizes[@]}"; do
  read -r width height <<< "$size"
  "$python" bench/make_photos.py "$folder/decode-$width" 200 "$width" "$height" 90
done

turn() { # CONTESTANT FOLDER
  case $1 in
    exact | fast) build/release/bench/bench_decode "$1" "$2" "$seconds" ;;
    *) "$python" bench/decode_peers.py "$1" "$2" "$seconds" ;;
  esac
}

median() { # NUMBER...
  printf '%s\n' "$@" | sort -g | awk '{value[NR] = $1} END {print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2}'
}

declare -A results
for ((round = 1; round <= rounds; ++round)); do
  say "round $round of $rounds"
  for size in "${sizes[@]}"; do
    for contestant in "${contestants[@]}"; do
      results["$size $contestant"]+=" $(turn "$contestant" "$folder/decode-${size% *}")"
    done
  done
done

json=""
printf '\n%-10s %-12s %10s   %s\n' size contestant images/s "all rounds"
for size in "${sizes[@]}"; do
  part=""
  for contestant in "${contestants[@]}"; do
    read -ra numbers <<< "${results["$size $contestant"]}"
    middle=$(median "${numbers[@]}")
    printf '%-10s %-12s %10.1f   %s\n' "${size/ /x}" "$contestant" "$middle" "${numbers[*]}"
    part+="${part:+, }\"$contestant\": $middle"
  done
  json+="${json:+, }\"${size/ /x}\": {$part}"
done
printf '\n'
met=0
"$python" bench/require.py "${requirements[@]}" <<< "{$json}" || met=1
printf '{%s}\n' "$json"
exit "$met"
