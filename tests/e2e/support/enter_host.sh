#!/bin/sh
# mpirun's way to another of the hosts that hosts.sh pretends, in place of ssh: enter_host.sh ADDRESS COMMAND...
# POLYHEAD_HOSTS: the folder with `map`. As ssh, it fails where the network is cut, and starts a session of its own, without the mark
# that launch/mpirun.sh gives its own processes.
holder=$(awk -v address="$1" '$1 == address {print $2}' "$POLYHEAD_HOSTS/map")
[ -n "$holder" ] || {
  echo "enter_host.sh: there is no host $1" >&2
  exit 255
}
nsenter --target "$holder" --net ip link show eth0 | grep -q LOWER_UP || {
  echo "enter_host.sh: no route to host $1" >&2
  exit 255
}
shift
unset POLYHEAD_LAUNCH
exec setsid nsenter --target "$holder" --net --uts --ipc --mount sh -c "$*"
