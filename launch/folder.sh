# The job's own folders, and what killed launchers have left of theirs: functions for launch/mpirun.sh. Sourced,
# never run.
# shellcheck shell=bash

readonly kCannotCreate=73
readonly kNeeded=16777216  # bytes in TMPDIR: Open MPI takes half of that

no_folder() { # REASON
  printf '[polyhead] error: TMPDIR, %s: %s. Open MPI needs 16 MiB there: make room, or set TMPDIR to a folder that can be written\n' \
    "${TMPDIR:-/tmp}" "$1" >&2
  exit "$kCannotCreate"
}

# A new folder in BASE. Its lock is held by this script and what it starts, so a lock that nobody holds belongs to a dead job.
make_locked() { # BASE NAME; sets `made`, or says in it why not
  made=$(mktemp -d "$1/$2.$(hostname -s).XXXXXX" 2>&1) || { made=${made##*: } && return 1; }
  local lock
  exec {lock}<> "$made/lock.new" && flock --nonblock "$lock" && mv "$made/lock.new" "$made/lock"
  return 0
}

# Is there room for what Open MPI writes? It would say so in forty lines, or die of SIGBUS.
check_room() { # FOLDER
  local text
  text=$(fallocate -l "$kNeeded" "$1/room" 2>&1 || head -c "$kNeeded" /dev/zero 2>&1 > "$1/room") || {
    rm -rf "$1"
    no_folder "${text##*: }"
  }
  rm -f "$1/room"
}

# The folder of this job, in TMPDIR.
make_folder() { # NAME; sets `folder`
  make_locked "${TMPDIR:-/tmp}" "$1" || no_folder "$made"
  folder=$made
  check_room "$folder"
}

# Files in memory by which ranks of this user have talked, and which no process has open any more.
dead_segments() {
  local mapped
  mapped=$(sed -n 's|^.* \(/dev/shm/vader_segment\.[^ ]*\).*|\1|p' /proc/[0-9]*/maps 2> /dev/null | sort -u)
  find /dev/shm -maxdepth 1 -type f -user "$EUID" -name "vader_segment.$(hostname).$EUID.*" -mmin +1 2> /dev/null | grep -vxF "$mapped"
}

# Removes what killed jobs of this user have left on this host.
remove_leftovers() {
  local left removed=()
  for left in {"${TMPDIR:-/tmp}",/dev/shm}/polyhead-mpirun."$(hostname -s)".??????; do
    [[ -d $left && ! -L $left && -O $left && -e $left/lock ]] || continue
    flock --nonblock "$left/lock" rm -rf "$left" 2> /dev/null && removed+=("$left")
  done
  for left in $(dead_segments); do
    rm -f "$left" && removed+=("$left")
  done
  ((${#removed[@]} == 0)) || printf '[polyhead] removed what a killed job has left: %s\n' "${removed[*]}" >&2
}
