"""What a plan takes, counted: `python cost_of_a_plan.py FOLDER…` prints a line for each project.

Run in a process of its own, where neither the emulator nor a plugin of the tests is counted.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

from reconciler import connect, load, make_plan


def trace_bytes(folder: str) -> dict[str, int]:
    """The bytes that the declared meters hold, and the most in use while the account is read.

    Not the most while files are read: that is a buffer of the size that a file may have.
    """
    gc.collect()
    tracemalloc.start()
    project = load(folder)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    with connect(project.accounts[0]) as session:
        planned = make_plan(project, session)
    assert planned.report.exit_code == 0
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"bytes of files": held, "bytes": most}


def count_calls(folder: str) -> dict[str, int]:
    """The calls of Python functions by all threads: to read the files, and to plan."""
    calls = {"calls to read files": 0, "calls": 0}

    def counting(name: str) -> Callable[..., None]:
        def count(frame: Any, event: str, _: Any) -> None:
            calls[name] += event == "call"

        threading.setprofile(count)
        sys.setprofile(count)
        return count

    counting("calls to read files")
    project = load(folder)
    counting("calls")
    with connect(project.accounts[0]) as session:
        make_plan(project, session)
    sys.setprofile(None)
    threading.setprofile(None)
    return calls


if __name__ == "__main__":
    gc.disable()  # as the command does
    trace_bytes(sys.argv[1])  # imports, caches and compiled patterns
    for each in sys.argv[1:]:
        print(json.dumps(trace_bytes(each) | count_calls(each)))
