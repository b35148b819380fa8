# A Slurm of its own for tests; loaded with `load slurm`. It has its own munge, a
# controller and emulated nodes on this machine, all below one directory.

# need_slurm: it can be started here, or a visible skip
need_slurm() {
    PATH=$PATH:/usr/sbin:/sbin
    local p
    for p in munged slurmctld slurmd sbatch; do
        command -v "$p" >/dev/null || skip "no Slurm"
    done
}

# slurm_up DIR NODES CPUS: nodes n1 ... with so many processors that are idle, and
# SLURM_CONF to reach them.
slurm_up() {
    local base # of which a port may be taken meanwhile
    for _ in 1 2 3; do
        base=$(free_ports $(($2 + 1)))
        rm -rf "$1/state"
        slurm_write "$1" "$2" "$3" "$base"
        slurm_start "$1" "$2" && return
        slurm_down "$1"
    done
    tail -n 5 "$1"/log/*.log
    return 1
}

# free_ports N: the first of N ports in a row that nobody has, below those that
# the system gives away
free_ports() {
    perl -MIO::Socket::INET -e '
        my $n = shift;
        TRY: for (1 .. 1000) {
            my $base = 20000 + int rand 12000;
            for (0 .. $n - 1) {
                my $s = IO::Socket::INET->new(LocalPort => $base + $_, Listen => 1) or next TRY;
            }
            print "$base\n";
            exit;
        }
        die "no ports\n"' "$1"
}

# slurm_write DIR NODES CPUS PORT. Others may run such a test at the same time, so
# the cluster has a name of its own. No cgroups, no accounting; limits are
# looked at every half a minute, whatever is set here.
slurm_write() {
    local dir=$1 host user i
    host=$(uname -n)
    host=${host%%.*}
    user=$(id -un)
    mkdir -p "$dir"/{state,log,run}
    chmod 755 "$dir" "$dir/run"
    for i in $(seq "$2"); do mkdir -p "$dir/n$i/spool" "$dir/n$i/tmp"; done
    (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
    cat >"$dir/slurm.conf" <<END
ClusterName=iris$4x$$
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$4
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$dir/run/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/%n/spool
TmpFS=$dir/%n/tmp
SlurmctldPidFile=$dir/run/slurmctld
SlurmdPidFile=$dir/run/slurmd-%n
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
KillWait=5
MailProg=/bin/true
SchedulerParameters=sched_interval=2,bf_interval=1
NodeName=n[1-$2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$(($4 + 1))-$(($4 + $2))] CPUs=$3 RealMemory=1000000
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE
END
}

# slurm_start DIR NODES
slurm_start() {
    local i
    export SLURM_CONF=$1/slurm.conf
    {
        munged --force --key-file="$1/munge.key" --socket="$1/run/munge" --pid-file="$1/run/munged" \
            --log-file="$1/log/munged.log" --seed-file="$1/munge.seed" --num-threads=2 &&
            slurmctld || return
        for i in $(seq "$2"); do slurmd -N "n$i" || return; done
    } </dev/null >>"$1/log/start.log" 2>&1 3>&-
    within 30 idle "$2"
}

# idle NODES: so many are there and do nothing
idle() {
    [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = "$1" ]
}

# slurm_down DIR: nothing of it is at work any more, jobs included, nor left in memory
slurm_down() {
    local pids i
    [ -e "$1/slurm.conf" ] || return 0
    # All that was started under this Slurm, or is it, has this in its environment;
    # what looks for it must not.
    export -n SLURM_CONF
    for i in $(seq 200); do
        pids=$(grep -lzxF "SLURM_CONF=$1/slurm.conf" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3) || true
        [ -n "$pids" ] || break
        kill -KILL $pids 2>/dev/null || true
        sleep 0.05
    done
    rm -rf "/dev/shm/iris-$(id -u)-job-$(sed -n 's/^ClusterName=//p' "$1/slurm.conf")-"*
    [ -z "$pids" ]
}

# within SECONDS COMMAND...: until it succeeds
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || { echo "not in time: $*"; return 1; }
        sleep 0.1
    done
}

# job ID FIELD: as scontrol shows it
job() {
    scontrol show job "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1
}

# is ID STATE...: the job is in one of these states
is() {
    local state
    state=$(job "$1" JobState)
    [[ " ${*:2} " == *" $state "* ]]
}
