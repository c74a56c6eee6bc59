"""A Dask cluster in processes of its own: `dask_process.py WORKERS` serves until its input ends.

The scheduler is a process, and each worker is one; all of them are on loopback.
"""

from __future__ import annotations

import json
import sys


def main(workers: int) -> None:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        pids = [worker.pid for worker in cluster.workers.values()]
        print(json.dumps({"address": cluster.scheduler_address, "workers": pids}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
