"""The tasks of this repository: `nox --list` names them, `nox -s NAME` runs one.

Those without an environment of their own run where nox is installed (`pip install -e '.[dev]'`);
`oldest` and `wheel` make one. `.ci/run` runs them all.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "test"]

# As many as cores, so that each keeps to one of them: see tests/conftest.py.
CORES = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
WORKERS = ("-n", str(CORES))
HERE = {"external": True}  # programs of the environment that nox is installed in
# What does not depend on the versions of dependencies: signals and kills, rooms that import none,
# and the tests of documents and tools; the command line, the Action, stories and faults drive the
# same code as the tests of the rooms.
UNAFFECTED = (
    "tests/action",
    "tests/cli",
    "tests/faults",
    "tests/history",
    "tests/model",
    "tests/mutation",
    "tests/process",
    "tests/render",
    "tests/report",
    "tests/stateful",
    "tests/test_architecture.py",
    "tests/test_architecture_page.py",
    "tests/test_benchmarks.py",
    "tests/test_docs_pages.py",
    "tests/test_tasks.py",
)


@nox.session(python=False)
def lint(session: nox.Session) -> None:
    """Check the code: linter, format and types."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


@nox.session(python=False)
def workflows(session: nox.Session) -> None:
    """Check the Action and all workflows: schemas, security, and expressions where Go is."""
    folders = ("examples/ci/github", ".github/workflows")
    github = [str(file) for folder in folders for file in sorted(Path(folder).iterdir())]
    gitlab = ["examples/ci/gitlab/.gitlab-ci.yml"]
    for n, part in enumerate(Path("templates/reconciler.yml").read_text("utf-8").split("\n---\n")):
        gitlab.append(str(Path(session.create_tmp(), f"{n}.gitlab-ci.yml")))
        Path(gitlab[-1]).write_text(part, "utf-8")  # the inputs, and the jobs
    schema = ("check-jsonschema", "--builtin-schema")
    session.run(*schema, "vendor.github-actions", "action.yml")
    session.run(*schema, "vendor.github-workflows", *github)
    session.run(*schema, "vendor.gitlab-ci", "--data-transform", "gitlab-ci", *gitlab)
    session.run("zizmor", "--offline", "action.yml", *github)
    if found := shutil.which("actionlint") or _install_actionlint(session):
        session.run(found, *github, **HERE)
    else:
        session.warn("actionlint is not installed, and neither is Go: not checked")


def _install_actionlint(session: nox.Session) -> str | None:
    """Install actionlint with Go; PyPI has no wheel of it. Return the program, or None."""
    if not shutil.which("go"):
        return None
    folder = Path(session.create_tmp()).absolute()
    session.run("go", "install", ACTIONLINT, env={"GOBIN": str(folder)}, **HERE)
    return str(folder / "actionlint")


@nox.session(python=False)
def docs(session: nox.Session) -> None:
    """Build the documentation into site/, offline; a warning, such as a broken link, fails."""
    session.run("zensical", "build", "--clean", "--strict", *session.posargs)


@nox.session(python=False)
def test(session: nox.Session) -> None:
    """Run the quick suite, or the tests given after `--`."""
    session.run("pytest", *WORKERS, *session.posargs)


@nox.session(python=False)
def full(session: nox.Session) -> None:
    """Run the whole fault matrix, and what takes long."""
    which = ("-m", "full", "--ignore", "tests/clients")
    one_by_one = ("--maxschedchunk", "1")  # or one worker would get all that take long
    session.run("pytest", *WORKERS, *which, *one_by_one, *(session.posargs or _find_marked()))


def _find_marked() -> list[str]:
    """Find the files whose tests may have the marker: to collect all takes seconds, twice."""
    named = re.compile(r"\bfull\b|\bpytestmark\b")
    files = [file for file in Path("tests").rglob("test_*.py") if file.parent.name != "clients"]
    return sorted(str(file) for file in files if named.search(file.read_text("utf-8")))


@nox.session(python=False)
def clients(session: nox.Session) -> None:
    """Run third-party clients of the emulator, and say why one is skipped."""
    session.run("pytest", "-m", "full", "-rsp", "tests/clients", *session.posargs)


@nox.session(venv_backend="uv|venv")
def oldest(session: nox.Session) -> None:
    """Run the tests with the oldest versions that pyproject.toml allows.

    With --no-venv, in the environment that is active: .ci/run has made it by then. Assertions
    explain themselves only with arguments after `--`: rewriting them all costs each worker seconds.
    """
    if session.venv_backend != "none":
        pins = session.run("python", ".ci/oldest.py", silent=True)
        file = Path(session.create_tmp(), "oldest.txt")
        file.write_text(str(pins), "utf-8")
        session.install("-e", ".[test]", "-c", str(file))
    ignored = [word for path in UNAFFECTED for word in ("--ignore", path)]
    words = session.posargs or ["--assert=plain"]
    session.run("pytest", *WORKERS, *ignored, *words, **HERE)


@nox.session(venv_backend="uv|venv")
def wheel(session: nox.Session) -> None:
    """Build sdist and wheel, check what is in them, and run the wheel outside the tree.

    Into the folder given after `--`, where a release uploads them from.
    """
    folder = Path(session.create_tmp())
    dist, examples = Path(*(session.posargs or [folder / "dist"])), folder / "examples"
    for old in (dist, examples):
        shutil.rmtree(old, ignore_errors=True)
    session.run(
        sys.executable, "-m", "build", "-q", "--installer", "uv", "--outdir", str(dist), **HERE
    )
    session.run(sys.executable, ".ci/release.py", str(dist), **HERE)
    session.install(*map(str, dist.glob("*.whl")))
    shutil.copytree("examples", examples, ignore=shutil.ignore_patterns(".reconciler"))
    session.chdir(folder)
    session.run("reconciler", "apply", "examples/quickstart", "--yes", silent=True)
    session.run("reconciler", "plan", "examples/quickstart", "--detailed-exitcode")
    session.run("reconciler", "schema", "meters", silent=True)
