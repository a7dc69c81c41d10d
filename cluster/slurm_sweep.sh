#!/usr/bin/env bash
#SBATCH --job-name=gclab-sweep
#SBATCH --array=0-15
#SBATCH --cpus-per-task=8
#SBATCH --requeue
# A sweep as a Slurm array: one shard a task. What is given is handed to "gclab sweep"; the folder of the parts is shared.
#
#   sbatch --array=0-63 cluster/slurm_sweep.sh sims/churn.toml --gogc 10..1000:log20 --seeds 5
#   gclab merge parts/*.part.csv          when all tasks are done
#
# A task that is stopped and requeued goes on where it stopped.
set -euo pipefail

exec "${GCLAB:-gclab}" sweep "$@" \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
    --threads "${SLURM_CPUS_PER_TASK:-1}" \
    --out "${PARTS:-parts}"
