"""Real processes of the command, beside an emulator in this one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from process.forked import Forked
from published import held

TIMEOUT = 60  # seconds until a child that hangs fails its test
KEY = "sk_test_emulator"


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process left behind; a negative code is the signal that killed it."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output, held to its published schema."""
        return held(self.out)

    @property
    def results(self) -> dict[str, str]:
        """What became of every line of the only account that has an outcome, by event_name."""
        (account,) = self.document["accounts"]
        lines = [line for line in account["changes"] if "result" in line]
        return {line["event_name"]: line["result"]["status"] for line in lines}


class Child:
    """A process of the command; its standard error is read as it comes.

    One that is `fresh` has an interpreter of its own; in one that is not, `setup`, a function of
    `limits`, is called first, and with `dask` Dask is imported already.
    """

    def __init__(
        self,
        *words: object,
        setup: Callable[[], None] | None = None,
        key: str = KEY,
        fresh: bool = False,
        dask: bool = False,
    ) -> None:
        environ = {**os.environ, "SANDBOX_KEY": key}
        if fresh:
            self.process: Forked | subprocess.Popen[str] = subprocess.Popen(
                [sys.executable, "-m", "reconciler", *map(str, words)],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        else:
            self.process = Forked(*words, environ=environ, setup=setup, dask=dask)
        self._said: list[str] = []
        self._waiting: list[tuple[str, threading.Event]] = []
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if isinstance(self.process, Forked):
            self.process.begin()

    def stop(self, number: int) -> None:
        """Send a signal, and wait until the process has said that it will stop."""
        self.process.send_signal(number)
        self.hear("Stopping: ")

    def slay(self) -> None:
        """SIGKILL, and wait until nothing of the process is left."""
        self.process.kill()
        self.process.wait(TIMEOUT)

    def hear(self, word: str) -> None:
        """Wait until standard error has said this word."""
        heard = threading.Event()
        with self._lock:
            self._waiting.append((word, heard))
            self._tell()
        assert heard.wait(TIMEOUT), f"never said {word!r}: {self._said}"

    def end(self) -> Ended:
        """Wait for the end of the process."""
        assert self.process.stdout
        try:
            out = self.process.stdout.read()
            code = self.process.wait(TIMEOUT)
            self._reader.join(TIMEOUT)
        finally:
            self.process.kill()
            self.process.stdout.close()
        return Ended(code, out, "".join(self._said))

    def _read(self) -> None:
        assert self.process.stderr
        with self.process.stderr as stream:
            for line in stream:
                with self._lock:
                    self._said.append(line)
                    self._tell()

    def _tell(self) -> None:
        for word, heard in self._waiting:
            if any(word in line for line in self._said):
                heard.set()


def apply(folder: Path, *words: object, format_: str = "json", **more: Any) -> Child:
    """`reconciler apply` on a project without asking; its report is JSON by default."""
    agreed = () if "--plan" in words else ("--yes",)
    return Child("apply", folder, *agreed, "--format", format_, "--quiet", *words, **more)
