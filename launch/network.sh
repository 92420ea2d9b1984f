# Which network interfaces Open MPI leaves alone: functions for launch/mpirun.sh and slurm/polyhead.sbatch. Sourced, never run.
#
# Bridges of containers and virtual machines have the same address on many hosts (docker0: 172.17.0.1). A rank that is told to talk to
# its neighbour there talks to its own host, and the job hangs.
# shellcheck shell=bash

# Beginnings of names. Open MPI compares beginnings where ranks talk (btl), whole names where its daemons do (oob), and does not mind
# names that a host lacks: so one list serves hosts that differ.
readonly kBridges='docker podman br- virbr veth vnet cni flannel lxcbr lxdbr'
readonly kUsualBridges='docker0 podman0 virbr0 cni0 flannel.1 lxcbr0 lxdbr0'

list() { (IFS=, && echo "$*"); }

interfaces() { sed -n 's/^ *\([^ :]*\):.*/\1/p' /proc/net/dev; }

# The interface on the way to a host. It is used, whatever its name: hosts may be containers.
interface_to() { # HOST
  local address
  address=$(timeout 5 getent ahosts "${1#*@}" < /dev/null 2> /dev/null | awk '{print $1; exit}')
  [[ -z $address ]] || ip -o route get "$address" 2> /dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p'
}

# Has somebody chosen interfaces: in the environment, a file of Open MPI's or the words given?
interfaces_chosen() { # FRAMEWORK WORDS...
  local name=${1}_tcp_if_ variable
  for variable in "OMPI_MCA_${name}include" "OMPI_MCA_${name}exclude"; do
    [[ -z ${!variable-} ]] || return 0
  done
  [[ " ${*:2} " != *" $name"[ei][xn]"clude "* ]] || return 0
  ompi_info --all --parsable 2> /dev/null < /dev/null | grep "param:${name}[a-z]*:source:" | grep -qv ':default$'
}

# The bridges that Open MPI is told to leave alone, found here or usual elsewhere, but for those that lead to a host.
leave_out_bridges() { # HOSTS... -- WORDS FOR mpirun...
  local prefix name used=() names=() prefixes=() found=() left left_out=0 framework excluded
  while (($# > 0)) && [[ $1 != -- ]]; do
    used+=("$(interface_to "$1")")
    shift
  done
  for prefix in $kBridges; do
    [[ " ${used[*]}" == *" $prefix"* ]] || prefixes+=("$prefix")
  done
  for name in $(interfaces) $kUsualBridges; do
    for prefix in "${prefixes[@]}"; do
      [[ $name != "$prefix"* || " ${names[*]} " == *" $name "* ]] || names+=("$name")
    done
  done
  for name in $(interfaces); do
    [[ " ${names[*]} " != *" $name "* || $name == veth* ]] || found+=("$name")
  done
  for framework in btl oob; do
    interfaces_chosen "$framework" "${@:2}" && continue
    case $framework in
      btl) excluded=127.0.0.1/8,sppp,$(list "${prefixes[@]}") ;;
      oob) excluded=$(list "${names[@]}") ;;
    esac
    export "OMPI_MCA_${framework}_tcp_if_exclude=$excluded"
    left_out=1
  done
  printf -v left ', %s' "${found[@]}"
  ((!left_out || ${#found[@]} == 0)) ||
    printf '[polyhead] left out of the network: %s (of containers or virtual machines; OMPI_MCA_btl_tcp_if_include chooses otherwise)\n' \
      "${left:2}" >&2
}
