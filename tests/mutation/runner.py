"""Run, for each mutant, the tests that reach its function, until one fails.

All of it is one pytest process: the tests are imported and collected once. A child of it finds out
which functions each test calls; then each mutant gets a child that replaces the code of the
function and runs the tests.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import pkgutil
import resource
import select
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType

import pytest

from .mutants import Mutant

BUDGET = 10.0  # CPU seconds of tests for a mutant, the shortest tests first
_MEMORY = 4 << 30

_Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Test:
    """What is known of a test: its CPU seconds, and the functions that it calls."""

    item: pytest.Item
    seconds: float
    calls: frozenset[_Key]


class Runner:
    """A pytest plugin that replaces the loop over the tests."""

    def __init__(
        self, package: str, mutants: Sequence[Mutant], told: Callable[[object, str], None]
    ) -> None:
        self._package = package
        self._mutants = mutants
        self._told = told
        self._failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember that a test failed."""
        self._failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Test every mutant, instead of running every test once."""
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        session.config.pluginmanager.unregister(name="terminalreporter")
        root = _import_all(self._package)
        functions = _functions(root)
        tests = self._reach(session.items, root)
        for mutant in self._mutants:
            filename = str(root.parent / mutant.path)
            key = (filename, mutant.function, mutant.line)
            chosen = _choose([test for test in tests if key in test.calls])
            code = mutant.code(filename)
            install = functools.partial(_install, code, functions)
            self._told(mutant, self._outcome(chosen, install) if chosen else "not reached")
        return True

    def _outcome(self, tests: Sequence[Test], install: Callable[[], None]) -> str:
        def _work(report: Callable[[str], None]) -> None:
            install()
            for item, following in _pairs([test.item for test in tests]):
                report(self._run(item, following))
                if self._failed:
                    break

        lines = _in_child(_work, [30 + 30 * test.seconds for test in tests])
        failed = next((line for line in lines if line != "passed"), "")
        return failed or "survived"

    def _run(self, item: pytest.Item, following: pytest.Item | None) -> str:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return f"killed by {item.nodeid}" if self._failed else "passed"

    def _reach(self, items: Sequence[pytest.Item], root: Path) -> list[Test]:
        """Run every test once and note the functions that it calls; leave out those that fail."""

        def _work(report: Callable[[str], None]) -> None:
            calls = _Calls(str(root))
            for item, following in _pairs(items):
                self._failed = False
                _clear_caches(self._package)
                start = time.process_time()
                with calls:
                    self._run(item, following)
                seconds = -1 if self._failed else time.process_time() - start
                report(json.dumps([seconds, calls.take()]))

        tests = []
        for item, line in zip(items, _in_child(_work, [600.0] * len(items)), strict=False):
            if not line.startswith("["):
                raise pytest.UsageError(f"{item.nodeid}: {line}")
            seconds, calls = json.loads(line)
            if seconds < 0:
                self._told(item.nodeid, "left out, since it fails")
            else:
                tests.append(Test(item, seconds, frozenset(map(tuple, calls))))
        return tests


class _Calls:
    """The functions below a folder that are called while this context is entered."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._codes: set[CodeType] = set()

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            self._codes.add(frame.f_code)

    def __enter__(self) -> None:
        threading.settrace(self._note)
        sys.settrace(self._note)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def take(self) -> list[_Key]:
        codes, self._codes = self._codes, set()
        return [_key(code) for code in codes if code.co_filename.startswith(self._root)]


def _pairs(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    yield from zip(items, [*items[1:], None], strict=True)


def _choose(tests: Sequence[Test]) -> list[Test]:
    """Return the shortest tests, as many as the budget allows and at least one."""
    chosen, spent = [], 0.0
    for test in sorted(tests, key=lambda test: test.seconds):
        if chosen and spent + test.seconds > BUDGET:
            break
        chosen.append(test)
        spent += test.seconds
    return chosen


def _in_child(work: Callable[[Callable[[str], None]], None], limits: Sequence[float]) -> list[str]:
    """Return the lines that `work` reports in a child process, each within its limit."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        _be_child(work, write)
    os.close(write)
    lines = list(_lines(read, limits))
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(read)
    return lines


def _be_child(work: Callable[[Callable[[str], None]], None], pipe: int) -> None:
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.RLIM_INFINITY))
    code = 1
    try:
        work(lambda line: _write(pipe, line))
        code = 0
    finally:
        os._exit(code)


def _write(pipe: int, line: str) -> None:
    data = line.encode() + b"\n"
    while data:
        data = data[os.write(pipe, data) :]


def _lines(pipe: int, limits: Sequence[float]) -> Iterator[str]:
    """Yield what the child reports; a child that ends early or is too slow has the last line."""
    data = b""
    for limit in limits:
        end = time.monotonic() + limit
        while b"\n" not in data:
            if not select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
                yield "killed by time"
                return
            more = os.read(pipe, 1 << 16)
            if not more:
                yield "killed by the end of the process"
                return
            data += more
        line, _, data = data.partition(b"\n")
        yield line.decode()
        if line.startswith(b"killed"):
            return


def _import_all(package: str) -> Path:
    """Import every module, so that no function is made after the mutant; return the folder."""
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return Path(root.__path__[0])


def _functions(root: Path) -> dict[_Key, list[FunctionType]]:
    found = defaultdict(list)
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(str(root)):
            found[_key(each.__code__)].append(each)
    return found


def _install(code: CodeType, functions: dict[_Key, list[FunctionType]]) -> None:
    """Give the functions of a file the code of its mutant."""
    for function in functions.get(_key(code), ()):
        if function.__code__ != code:
            function.__code__ = code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            _install(each, functions)


def _key(code: CodeType) -> _Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _clear_caches(package: str) -> None:
    for each in gc.get_objects():
        if isinstance(each, functools._lru_cache_wrapper) and each.__module__.startswith(package):
            each.cache_clear()
