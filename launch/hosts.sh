# The hosts of a job: functions for launch/mpirun.sh. Sourced, never run.
# shellcheck shell=bash
# shellcheck disable=SC2154  # variables of launch/mpirun.sh

readonly kProbeSeconds=10

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

# The first host has rank 0, and rank 0 the status file. Restarts may leave hosts out, so they work on a copy.
use_hosts() {
  watched=1
  if [[ -n $hostfile ]]; then
    cp "$hostfile" "$folder/hostfile"
    local first host
    for host in $(hosts_of "$folder/hostfile"); do
      # ssh would take a word that begins with - for an option, which may name a command.
      [[ $host =~ ^[[:alnum:]][[:alnum:]._:@-]*$ ]] || usage_error "$hostfile: '$host' is no name or address of a host"
    done
    first=$(hosts_of "$folder/hostfile" | head -n 1)
    [[ -n $first ]] || usage_error "$hostfile names no host"
    is_here "$first" || watched=0
    ((watched)) || tell "rank 0 is on $first, not here: a frozen host cannot be noticed from here, nor a last exit code be kept"
  elif [[ -z $ranks && -z ${SLURM_JOB_ID-} ]]; then
    ranks=$(ranks_of_this_host)
  fi
}

where() {
  if [[ -n $hostfile ]]; then
    hosts_of "$folder/hostfile" | paste -sd ' '
  else
    hostname
  fi
}

# The name that a host gives itself; nothing where it does not answer in time.
name_of() {
  local agent
  if is_here "$1"; then
    hostname
  else
    read -ra agent <<< "${OMPI_MCA_plm_rsh_agent:-ssh -o BatchMode=yes -o ConnectTimeout=$kProbeSeconds}"
    timeout -k 1 "$kProbeSeconds" "${agent[@]}" "$1" hostname < /dev/null 2> /dev/null
  fi
}

# Takes the host that the last attempt lost, and those that no longer answer, out of the hostfile, as long as one is left.
leave_out_lost_hosts() {
  [[ -n $hostfile ]] || return 0
  local host name reason left
  for host in $(hosts_of "$folder/hostfile"); do
    name_of "$host" > "$folder/name-$host" &
  done
  wait
  for host in $(hosts_of "$folder/hostfile"); do
    name=$(< "$folder/name-$host")
    if [[ -z $name ]]; then
      reason="it does not answer within $kProbeSeconds s"
    elif [[ -n ${status[lost_host]-} && (${status[lost_host]} == "$name" || ${status[lost_host]} == "$host") ]]; then
      reason="the job lost a rank there"
    else
      continue
    fi
    left=$(awk -v lost="$host" '{line = $0; sub(/#.*/, "")} NF && $1 != lost {print line}' "$folder/hostfile")
    [[ -n $left ]] || break
    printf '%s\n' "$left" > "$folder/hostfile"
    tell "going on without $host: $reason"
  done
  fit_ranks
}

# No more ranks than the hosts that are left have slots.
fit_ranks() {
  local slots
  slots=$(slots_of "$folder/hostfile")
  if [[ -n $ranks && -n $slots ]] && ((slots < ranks)); then
    ranks=$slots
  fi
}
