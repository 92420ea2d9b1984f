#!/usr/bin/env bash
# What only a GPU can show, in one command of at most 8 minutes: correctness, bits and speed of the CUDA back end on this machine.
#
#   tests/gpu/check.sh [--dry-run] [OUT_FOLDER]
#
#   --dry-run    every step with tiny sizes on pretended GPUs (polyhead_nccl_double), PyTorch on the CPU; shows that the check itself works
#   OUT_FOLDER   results.jsonl, summary.txt and a log for each step; default build/gpu-check, without a build gpu-check
#
# Each step has a limit of its own, and a failed one does not end the others. Ends with 1 when a step has failed. Variables:
#   POLYHEAD         the program            POLYHEAD_TESTS   folder of test_device, test_comm and test_model
#   POLYHEAD_PYTHON  a python3 with torch, torchvision, h5py, safetensors and Pillow   MPIEXEC  mpirun
# A bundle (launch/bundle.sh) sets all of them; else they are taken from build/release and .venv. docs/gpu-check.md has the rest.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
readonly kSkipped=77 kTimedOut=124 kKilled=137 kTotal=470

usage_error() {
  printf '[gpu-check] error: %s; usage: tests/gpu/check.sh [--dry-run] [OUT_FOLDER]\n' "$*" >&2
  exit 64
}

dry=0 out=''
for argument; do
  case $argument in
    -h | --help) awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "${BASH_SOURCE[0]}" && exit 0 ;;
    --dry-run) dry=1 ;;
    -*) usage_error "unknown option '$argument'" ;;
    *)
      [[ -z $out ]] || usage_error "two folders, '$out' and '$argument'"
      out=$argument
      ;;
  esac
done

build=$root/build/release
if ((dry)); then
  program=${POLYHEAD_NCCL_DOUBLE:-$build/tests/polyhead_nccl_double} named=POLYHEAD_NCCL_DOUBLE
else
  program=${POLYHEAD:-$build/polyhead} named=POLYHEAD
fi
python=${POLYHEAD_PYTHON:-$root/.venv/bin/python}
[[ -x $python ]] || python=$(command -v python3) || usage_error "no python3: set POLYHEAD_PYTHON"
[[ -x $program ]] || usage_error "$program is no program: build it, or name another in $named"
[[ -n $out || ! -d $root/build ]] || out=$root/build/gpu-check
out=${out:-gpu-check}
{ mkdir -p "$out" && : > "$out/results.jsonl"; } || usage_error "cannot write to $out"
out=$(cd "$out" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/polyhead-gpu-check-XXXXXX") || usage_error "no room for the job's files"
trap 'rm -rf "$work"' EXIT

export CHECK_DRY=$dry CHECK_WORK=$work CHECK_OUT=$out CHECK_PROGRAM=$program PYTHONUNBUFFERED=1 OMP_WAIT_POLICY=PASSIVE
export CHECK_TESTS=${POLYHEAD_TESTS:-$build/tests} CHECK_MPIEXEC=${MPIEXEC:-mpirun}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PYTHONDONTWRITEBYTECODE=1

failed=() running=''

interrupted() {
  trap '' INT TERM HUP
  [[ -z $running ]] || { kill "$running" && wait "$running"; } 2> /dev/null
  printf '\nstopped; what was found is in %s\n' "$out/results.jsonl"
  exit 130
}
trap interrupted INT TERM HUP

# give_up WHY: what comes next would show nothing.
give_up() {
  printf 'FAILED: %s: %s; the log is in %s\n' "${failed[*]}" "$1" "$out"
  exit 1
}

# verdict_of CODE: the word that stands in results.jsonl.
verdict_of() {
  case $1 in
    0) echo ok ;;
    "$kSkipped") echo skipped ;;
    "$kTimedOut" | "$kKilled") echo "timed out" ;;
    *) echo failed ;;
  esac
}

# step LIMIT NAME SCRIPT [ARGUMENTS...]: runs a Python file of this folder for at most LIMIT seconds.
step() {
  local limit=$1 name=$2 script=$3 start=$SECONDS code=$kTimedOut left=$((kTotal - SECONDS)) verdict
  shift 3
  ((!dry)) || limit=$((3 * limit))  # many tests may run beside it
  ((limit <= left)) || limit=$left
  printf '== %s\n' "$name"
  if ((limit > 0)); then
    CHECK_STEP=$name timeout -k 5 "$limit" "$python" "$here/$script.py" "$@" < /dev/null > "$out/$name.log" 2>&1 &
    running=$!
    wait "$running"  # not in the foreground: a signal shall end it
    code=$?
    running=''
    tail -n 12 "$out/$name.log"
  fi
  verdict=$(verdict_of "$code")
  printf '{"step": "%s", "verdict": "%s", "seconds": %d}\n' "$name" "$verdict" $((SECONDS - start)) >> "$out/results.jsonl"
  printf '   %s after %d s\n' "$verdict" $((SECONDS - start))
  [[ $verdict == ok || $verdict == skipped ]] || failed+=("$name")
}

# In the order of what one wants to know first, should the time not suffice.
step 40 facts facts
((${#failed[@]} == 0)) || give_up 'this machine lacks what the check needs'
step 60 unit_tests unit_tests
step 90 make_job make_job
[[ ${failed[*]} != *make_job* ]] || give_up 'without its files there is nothing to compute'
step 45 first_run runs first
step 45 same_bits_again runs again
step 60 against_torch against_torch
step 45 same_bits_two_ranks_one_gpu runs shared
step 45 same_bits_nccl_alone runs nccl_alone
step 45 large_batch runs large_batch
step 30 small_images runs small_images
step 60 same_bits_any_first_head first_head
step 45 special_values special_values
step 60 two_gpus runs two_gpus
step 40 device_limit device_limit
step 90 speed_polyhead speed_polyhead
step 90 speed_torch_forward speed_forward
step 90 speed_torch_loader speed_loader
step 60 sanitizer sanitizer

CHECK_STEP=summary "$python" "$here/summary.py" > "$out/summary.txt" || failed+=(summary)
cat "$out/summary.txt"
printf 'all in %d s; results in %s\n' "$SECONDS" "$out"
if ((${#failed[@]})); then
  printf 'FAILED: %s\n' "${failed[*]}"
  exit 1
fi
