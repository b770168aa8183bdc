#!/usr/bin/env bash
# Scores the demo's test split through a real Slurm of one node, in shards, and compares the merged
# predictions with those of an undisturbed run. One task is killed and requeued on the way.
# usage: Tests/Cluster/slurm.sh FOLDER_OF_THE_BUILT_COMMANDS (as root)
set -euo pipefail
cd "$(dirname "$0")/../.."
built=$(realpath "$1")
checkpoint=$(realpath Examples/demo-checkpoint)

packages=(slurmctld slurmd slurm-client munge)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' \
    || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "Installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

folder=$(mktemp -d)
chmod 755 "$folder"
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null || true; done
  wait 2> /dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

# A port that nobody listens on.
port() {
  local number
  while number=$(shuf -n 1 -i 20000-60000); do
    (: < "/dev/tcp/127.0.0.1/$number") 2> /dev/null || { echo "$number"; return; }
  done
}
host=$(hostname -s)
mkdir -p "$folder"/{state,spool,run}
dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 status=none
chmod 400 "$folder/munge.key"
chown munge "$folder/munge.key" "$folder/run"
setpriv --reuid munge --regid munge --clear-groups munged --foreground --force \
  --socket "$folder/run/munge.socket" --key-file "$folder/munge.key" \
  --pid-file "$folder/run/munged.pid" --log-file "$folder/run/munged.log" \
  --seed-file "$folder/run/munged.seed" 2> "$folder/munged.out" &
pids+=($!)
cat > "$folder/slurm.conf" << EOF
ClusterName=roc
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(port)
SlurmdPort=$(port)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.socket
CryptoType=crypto/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
ReturnToService=2
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=2048 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
EOF
export SLURM_CONF=$folder/slurm.conf
sleep 1
slurmctld -D > "$folder/slurmctld.out" 2>&1 &
pids+=($!)
slurmd -D > "$folder/slurmd.out" 2>&1 &
pids+=($!)
for _ in $(seq 60); do
  sinfo -h -o %t 2> /dev/null | grep -q idle && break
  sleep 0.5
done
sinfo || { cat "$folder"/slurm*.out; exit 1; }

"$built/roc-data" demo --output "$folder/demo" --images 300
for name in cluster alone; do
  "$built/roc-data" import ava --source "$folder/demo" --images "$folder/demo/images" \
    --db "$folder/$name.sqlite" > /dev/null
done
"$built/roc-eval" --checkpoint "$checkpoint" --split test --db "$folder/alone.sqlite" \
  --csv "$folder/alone.csv" > /dev/null 2>&1

cd "$folder"
"$built/roc-eval" slurm --shards 4 --cpus 1 --memory 200M --time 00:05:00 --partition main \
  --segments "$folder/segments" --command "$built/roc-eval" -- --checkpoint "$checkpoint" \
  --split test --db "$folder/cluster.sqlite" > job.sh
job=$(sbatch --parsable job.sh)
echo "job $job"
sleep 0.3
scontrol requeue "${job}_1" 2> /dev/null || true
for _ in $(seq 240); do
  left=$(squeue -h -r -j "$job" 2> /dev/null | wc -l)
  [ "$left" -eq 0 ] && break
  sleep 0.5
done
[ "$left" -eq 0 ] || { squeue; cat "$folder"/*.log; exit 1; }
ls segments/*.jsonl | wc -l | grep -qx 4 || { cat roc-eval-*.log; exit 1; }
"$built/roc-eval" merge segments --db cluster.sqlite --csv cluster.csv > merged.txt 2> merged.err \
  || { cat merged.err roc-eval-*.log; exit 1; }
grep -q "shard .*/4 (ROC_SHARD)" roc-eval-*.log
cmp alone.csv cluster.csv
count=$(($(wc -l < cluster.csv) - 1))
echo "4 Slurm tasks, $count pictures: predictions equal to the undisturbed run, byte for byte"
