#!/usr/bin/env bash
# A sweep on this machine, on a Dask cluster of two workers of which one is killed half-way, and as a Slurm array: the same bytes.
#
#   bash cluster/test.sh GCLAB PYTHON        PYTHON has the modules dask and distributed
set -euo pipefail
gclab=$(realpath "$1")
python=$2
cd "$(dirname "$0")/.."

shards=12
sweep=(sims/memory-limit.toml --gogc off,25..400:log9 --memory-limit 96MiB..192MiB:log4 --seeds 2)
scratch=$(mktemp -d)
pids=()
# Only what was started here is ended.
cleanup() {
    for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$scratch"
}
trap cleanup EXIT

same() {
    for file in "$scratch"/local/*; do
        cmp "$file" "$scratch/$1/$(basename "$file")" || { echo "FAILED: $1 differs from the local sweep"; exit 1; }
    done
    echo "$1: $(find "$scratch/local" -type f | wc -l) files, byte for byte those of the local sweep"
}

echo "== local"
"$gclab" sweep "${sweep[@]}" --out "$scratch/local" 2>/dev/null

echo "== Dask: two workers, one killed half-way"
cluster() { "$python" -m dask "$@" >>"$scratch/dask.log" 2>&1 & pids+=($!); }
cluster scheduler --host 127.0.0.1 --port 0 --no-dashboard --scheduler-file "$scratch/scheduler.json"
for worker in 1 2; do
    cluster worker --scheduler-file "$scratch/scheduler.json" --host 127.0.0.1 --nthreads 1 --no-nanny \
        --no-dashboard --name "worker-$worker" --local-directory "$scratch"
    victim=$!
done
timeout 300 "$python" cluster/dask_sweep.py --scheduler-file "$scratch/scheduler.json" --shards $shards --gclab "$gclab" \
    --parts "$scratch/parts" --out "$scratch/dask" -- "${sweep[@]}" --threads 1 >"$scratch/client.log" 2>&1 &
client=$!
pids+=("$client")
done_parts() { find "$scratch/parts" -name '*.part.csv' 2>/dev/null | wc -l; }
for _ in $(seq 3000); do
    [ "$(done_parts)" -lt $((shards / 2)) ] && kill -0 "$client" 2>/dev/null || break
    sleep 0.05
done
at=$(done_parts)
kill -9 "$victim"
if ! wait "$client"; then
    cat "$scratch/client.log" "$scratch/dask.log"
    exit 1
fi
if [ "$at" -lt 1 ] || [ "$at" -ge $shards ]; then
    echo "FAILED: the worker was killed with $at of $shards shards done, which tests nothing"
    exit 1
fi
echo "one worker was killed with $at of $shards shards done"
same dask

echo "== Slurm: the array script, task by task"
for task in $(seq 0 2); do
    GCLAB=$gclab PARTS=$scratch/array SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_COUNT=3 SLURM_CPUS_PER_TASK=2 \
        bash cluster/slurm_sweep.sh "${sweep[@]}" >/dev/null 2>&1
done
"$gclab" merge "$scratch"/array/*.part.csv --out "$scratch/slurm" >/dev/null
same slurm
