"""What every test gets: no network but loopback, no waiting, profiles for hypothesis."""

from __future__ import annotations

import gc
import importlib.util
import io
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from virtual import VirtualClock

TESTS = Path(__file__).parent
_OFFLINE = TESTS / "offline"
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
_IS_ODD = bool(_WORKER) and int(_WORKER.removeprefix("gw")) % 2 == 1

# Examples, steps of a story. A build draws the same ones each time: it must not fail by chance.
_PROFILES = {"few": (10, 12), "quick": (40, 12), "build": (100, 12), "soak": (5000, 30)}
for _name, (_examples, _steps) in _PROFILES.items():
    settings.register_profile(
        _name,
        max_examples=_examples,
        stateful_step_count=_steps,
        deadline=None,
        derandomize="CI" in os.environ,
        print_blob=False,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites the expected files instead of comparing with them."""
    parser.addoption("--update-golden", action="store_true", help="rewrite goldens and docs")


def pytest_configure(config: pytest.Config) -> None:
    """Forbid the network here, and through PYTHONPATH in every child process.

    SIGHUP has its default: under `nohup` the children of a test would ignore it.
    """
    gc.set_threshold(200_000, 20, 100)  # nearly all that is collected stays
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    _keep_bytecode(config)
    spec = importlib.util.spec_from_file_location("offline", _OFFLINE / "sitecustomize.py")
    assert spec
    assert spec.loader
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    paths = [str(_OFFLINE), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    _stay_on_one_core()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let every other worker collect the files from the last one on.

    So of two that begin at once, each rewrites the assertions of half of the files, and finds the
    others compiled. The order of the tests stays the same.
    """
    report = yield
    if isinstance(collector, pytest.Session | pytest.Directory) and _IS_ODD:
        report.result.reverse()
    return report


@pytest.hookimpl(tryfirst=True, specname="pytest_collection_modifyitems")
def restore_order(items: list[pytest.Item]) -> None:
    """Sort the files again: every worker must have the same order."""
    if _WORKER:
        items.sort(key=lambda item: item.path.parts)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that wait, in whatever order: at the end nothing runs beside them."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _stay_on_one_core() -> None:
    """Keep each of as many workers as there are cores on one of them.

    Threads of Python that take turns on several cores cost a quarter more. Python programs that a
    test starts use all of them, as they do elsewhere: see `offline/sitecustomize.py`.
    """
    if not (_WORKER and hasattr(os, "sched_setaffinity")):
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == int(os.environ["PYTEST_XDIST_WORKER_COUNT"]):
        os.environ["TESTS_USE_CORES"] = ",".join(map(str, cores))
        number = int(_WORKER.removeprefix("gw"))  # higher in place of a worker that crashed
        os.sched_setaffinity(0, {cores[number % len(cores)]})


def _keep_bytecode(config: pytest.Config) -> None:
    """Let child processes share bytecode in a temporary folder where none may be left behind.

    Compiling everything anew is a third of what each of them costs.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        folder = tempfile.TemporaryDirectory(prefix="bytecode-")
        config.add_cleanup(folder.cleanup)
        os.environ["PYTHONPYCACHEPREFIX"] = folder.name


# Read by the package, git, requests or pytest: API keys, the job, the console, the network.
_READ = re.compile(
    r"(STRIPE|RECONCILER|GIT|GITHUB|GITLAB|CI|BUILD|BUILDKITE|CIRCLE|JENKINS)_.*|.*_PROXY"
    r"|BUILDKITE|CI|CIRCLECI|COLUMNS|FORCE_COLOR|NO_COLOR|TERM|TF_BUILD|XDG_CONFIG_HOME"
    r"|CURL_CA_BUNDLE|PYTEST_ADDOPTS|REQUESTS_CA_BUNDLE|SSL_CERT_DIR|SSL_CERT_FILE",
    re.IGNORECASE,
)


@pytest.fixture(autouse=True, scope="session")
def _plain_environment() -> Iterator[None]:
    """Nothing of the developer's own environment, or of a CI job's, reaches a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(_READ.fullmatch, list(os.environ)):
            patch.delenv(name)
        yield


@pytest.fixture
def clock() -> VirtualClock:
    """A clock on which nothing ever waits."""
    return VirtualClock()


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, clock: VirtualClock
) -> Run:
    """Call the command line in this process, on `clock`: `run("plan", folder, "--quiet")`."""
    from reconciler.__main__ import main

    monkeypatch.setattr("reconciler.cli.main.SystemClock", clock.stopped_by)

    def _run(*words: object, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capfd.readouterr()
        arguments: Sequence[str] = [str(word) for word in words]
        code = main(arguments)
        captured = capfd.readouterr()
        return Ran(int(code), captured.out, captured.err)

    return _run


Golden = Callable[[str | Path, str], None]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with `tests/golden/<name>`, or write it there with `--update-golden`.

    A page is named by its whole path. A failure is the difference from the file.
    """

    def _compare(name: str | Path, text: str) -> None:
        path = TESTS / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        assert path.exists(), f"{path} is missing: run pytest --update-golden, then review it"
        known = path.read_text("utf-8")
        if text != known:
            sides = [side.splitlines(keepends=True) for side in (known, text)]
            pytest.fail("".join(unified_diff(*sides, str(path), "now")), pytrace=False)

    return _compare
