"""Run a command, and write what it took as JSON: `python child.py RESULT OUTPUT COMMAND…`.

This is a process of its own because Linux counts the memory of the process that starts a command
as that command's: a small one starts them all.
"""

import json
import os
import sys
import time


def main(result: str, output: str, *command: str) -> None:
    """Run the command; its output goes to a file, with both streams in one."""
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    streams = [(os.POSIX_SPAWN_DUP2, written, number) for number in (1, 2)]
    began = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=streams)
    _, status, usage = os.wait4(pid, 0)
    taken = {
        "exit_code": os.waitstatus_to_exitcode(status),
        "wall": time.perf_counter() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }
    with open(result, "w", encoding="utf-8") as file:
        json.dump(taken, file)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
