#!/bin/sh
# mpirun's way to another of the hosts that hosts.sh pretends, in place of ssh: enter_host.sh ADDRESS COMMAND...
# POLYHEAD_HOSTS: the folder with `map`.
holder=$(awk -v address="$1" '$1 == address {print $2}' "$POLYHEAD_HOSTS/map")
[ -n "$holder" ] || {
  echo "enter_host.sh: there is no host $1" >&2
  exit 255
}
shift
exec nsenter --target "$holder" --net --uts --ipc --mount sh -c "$*"
