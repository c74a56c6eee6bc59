"""Processes of the command that are forked from one in which it is imported already.

Each has its own signals, streams and end. Only the start of the interpreter, the imports and the
compilation of schemas and patterns are done once; `Child(fresh=True)` does without.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import IO

_LIBRARIES = ("deepdiff", "jsonschema", "requests")  # imported by functions that need them
# These need Dask, which may not be installed and takes a second to import.
_WITH_DASK = {"reconciler.fleet.dask_cluster", "reconciler.fleet.dask_connection"}


class Forked:
    """A process `reconciler WORDS`, with the part of `subprocess.Popen` that the tests use.

    It waits for `begin`: the first request may come within milliseconds of it. It has the current
    folder, and this environment; what the interpreter reads from it at its start, such as
    PYTHONUNBUFFERED, has no effect. With `dask`, Dask is imported as well, and has read its own
    part of the environment.
    """

    def __init__(
        self,
        *words: object,
        environ: dict[str, str],
        setup: Callable[[], None] | None = None,
        dask: bool = False,
    ) -> None:
        request, self._request = os.pipe()
        self._words, self._environ = words, environ
        self._setup = setup.__name__ if setup else None
        self._waiting = threading.Lock()
        out, stdout = os.pipe()
        err, stderr = os.pipe()
        self._status, status = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        given = [request, nothing, stdout, stderr, status]
        _, requests = _start_parent(dask)
        socket.send_fds(requests, [b"."], given)
        for descriptor in given:
            os.close(descriptor)
        self.stdout: IO[str] = os.fdopen(out, encoding="utf-8")
        self.stderr: IO[str] = os.fdopen(err, encoding="utf-8")
        self.pid = _receive(self._status)
        self.returncode: int | None = None

    def begin(self) -> None:
        """Run the command."""
        words = [str(word) for word in self._words]
        run = {"argv": words, "environ": self._environ, "folder": os.getcwd()}
        run["setup"] = self._setup
        with open(self._request, "w", encoding="utf-8") as stream:
            json.dump(run, stream)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        with suppress(ProcessLookupError):
            if self.returncode is None:
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Return the exit code, or the negative number of the signal that ended the process."""
        with self._waiting:
            if self.returncode is None:
                if not select.select([self._status], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
                self.returncode = _receive(self._status)
                os.close(self._status)
        return self.returncode


@cache
def _start_parent(dask: bool) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start the process that forks the others; it ends with this one."""
    ours, theirs = socket.socketpair()
    with theirs:
        words = [sys.executable, __file__, str(theirs.fileno()), *(["dask"] if dask else [])]
        parent = subprocess.Popen(words, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    for end in (parent.wait, parent.kill, ours.close):  # the last first
        atexit.register(end)
    return parent, ours


def _fork_for_each(requests: socket.socket) -> None:
    """Return once for each request, in a new process."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that wait below are not waited for
    while True:
        message, given, *_ = socket.recv_fds(requests, 1, 5)
        if not message:
            os._exit(0)
        if not os.fork():
            requests.close()
            return _fork_and_report(*given)
        for descriptor in given:
            os.close(descriptor)


def _fork_and_report(request: int, stdin: int, stdout: int, stderr: int, status: int) -> None:
    """Return in another new process; report its id and its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if not child:
        os.close(status)
        for number, stream in enumerate((stdin, stdout, stderr)):
            os.dup2(stream, number)
            os.close(stream)
        with open(request, encoding="utf-8") as stream:
            run = json.load(stream)
        os.chdir(run["folder"])
        os.environ.clear()
        os.environ.update(run["environ"])
        sys.argv[1:] = run["argv"]
        if run["setup"]:
            getattr(import_module("limits"), run["setup"])()
        return
    for descriptor in (request, stdin, stdout, stderr):
        os.close(descriptor)
    _send(status, child)
    _send(status, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    os._exit(0)


def _send(pipe: int, number: int) -> None:
    os.write(pipe, number.to_bytes(8, "big", signed=True))


def _receive(pipe: int) -> int:
    number = os.read(pipe, 8)
    assert number, "the parent of the processes has ended"
    return int.from_bytes(number, "big", signed=True)


def _import_everything(dask: bool) -> None:
    import reconciler

    ours = {module.name for module in walk_packages(reconciler.__path__, "reconciler.")}
    for name in (*sorted(ours - (set() if dask else _WITH_DASK)), *_LIBRARIES):
        import_module(name)


def _compile_everything() -> None:
    from reconciler.config.loader import load

    load(Path(__file__).parents[2] / "examples" / "quickstart")


if __name__ == "__main__":
    _import_everything("dask" in sys.argv[2:])
    _compile_everything()
    _fork_for_each(socket.socket(fileno=int(sys.argv[1])))
    from reconciler.__main__ import command

    command()
