#!/usr/bin/env bash
# Runs a command beside a Slurm of its own: a controller and NODES nodes of CPUS cores on this machine. Wants to be
# root in namespaces of its own; with them all ends:
#
#   unshare --fork --pid --kill-child --mount-proc --net --uts --mount tests/e2e/support/slurm.sh FOLDER NODES CPUS COMMAND...
#
# FOLDER gets configuration, state and logs. Its path has to be short: sockets lie in it.
set -euo pipefail
folder=$1 nodes=$2 cpus=$3
shift 3
readonly kSeconds=30  # for all to be up
readonly kAddress=10.77.1.1

fail() {
  echo "slurm.sh: $1" >&2
  tail -n 5 "$folder"/*.log >&2
  exit 1
}

# Daemons stay in the foreground: they end with the namespaces.
launch() { # NAME COMMAND...
  local name=$1
  shift
  "$@" < /dev/null > "$folder/$name.out" 2>&1 &
}

# A node has its own name and shared memory, as a machine would. A job that is requeued starts again after cred_expire seconds;
# Slurm's own two minutes would be too long here.
configure() {
  cat > "$folder/slurm.conf" << END
ClusterName=pretended
SlurmctldHost=controller($kAddress)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
TmpFS=$folder/tmp-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,sched_min_interval=100000
KillWait=5
ReturnToService=2
MinJobAge=3600
END
  local number
  for ((number = 1; number <= nodes; ++number)); do
    echo "NodeName=n$number NodeHostname=controller NodeAddr=$kAddress Port=$((6820 + number)) CPUs=$cpus State=UNKNOWN"
  done >> "$folder/slurm.conf"
  echo "PartitionName=all Nodes=n[1-$nodes] Default=YES MaxTime=INFINITE State=UP" >> "$folder/slurm.conf"
}

start_daemons() {
  ip link set lo up
  ip link add eth0 type veth peer name eth1  # neither Slurm nor Open MPI are content with the loopback device
  ip address add "$kAddress/24" dev eth0
  ip link set eth0 up
  ip link set eth1 up
  hostname controller
  echo "$kAddress controller $(seq -s ' ' -f 'n%g' "$nodes")" > "$folder/hosts"
  echo "127.0.0.1 localhost" >> "$folder/hosts"
  mount --bind "$folder/hosts" /etc/hosts
  mkdir -p "$folder/state"
  (umask 077 && head -c 1024 /dev/urandom > "$folder/munge.key")
  chmod 755 "$folder"
  launch munged munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --num-threads=2 \
    --pid-file="$folder/munge.pid" --log-file="$folder/munged.log" --seed-file="$folder/munge.seed"
  until [[ -S $folder/munge.socket ]]; do
    ((SECONDS < kSeconds)) || fail "munged does not start"
    sleep 0.1
  done
  launch slurmctld slurmctld -D -f "$folder/slurm.conf"
  local number
  for ((number = 1; number <= nodes; ++number)); do
    mkdir -p "$folder/spool-n$number" "$folder/tmp-n$number"
    # shellcheck disable=SC2016  # for the inner shell
    launch "slurmd-n$number" unshare --uts --ipc --mount sh -c \
      'hostname "$1" && mount -t tmpfs shm /dev/shm && exec slurmd -D -N "$1" -f "$2"' sh "n$number" "$folder/slurm.conf"
  done
}

configure
export SLURM_CONF=$folder/slurm.conf
start_daemons
until (($(sinfo --noheader --Node --format=%T 2> /dev/null | grep -c '^idle$') == nodes)); do
  ((SECONDS < kSeconds)) || fail "the nodes do not become idle"
  sleep 0.2
done
echo "slurm.sh: $nodes nodes after $SECONDS s" >&2
"$@"
