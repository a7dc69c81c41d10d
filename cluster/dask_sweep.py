"""A sweep on a Dask cluster: one shard a task, then one merge.

    python cluster/dask_sweep.py --scheduler tcp://head:8786 --shards 64 --gclab /shared/gclab \
        --parts /shared/parts --out /shared/out -- sims/churn.toml --gogc 10..1000:log20 --seeds 5

What follows -- is handed to "gclab sweep". The folder of the parts is one that all workers share. A worker that is lost
costs nothing but time: its shard is given to another one, which goes on where the first one stopped.
"""

import argparse
import pathlib
import subprocess

from dask.distributed import Client, as_completed


def run_shard(gclab, sweep, number, shards, parts):
    command = [gclab, "sweep", *sweep, "--shard", f"{number}/{shards}", "--out", parts]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"shard {number} of {shards}: {done.stderr.strip()}")
    return number


def main():
    parser = argparse.ArgumentParser(description="A sweep on a Dask cluster: one shard a task, then one merge.")
    parser.add_argument("--scheduler", help="address of the scheduler, such as tcp://head:8786")
    parser.add_argument("--scheduler-file", help="or the file that the scheduler has written")
    parser.add_argument("--shards", type=int, required=True, help="a few for each worker")
    parser.add_argument("--gclab", default="gclab", help="the program, where the workers find it")
    parser.add_argument("--parts", required=True, help="folder that all workers share")
    parser.add_argument("--out", default="out", help="folder for the merged table")
    parser.add_argument("sweep", nargs="+", help="after --: the scenario and the flags of gclab sweep")
    args = parser.parse_args()
    with Client(args.scheduler, scheduler_file=args.scheduler_file) as client:
        tasks = [
            client.submit(run_shard, args.gclab, args.sweep, number, args.shards, args.parts, retries=3, pure=False)
            for number in range(args.shards)
        ]
        for count, task in enumerate(as_completed(tasks), 1):
            print(f"shard {task.result()} is done, {count} of {args.shards}", flush=True)
    parts = sorted(str(path) for path in pathlib.Path(args.parts).glob(f"*-of-{args.shards}.part.csv"))
    subprocess.run([args.gclab, "merge", *parts, "--out", args.out], check=True)


if __name__ == "__main__":
    main()
