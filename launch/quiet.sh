# What mpirun says, without what only repeats that a rank has ended: functions for launch/mpirun.sh. Sourced, never run.
# shellcheck shell=bash

readonly kRule=--------------------------------------------------------------------------
readonly kPatience=0.2  # seconds for the rest of a line: a progress bar has no end of line

# The rest of a line that begins so.
after() { # TEXT BEGINNING
  sed -n "s/^ *$2 *//p" <<< "$1" | head -n 1
}

# A block of Open MPI's between two rules: drops it, says in a line what is in it, or shows it as it is. FACTS gets lines for
# `read_status`.
show_block() { # BLOCK FACTS
  local node executable
  case $1 in
    'MPI_ABORT was invoked'* | 'Primary job  terminated normally, but '* | *'detected that one or more processes exited'* | \
      *'has exited due to process rank'*) ;;
    *'noticed that process rank'*'exited on signal'*)
      tell "$(sed -n 's/.*process rank \([0-9]*\) .* on node \([^ ]*\) exited on signal \(.*\)\.$/rank \1 on \2 was ended by signal \3/p' <<< "$1")"
      ;;
    *'lost communication with a remote daemon'*)
      node=$(after "$1" 'Remote daemon: .* on node')
      tell "the connection to $node is lost: the host, its network or Open MPI's daemon there has gone"
      echo "lost_node=$node" >> "$2"
      ;;
    *'unable to find the specified executable'* | *'could not access'*'or execute an executable'*)
      node=$(after "$1" Node:) executable=$(after "$1" Executable:)
      tell "error: $executable is not on host $node, or is no program there: all hosts need it, with its libraries, under the same path"
      echo "no_program=$node" >> "$2"
      ;;
    'There are not enough slots'*)
      tell "error: there are fewer slots than ranks: start fewer (-n), give the hosts more (slots= in the hostfile), or say --oversubscribe"
      ;;
    *) printf '%s\n%s%s\n' "$kRule" "$1" "$kRule" >&2 ;;
  esac
}

# Lines that only tell of the end of others.
is_noise() { # LINE
  [[ $1 == 'mpirun: Forwarding signal '*' to job' || $1 == *' total process'*' failed to start' || $1 == *' sent help message help-'* ||
    $1 == *'Set MCA parameter "orte_base_help_aggregate" to 0'* ||
    $1 == '['*']'*btl_tcp*'failed: Connection reset by peer'* || $1 == '['*'ORTE_ERROR_LOG: '*/show_help.c* ]]
}

# From stdin to stderr, until it ends. Signals of a terminal are for the launcher: this passes on the ranks' last words.
quieten() { # FACTS
  trap '' INT TERM HUP USR1
  local LC_ALL=C line block='' inside=0 cut=0 waits=0 code
  while true; do
    IFS= read -r -t "$kPatience" line
    code=$?
    if ((inside)) && [[ $line == "$kRule" ]]; then
      show_block "$block" "$1"
      inside=0
    elif ((code == 0 && !cut && !inside)) && [[ $line == "$kRule" ]]; then
      inside=1 block='' waits=0
    elif ((inside && code > 128 && ++waits > 10)); then  # no block of Open MPI's, which come whole
      printf '%s\n%s%s' "$kRule" "$block" "$line" >&2
      inside=0 cut=1
    elif ((inside)); then
      block+=$line
      ((code != 0)) || block+=$'\n'
    elif ((code == 0)); then
      ((!cut)) && is_noise "$line" || printf '%s\n' "$line" >&2
      cut=0
    elif [[ -n $line ]]; then
      printf '%s' "$line" >&2
      cut=1
    fi
    ((code == 0 || code > 128)) || break
  done
  ((!inside)) || printf '%s\n%s' "$kRule" "$block" >&2
}
