# One start of a job, from mpirun to its end: functions for launch/mpirun.sh. Sourced, never run.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables of launch/mpirun.sh

readonly kEndSeconds=10     # for mpirun to end after rank 0 has said that the run is over
readonly kGraceSeconds=5    # between TERM and KILL
readonly kConnectionLost=205  # what mpirun makes of a host that it no longer reaches

signals=0 job='' code=0 began=0 cut=0 watched=1 filter=''
declare -A status=()  # what rank 0 last said, and
status_text=''        # the whole of it

tell() { say "$*" >&2; }

# Sleeps, but not beyond the job's end or a signal.
pause() { # SECONDS
  local sleeper
  sleep "$1" &
  sleeper=$!
  # shellcheck disable=SC2086  # none or one
  wait -n $job "$sleeper" 2> /dev/null
  kill -KILL "$sleeper" 2> /dev/null  # bash may not have become sleep yet; by TERM it would do what this script's traps say
  wait "$sleeper" 2> /dev/null
}

job_lives() { [[ -n $job ]] && kill -0 "$job" 2> /dev/null; }

# A signal for this script becomes USR1 for mpirun, which hands it to every rank. Before rank 0 has begun there is nothing to keep.
pass_on() { # SIGNAL
  ! in_child || exit
  ((++signals))
  job_lives || return 0
  if ((signals > 2)) || [[ $watched == 1 && ! -e $status_file ]]; then
    end_job "$1"
  elif ((signals == 1)); then
    tell "$1: asking the ranks to finish what they are at and to commit it"
    kill -USR1 "$job"
  else
    tell "$1: asking the ranks to stop at once"
    kill -USR1 "$job"
  fi
}

# Variables that decide how a rank computes or talks, for the ranks of other hosts: all shall compute as rank 0 does.
forwarded() {
  local name
  while read -r name; do
    case $name in
      POLYHEAD_STATUS_FILE) ;;  # see job_command
      # Which devices and folders a host has is its own: a list of one host's GPUs, perhaps as UUIDs, is wrong on the next.
      CUDA_VISIBLE_DEVICES | NVIDIA_VISIBLE_DEVICES | NVIDIA_DRIVER_CAPABILITIES | CUDA_MPS_* | CUDA_CACHE_PATH | CUDA_HOME | CUDA_PATH*) ;;
      NVIDIA_* | CUDA_* | CUBLAS_* | CUBLASLT_* | CUDNN_* | NCCL_* | TORCH_* | PYTORCH_* | ATEN_* | C10_* | OMP_* | GOMP_* | KMP_* | \
        MKL_* | ONEDNN_* | DNNL_* | OPENBLAS_* | JSIMD_* | HDF5_* | GLIBC_TUNABLES | UCX_* | FI_* | POLYHEAD_* | LD_LIBRARY_PATH | \
        LD_PRELOAD) printf '%s\n' -x "$name" ;;
    esac
  done < <(compgen -e)
}

# Parameters of Open MPI that nobody has set otherwise.
set_parameter() { # NAME VALUE
  local variable=OMPI_MCA_$1
  [[ -n ${!variable-} ]] || export "$variable=$2"
}

set_parameters() {
  # mpirun notices a cut network within about 10 s; with its defaults after 8 minutes.
  set_parameter oob_tcp_keepalive_time 5
  set_parameter oob_tcp_keepalive_intvl 2
  set_parameter oob_tcp_keepalive_probes 3
  if [[ -n $hostfile ]]; then
    [[ -n ${OMPI_MCA_plm_rsh_agent-} ]] || set_parameter plm_rsh_args "-o BatchMode=yes -o ConnectTimeout=15"
    ((${#hosts[@]} == 1)) || leave_out_bridges "${hosts[@]:1}" -- "${extra[@]}"
  elif [[ -n ${SLURM_JOB_ID-} ]]; then
    leave_out_bridges -- "${extra[@]}"
  elif [[ -d /dev/shm ]]; then
    make_locked /dev/shm polyhead-mpirun && shared=$made && set_parameter btl_vader_backing_directory "$shared"
  fi
}

# mpirun and its own arguments.
job_command() { # ARRAY
  local -n words=$1
  words=(mpirun --bind-to none -x POLYHEAD_STATUS_FILE)
  [[ -z $ranks ]] || words+=(-np "$ranks")
  [[ -z $hostfile ]] || words+=(--hostfile "$folder/hostfile")
  words+=("${extra[@]}")
  mapfile -t -O "${#words[@]}" words < <(forwarded)
}

# Is nothing there, an empty file, or a status that polyhead wrote? A link is replaced, never followed.
is_replaceable() { # FILE
  [[ ! -e $1 || -L $1 ]] && return
  [[ -f $1 ]] && { [[ ! -s $1 ]] || [[ $(head -c 5 "$1") == time= ]]; }
}

# A pipe hides from the ranks that they are on a terminal.
show_bar() {
  [[ ! -t 2 || " ${arguments[*]} " == *" --progress"* ]] || bar=(--progress=bar)
}

start() {
  local command bar=()
  job_command command
  show_bar
  command+=("$program" run "$config" "${existing[@]}" "${bar[@]}" "${arguments[@]}")
  tell "${command[*]}"
  rm -f "$status_file" "$folder/facts" "$folder/said"
  mkfifo "$folder/said"
  quieten "$folder/facts" < "$folder/said" &
  filter=$!
  # A session of its own: Ctrl-C reaches this script alone. Should this script be killed, the job is asked to stop. Open MPI's files go
  # to the job's folder; hosts that Slurm starts would make that, too, and leave it.
  local temporary=$folder
  [[ -z ${SLURM_JOB_ID-} ]] || temporary=${TMPDIR:-/tmp}
  POLYHEAD_STATUS_FILE=$status_file POLYHEAD_LAUNCH=$folder TMPDIR=$temporary setsid setpriv --pdeathsig USR1 "${command[@]}" \
    < /dev/null 2> "$folder/said" &
  job=$!
}

# What rank 0 has said of this attempt, and mpirun of its end.
read_status() {
  local lines=() line
  [[ ! -r $status_file ]] || mapfile -t lines < "$status_file"
  [[ ! -r $folder/facts ]] || mapfile -t -O "${#lines[@]}" lines < "$folder/facts"
  status_text=${lines[*]-}
  status=()
  for line in "${lines[@]}"; do
    [[ $line != ?*=* ]] || status[${line%%=*}]=${line#*=}
  done
}

# Waits for mpirun's end, which may never come when a host is frozen: then it is brought about.
watch() {
  local last='' unchanged=0 ended=0 limit
  while job_lives; do
    pause 1
    read_status
    [[ $status_text == "$last" ]] || unchanged=0
    last=$status_text
    limit=$((${status[comm_timeout]:-60} * 3 / 2 + 5))  # rank 0 itself ends the job after comm.timeout
    case ${status[state]-} in
      ended) ((++ended < kEndSeconds)) || end_job "the run has ended, mpirun has not: a host may be frozen" ;;
      starting | running) ((++unchanged <= limit)) || end_job "rank 0 has been silent for $limit s: its host may be frozen" ;;
    esac
  done
}

end_job() { # REASON
  tell "$1; ending mpirun"
  cut=1
  kill -TERM "$job"
  local second
  for ((second = 0; second < kGraceSeconds; ++second)); do
    job_lives || return 0
    pause 1
  done
  kill -KILL "$job" 2> /dev/null
}

# Processes of this host that were started by this script: mpirun, ranks, connections to other hosts.
own_processes() { grep -lzsxF "POLYHEAD_LAUNCH=$folder" /proc/[0-9]*/environ | cut -d / -f 3; }

# Files in memory by which the ranks of a host talk; a killed rank leaves its own.
segments_of() { # PROCESSES...
  local paths=("${@/#//proc/}")
  paths=("${paths[@]/%//maps}")
  (($# == 0)) || sed -n 's|^.* \(/dev/shm/vader_segment\.[^ ]*\).*|\1|p' "${paths[@]}" 2> /dev/null | sort -u
}

# After mpirun's end: its ranks die by themselves within a second or so, unless they are stopped. Then removes what is left.
end_own_processes() { # MPIRUN
  local pid second segments
  # shellcheck disable=SC2046  # numbers
  segments=$(segments_of $(own_processes))
  for ((second = 0; second < kGraceSeconds; ++second)); do
    [[ -n $(own_processes) ]] || break
    sleep 1
  done
  for pid in $(own_processes); do
    tell "process $pid is left: killing it"
    kill -KILL "$pid" 2> /dev/null
  done
  xargs -r rm -f <<< "$segments"
  rm -rf "$folder"/ompi.* "${TMPDIR:-/tmp}/ompi.$(hostname -s).$EUID/pid.$1"
}

# Until mpirun's last words are out. What still holds the pipe then may be a connection to a frozen host.
end_filter() {
  local tenth
  for ((tenth = 0; tenth < 20; ++tenth)); do
    kill -0 "$filter" 2> /dev/null || break
    sleep 0.1
  done
  kill -KILL "$filter" 2> /dev/null
  wait "$filter" 2> /dev/null
}

# Was the run stopped by a signal that came to a rank and not from here, as a machine sends it that is taken away? USR1 is a request,
# as this script and Slurm hand it on.
was_preempted() {
  ((!signals)) && [[ ${status[stopped_by]-} =~ ^SIG(TERM|INT)\ at\ rank\ ([0-9]+)\ on\ ([^ ]+) ]]
}

# Sets `code`: rank 0's own word where it had one, for mpirun makes 1 of it when it is ended by a signal, and 0 of what it did not start.
settle_code() { # MPIRUN'S
  code=$1
  if was_preempted; then
    status[lost_rank]=${BASH_REMATCH[2]}
    status[lost_host]=${BASH_REMATCH[3]}
  fi
  if [[ -n ${status[no_program]-} ]]; then
    code=$kUsage
  elif [[ -n ${status[lost_node]-} && ${status[code]-} != 0 ]] && ((!signals)); then
    code=$kUnavailable
  elif [[ ${status[state]-} == ended && ${status[code]-} =~ ^[0-9]+$ ]]; then
    ((status[code] == 0 && !cut)) || code=${status[code]}
  elif ((signals > 0 && (cut || code == 138))); then  # by USR1, before there was anybody to catch it
    code=$kPreempted
  elif ((cut || code == kConnectionLost)); then
    code=$kUnavailable
  elif ((code == 0 && watched)); then
    tell "error: mpirun ended with 0, but rank 0 has not said in $status_file that the run is complete: it did not start, or could not write there"
    code=$kUnavailable
  fi
}

run_attempt() {
  local result
  cut=0
  start
  watch
  wait "$job"
  result=$?
  end_own_processes "$job"
  end_filter
  read_status
  job=''
  settle_code "$result"
  [[ ${status[state]-} != running && -z ${status[committed]-} ]] || began=1
}

# Had rank 0 a last word on this attempt? It says itself how to go on.
had_last_word() { [[ ${status[state]-} == ended ]]; }

# What the last attempt came to, as one line.
outcome() {
  local text="the run ended with $code"
  if [[ -n ${status[lost_node]-} ]]; then
    text+=": ${status[lost_node]} was lost"
  elif [[ -n ${status[lost_host]-} ]]; then
    text+=": rank ${status[lost_rank]:-?} on ${status[lost_host]} was lost"
  fi
  [[ -z ${status[committed]-} ]] || text+="; ${status[committed]} of ${status[micro_batches]:-?} micro-batches are kept"
  echo "$text"
}

# A child that bash has just forked still has the traps: ended then, it would do what is this script's.
in_child() { [[ $BASHPID != "$$" ]]; }

clean_up() {
  if ! in_child; then  # `|| return` would not end it: bash goes on where a trap's exit has called this
    rm -rf "$folder" ${shared:+"$shared"}
  fi
}
