#!/usr/bin/env bash
# A reproduction or a sweep as one SLURM job, which is queued again when its time is up:
#
#     sbatch examples/slurm/job.sh reproduce --preset paper --dir /shared/reproductions/paper
#     sbatch examples/slurm/job.sh sweep psmnist --units 128 400 --seeds 5 --dir /shared/sweeps/size
#
# Each task of the job is a Dask worker. The folder must be on a file system that all nodes share, and
# so must the one where you call sbatch. Options of sbatch before the name of the script replace those
# below.
# For workers that own a card: add `#SBATCH --gpus-per-task=1`, and set KERAS_BACKEND below.
#SBATCH --job-name=aru-keras
#SBATCH --ntasks=8
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=2G
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --open-mode=append
#SBATCH --requeue
set -u

# Activate your environment here, as in: source ~/aru/bin/activate
cores=${SLURM_CPUS_PER_TASK:-1}
export OMP_NUM_THREADS=$cores OPENBLAS_NUM_THREADS=$cores TF_NUM_INTRAOP_THREADS=$cores NPROC=$cores
# export KERAS_BACKEND=jax

work=$(mktemp -d "$PWD/aru-keras-${SLURM_JOB_ID:-0}-XXXXXX")
file=$work/scheduler.json
clean() {
    kill $(jobs -p) 2> /dev/null
    rm -rf "$work"
}
trap clean EXIT

dask scheduler --port 0 --dashboard-address :0 --scheduler-file "$file" 2> "$work/scheduler.log" &
# By the release notes of SLURM 22.05, srun does not take over the CPUs of a task by itself. SLURM limits the memory.
srun --cpus-per-task="$cores" dask worker --scheduler-file "$file" --nthreads 1 --no-dashboard \
    --memory-limit 0 --local-directory "${TMPDIR:-/tmp}" 2> "$work/workers.log" &

# SLURM sends SIGUSR1 to this script alone, five minutes before the end (see --signal above).
trap 'kill -USR1 $!' USR1
aru-keras "$@" --scheduler "$file" &
command=$!
wait "$command"
code=$?
if [ "$code" -gt 128 ] && kill -0 "$command" 2> /dev/null; then
    wait "$command"  # The first wait ended with the signal, and not with the command.
    code=$?
fi
# 143: ended by a signal, with all whole epochs kept. The job waits in the queue again, as it was
# submitted, and its command goes on where it was.
if [ "$code" -eq 143 ]; then
    clean  # SLURM kills a job that it queues again, maybe before this script has ended.
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
