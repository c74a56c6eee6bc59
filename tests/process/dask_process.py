"""A Dask cluster in processes of its own: `dask_process.py WORKERS PROTOCOL` serves until its input
ends. A line of its input kills all workers at once, which are then replaced.

The scheduler is a process, and each worker is one; all of them are on loopback.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress


def main(workers: int, protocol: str) -> None:
    import dask
    from distributed import LocalCluster

    killed = set()
    # Each worker is forked from a process that has imported Dask, and nothing of this project.
    forking = dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    with (
        forking,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",  # None: port 8787, which another may have
            host="127.0.0.1",
            protocol=protocol,
        ) as cluster,
    ):
        pids = [worker.pid for worker in cluster.workers.values()]
        print(json.dumps({"address": cluster.scheduler_address, "workers": pids}), flush=True)
        for _ in sys.stdin:
            there = {worker.pid for worker in cluster.workers.values()} - killed - {None}
            for pid in there:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            killed |= there
            print(len(there), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
