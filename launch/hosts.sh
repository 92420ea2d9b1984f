# The hosts of a job: functions for launch/mpirun.sh. Sourced, never run.
# shellcheck shell=bash
# shellcheck disable=SC2154  # variables of launch/mpirun.sh

readonly kProbeSeconds=10
hosts=() asked=() wanted_ranks=''
declare -A out=()  # hosts that are left out, and why

# Host names of a hostfile, in order.
hosts_of() { awk '{sub(/#.*/, "")} NF {print $1}' "$1"; }

# All slots of a hostfile; nothing where a line does not say how many.
slots_of() {
  awk '{sub(/#.*/, "")} !NF {next} {if (!match($0, /slots *= *[0-9]+/)) exit unknown = 1; split(substr($0, RSTART, RLENGTH), part, "="); sum += part[2]}
    END {if (!unknown) print sum}' "$1"
}

# Is the host this one?
is_here() {
  local name
  for name in localhost 127.0.0.1 "$(hostname)" "$(hostname -s)" $(hostname -I 2> /dev/null); do
    [[ $1 != "$name" && $1 != "$name".* ]] || return 0
  done
  return 1
}

# The hosts of a hostfile that are named more than once, with a line that says how many slots: is it one number or a sum?
refuse_hosts_named_twice() {
  local twice
  twice=$(awk '{line = $0; sub(/#.*/, "")} !NF {next} {lines[$1] = lines[$1] (lines[$1] ? ", " : "") NR; ++count[$1]} /slots *=/ {says[$1] = 1}
    END {for (host in count) if (count[host] > 1 && says[host]) {print host, "stands in lines", lines[host]; exit}}' "$hostfile")
  [[ -z $twice ]] || usage_error "$hostfile: $twice: are its slots the last number, or all together? Name each host once, with slots=NUMBER"
}

# The first host has rank 0, and rank 0 the status file. Restarts may leave hosts out, so they work on a copy.
use_hosts() {
  watched=1
  if [[ -n $hostfile ]]; then
    refuse_hosts_named_twice
    cp "$hostfile" "$folder/hostfile"
    local host
    for host in $(hosts_of "$folder/hostfile"); do
      # ssh would take a word that begins with - for an option, which may name a command.
      [[ $host =~ ^[[:alnum:]][[:alnum:]._:@-]*$ ]] || usage_error "$hostfile: '$host' is no name or address of a host"
    done
    mapfile -t hosts < <(hosts_of "$folder/hostfile" | awk '!seen[$0]++')
    ((${#hosts[@]} > 0)) || usage_error "$hostfile names no host"
    cp "$folder/hostfile" "$folder/all-hosts"
    is_here "${hosts[0]}" || watched=0
    ((watched)) || tell "rank 0 is on ${hosts[0]}, not here: a frozen host cannot be noticed from here, nor a last exit code be kept"
  elif [[ -z $ranks && -z ${SLURM_JOB_ID-} ]]; then
    ranks=$(ranks_of_this_host)
  fi
  wanted_ranks=$ranks
}

where() {
  if [[ -n $hostfile ]]; then
    hosts_of "$folder/hostfile" | uniq | paste -sd ' '
  else
    hostname
  fi
}

# Says `answers`, and `program` where the program is there; nothing where the host does not answer in time. Other words, such as a
# shell's greeting, may come with it.
ask_host() { # HOST
  local agent script
  printf -v script 'echo polyhead: answers; test -x %q && echo polyhead: program' "$program"
  if is_here "$1"; then
    sh -c "$script"
  else
    read -ra agent <<< "${OMPI_MCA_plm_rsh_agent:-ssh -o BatchMode=yes -o ConnectTimeout=$kProbeSeconds}"
    printf -v script 'sh -c %q' "$script"
    timeout -k 1 "$kProbeSeconds" "${agent[@]}" "$1" "$script" < /dev/null 2> /dev/null
  fi | sed -n 's/^polyhead: \([a-z]*\)\r*$/\1/p'
}

# Open MPI's name for the host of a rank of the last attempt: the hostfile's, never what the host calls itself, which others may, too.
node_of_rank() { # RANK
  local command
  job_command command
  timeout -k 1 "$kProbeSeconds" "${command[@]}" --do-not-launch --display-map "$program" < /dev/null 2> /dev/null |
    awk -v rank="$1" '/^ *Data for node:/ {node = $4} $0 ~ "Process rank: " rank "( |$)" {print node; exit}'
}

# The host of the hostfile that the last attempt lost; nothing where it is not known.
lost_host() {
  local node=${status[lost_node]-} host
  if [[ -z $node && -n ${status[lost_rank]-} ]]; then
    node=$(node_of_rank "${status[lost_rank]}")
  fi
  [[ -n $node ]] || return 0
  for host in "${hosts[@]}"; do
    if [[ ${host#*@} == "$node" ]] || { [[ $node == "$(hostname)" ]] && is_here "$host"; }; then
      echo "$host"
      return
    fi
  done
}

# Chooses the hosts of the next attempt: not the one that the last attempt lost, nor those that do not answer or lack the program. One
# that was left out earlier is taken back. The first host stays, since weights and output may be there only; fails when it has gone.
choose_hosts() {
  [[ -n $hostfile ]] || return 0
  local host lost reason left=()
  lost=$(lost_host)
  for host in "${hosts[@]}"; do
    ask_host "$host" > "$folder/answer-$host" &
    asked+=("$!")
  done
  wait "${asked[@]}"
  asked=()
  for host in "${hosts[@]}"; do
    reason=''
    if ! grep -q answers "$folder/answer-$host"; then
      reason="it does not answer within $kProbeSeconds s"
    elif ! grep -q program "$folder/answer-$host"; then
      reason="$program is not there"
    elif [[ $host == "$lost" ]]; then
      reason="the job lost a rank there"
    fi
    settle_host "$host" "$reason" || return 1
  done
  for host in "${!out[@]}"; do left+=("$host"); done
  awk -v out=" ${left[*]} " '{line = $0; sub(/#.*/, "")} NF && !index(out, " " $1 " ") {print line}' "$folder/all-hosts" > "$folder/hostfile"
  fit_ranks
}

# Is a host in the next attempt?
settle_host() { # HOST REASON
  if [[ -z $2 ]]; then
    [[ -z ${out[$1]-} ]] || tell "taking $1 back: it answers again"
    unset "out[$1]"
  elif [[ $1 != "${hosts[0]}" ]]; then
    tell "going on without $1: $2"
    out[$1]=$2
  elif [[ $2 == "the job lost a rank there" ]]; then
    tell "$2: $1. It stays, as the first host: weights and output may be there only"
  else
    tell "error: the first host, $1, has rank 0, the weights and the output, and $2. Start again when it is back, or on a host that has them"
    return 1
  fi
}

# No more ranks than the hosts that are left have slots.
fit_ranks() {
  local slots
  slots=$(slots_of "$folder/hostfile")
  ranks=$wanted_ranks
  if [[ -n $ranks && -n $slots ]] && ((slots < ranks)); then
    ranks=$slots
  fi
}
