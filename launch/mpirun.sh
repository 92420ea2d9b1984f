#!/usr/bin/env bash
# Starts `polyhead run` under mpirun, watches it, and goes on by itself after a lost rank or host.
#
#   launch/mpirun.sh [options] CONFIG [arguments of polyhead run]
#
#   -n, --ranks N         default: every slot of the hostfile; else one a GPU; else one for each 4 cores
#   --hostfile FILE       hosts and slots, as in launch/hostfile.example; start it on the first of them
#   --max-restarts N      how often to go on after a lost rank or host, without that host until it answers again; default 0
#   --restart-delay S     seconds before the first restart, doubled each time, at most 60; default 5
#   --fresh               only begin: fail when the output is there. Without it --resume=auto goes on or begins
#   --oversubscribe       more ranks than slots
#   --mca NAME VALUE      handed to mpirun, as is  -x NAME[=VALUE]
#   --program FILE        default: $POLYHEAD, or build/release/polyhead
#
# TERM, INT and HUP let the ranks finish what they are at and commit it (exit code 75); a second one stops them at once. Ends with
# polyhead's exit code. docs/launching.md has the rest.
set -uo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=launch/folder.sh
source "$root/launch/folder.sh"
# shellcheck source=launch/hosts.sh
source "$root/launch/hosts.sh"
# shellcheck source=launch/network.sh
source "$root/launch/network.sh"
# shellcheck source=launch/quiet.sh
source "$root/launch/quiet.sh"
# shellcheck source=launch/job.sh
source "$root/launch/job.sh"

readonly kUsage=64 kUnavailable=69 kPreempted=75

usage_error() {
  printf '[polyhead] error: %s\n' "$*; launch/mpirun.sh --help tells more" >&2
  exit "$kUsage"
}

# The comment above.
show_usage() { awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "${BASH_SOURCE[0]}"; }

number() { # OPTION VALUE LEAST
  if ! [[ $2 =~ ^[0-9]{1,9}$ ]] || ((10#$2 < $3)); then
    usage_error "$1 wants a whole number of at least $3, not '$2'"
  fi
}

ranks='' hostfile='' max_restarts=0 delay=5 config='' program=${POLYHEAD:-$root/build/release/polyhead}
existing=(--resume=auto) arguments=() extra=()

# What becomes of an output that is there is kept apart from the other arguments: a restart must not say --overwrite again.
read_arguments() {
  while (($# > 0)) && [[ -z $config ]]; do
    case $1 in
      -h | --help) show_usage && exit 0 ;;
      --fresh) existing=() ;;
      --overwrite | --resume | --resume=*) existing=("$1") ;;
      --oversubscribe) extra+=("$1") ;;
      -n | -np | --ranks | --hostfile | --max-restarts | --restart-delay | --program | --mca | -x)
        (($# > 1)) || usage_error "$1 wants a value"
        case $1 in
          -n | -np | --ranks) number "$1" "$2" 1 && ranks=$2 ;;
          --hostfile) hostfile=$2 ;;
          --max-restarts) number "$1" "$2" 0 && max_restarts=$2 ;;
          --restart-delay) number "$1" "$2" 0 && delay=$2 ;;
          --program) program=$2 ;;
          -x) extra+=("$1" "$2") ;;
          --mca)
            (($# > 2)) || usage_error "--mca wants a name and a value"
            extra+=("$1" "$2" "$3")
            [[ $2 == plm_rsh_agent ]] && export OMPI_MCA_plm_rsh_agent=$3
            shift
            ;;
        esac
        shift
        ;;
      -*) usage_error "unknown option '$1' (those of polyhead run come after CONFIG)" ;;
      *) config=$1 ;;
    esac
    shift
  done
  [[ -n $config ]] || usage_error "no CONFIG"
  local argument
  for argument; do
    case $argument in
      --overwrite | --resume | --resume=*) existing=("$argument") ;;
      *) arguments+=("$argument") ;;
    esac
  done
}

# How many GPUs of `nvidia-smi -L`'s list CUDA shows to one process: all whole ones; where MIG divides all of them, one instance.
visible_gpus() {
  awk '/^GPU/ { if (boards++ && !divided) whole++; divided = 0 }  /^ +MIG/ { divided = 1 }
       END { if (boards && !divided) whole++; print whole ? whole : (boards ? 1 : 0) }'
}

# Ranks for this host alone.
ranks_of_this_host() {
  local gpus=0 threads=4 list
  if command -v nvidia-smi > /dev/null; then
    list=$(timeout 20 nvidia-smi -L 2> /dev/null)
    gpus=$(visible_gpus <<< "$list")
    if ((gpus == 1)) && grep -q '^ *MIG' <<< "$list"; then
      tell "MIG divides the GPUs, and CUDA shows a process one instance: without -n that is one rank (docs/launching.md)"
    fi
    [[ -z ${CUDA_VISIBLE_DEVICES-} ]] || gpus=$(tr ',' '\n' <<< "$CUDA_VISIBLE_DEVICES" | sed 's/^MIG-.*/MIG/' | sort -u | grep -c .)
  fi
  echo $((gpus > 0 ? gpus : ($(nproc) + threads - 1) / threads))
}

# May another attempt end better? Not where the job itself is wrong (64 to 78 but 69), nor where a user or the clock stopped it.
worth_another() { # CODE
  ((!signals)) || return 1
  (($1 == kUnavailable || $1 >= 128)) || { (($1 == kPreempted)) && was_preempted; }
}

# For messages of the ranks: what goes on with this job. A script that started this one has the first word.
name_command() { # ARGUMENTS...
  local words=("$0") argument
  for argument; do
    case $argument in
      --fresh | --overwrite | --resume | --resume=* | --retry-bad) ;;
      *) words+=("$argument") ;;
    esac
  done
  [[ -n ${POLYHEAD_COMMAND-} ]] || printf -v POLYHEAD_COMMAND ' %q' "${words[@]}"
  export POLYHEAD_COMMAND=${POLYHEAD_COMMAND# }
}

read_arguments "$@"
name_command "$@"
[[ -x $program ]] || usage_error "$program is no program: build it (cmake --build --preset release), or say --program"
command -v mpirun > /dev/null || usage_error "mpirun is not in PATH: run launch/setup.sh, or load your cluster's MPI module"
[[ -z $hostfile || -r $hostfile ]] || usage_error "cannot read the hostfile $hostfile"
is_replaceable "${POLYHEAD_STATUS_FILE-}" ||
  usage_error "POLYHEAD_STATUS_FILE is $POLYHEAD_STATUS_FILE, which is there and no status file of polyhead's: choose another name"
[[ -z ${POLYHEAD_STATUS_FILE-} || -w $(dirname "$POLYHEAD_STATUS_FILE") ]] ||
  usage_error "POLYHEAD_STATUS_FILE is $POLYHEAD_STATUS_FILE, whose folder is not there or cannot be written: without it the job's end would stay unknown"

exec < /dev/null  # what a loop around this script reads its configurations from is not for ssh and mpirun
remove_leftovers
make_folder polyhead-mpirun
status_file=${POLYHEAD_STATUS_FILE:-$folder/status}
trap clean_up EXIT
trap 'pass_on HUP' HUP
trap 'pass_on INT' INT
trap 'pass_on TERM' TERM
trap 'pass_on USR1' USR1
allow_root_mpi
use_hosts
set_parameters

restarts=0
while true; do
  run_attempt
  if ! worth_another "$code" || ((restarts >= max_restarts)); then
    break
  fi
  ((++restarts))
  choose_hosts || { code=$kUnavailable && break; }
  ((!began)) || existing=(--resume)
  tell "$(outcome); restart $restarts of $max_restarts in $delay s on $(where)"
  pause "$delay"
  ((!signals)) || { code=$kPreempted && break; }
  delay=$((delay * 2 > 60 ? 60 : delay * 2))
done
((code == 0 || restarts == 0)) || tell "$(outcome); no restart is left or would help"
((code == 0 || !began)) || had_last_word || tell "$(outcome). To go on: $POLYHEAD_COMMAND"
exit "$code"
