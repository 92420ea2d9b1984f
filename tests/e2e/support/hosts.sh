#!/usr/bin/env bash
# Runs a command on the first of COUNT pretended hosts: network namespaces, each with a host name (host-1, host-2, ...) and a
# /dev/shm of its own, joined by a bridge. Wants namespaces of its own to build in; with them all ends:
#
#   unshare --fork --pid --kill-child --mount-proc --net --mount tests/e2e/support/hosts.sh FOLDER COUNT SLOTS COMMAND...
#
# In the environment, BRIDGES: bridges that every host has, with the same address, as Docker and libvirt make them; HOST_NAME: what
# all hosts call themselves, as clones of an image do. FOLDER gets `hostfile` for mpirun (SLOTS ranks a host), `map` for enter_host.sh,
# and at the end `links.json`: what went through the bridge's ports port1, port2, ...
set -euo pipefail
folder=$1 count=$2 slots=$3
shift 3

# A process that holds the namespaces of host NUMBER; its id goes to `holder`.
make_host() { # NUMBER
  # shellcheck disable=SC2016  # for the inner shell
  unshare --net --uts --ipc --mount sh -c 'hostname "$1" && mount -t tmpfs shm /dev/shm && : > "$2" && exec sleep infinity' \
    sh "${HOST_NAME-host-$1}" "$folder/ready-$1" < /dev/null > /dev/null &
  holder=$!
  until [[ -e $folder/ready-$1 ]]; do
    kill -0 "$holder" 2> /dev/null || exit 1
    sleep 0.01
  done
}

connect() { # NUMBER
  ip link add "port$1" type veth peer name eth0 netns "$holder"
  ip link set "port$1" master bridge up
  nsenter --target "$holder" --net sh -ec "ip address add 10.77.0.$1/24 dev eth0; ip link set eth0 up; ip link set lo up"
}

# A bridge counts as up only while something is plugged in.
add_bridge() { # NAME NUMBER
  nsenter --target "$holder" --net sh -ec "
    ip link add $1 type bridge
    ip address add 172.17.$2.1/24 dev $1
    ip link set $1 up
    ip link add plug$2 type veth peer name veth$2
    ip link set veth$2 master $1 up
    ip link set plug$2 up"
}

rm -f "$folder"/ready-*
ip link add bridge type bridge
ip link set bridge up
: > "$folder/map"
: > "$folder/hostfile"
for ((number = 1; number <= count; ++number)); do
  make_host "$number"
  first=${first-$holder}
  connect "$number"
  other=0
  for bridge in ${BRIDGES-}; do add_bridge "$bridge" $((++other)); done
  echo "10.77.0.$number $holder" >> "$folder/map"
  echo "10.77.0.$number slots=$slots" >> "$folder/hostfile"
done

verdict=0
nsenter --target "$first" --net --uts --ipc --mount "$@" || verdict=$?
ip -s -j link > "$folder/links.json"
exit "$verdict"
