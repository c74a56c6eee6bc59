"""The tasks of this repository: `nox --list` names them, `nox -s NAME` runs one.

`lint`, `docs`, `test` and `full` run where nox is installed (`pip install -e '.[dev]'`); `oldest`
and `wheel` make an environment of their own. `.ci/run` runs them all.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "test"]

HERE = {"external": True}  # programs of the environment that nox is installed in
# What does not depend on the versions of dependencies: signals and kills, and the browser; stories
# and faults drive the same code as tests/operations.
UNAFFECTED = (
    "tests/process",
    "tests/stateful",
    "tests/faults/test_fault_matrix.py",
    "tests/render/test_browser.py",
)


@nox.session(python=False)
def lint(session: nox.Session) -> None:
    """Check the code: linter, format and types."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session(python=False)
def docs(session: nox.Session) -> None:
    """Build the documentation into site/, offline; a warning, such as a broken link, fails."""
    session.run("zensical", "build", "--clean", "--strict", *session.posargs)


@nox.session(python=False)
def test(session: nox.Session) -> None:
    """Run the quick suite, or the tests given after `--`."""
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session(python=False)
def full(session: nox.Session) -> None:
    """Run the whole matrix and longer stories, then clients that nobody here wrote.

    Of those it says why one is skipped.
    """
    profile = {"HYPOTHESIS_PROFILE": "build"}
    long = ("-m", "full or hypothesis", "-n", "2", "--ignore", "tests/clients")
    session.run("pytest", *long, *session.posargs, env=profile)
    if not session.posargs:
        session.run("pytest", "-m", "full", "-rsp", "tests/clients")


@nox.session(venv_backend="venv")
def oldest(session: nox.Session) -> None:
    """Run the tests with the oldest versions that pyproject.toml allows.

    With --no-venv, in the environment that is active: .ci/run has made it by then.
    """
    if session.venv_backend != "none":
        pins = session.run("python", ".ci/oldest.py", silent=True)
        file = Path(session.create_tmp(), "oldest.txt")
        file.write_text(str(pins), "utf-8")
        session.install("-e", ".[test]", "-c", str(file))
    ignored = [word for path in UNAFFECTED for word in ("--ignore", path)]
    session.run("pytest", "-n", "2", *ignored, *session.posargs, **HERE)


@nox.session(venv_backend="venv")
def wheel(session: nox.Session) -> None:
    """Build the wheel, and run it outside the tree."""
    folder = Path(session.create_tmp())
    dist, examples = folder / "dist", folder / "examples"
    for old in (dist, examples):
        shutil.rmtree(old, ignore_errors=True)
    session.run(sys.executable, "-m", "build", "-q", "--wheel", "--outdir", str(dist), **HERE)
    session.install(*map(str, dist.glob("*.whl")))
    shutil.copytree("examples", examples, ignore=shutil.ignore_patterns(".reconciler"))
    session.chdir(folder)
    session.run("reconciler", "apply", "examples/quickstart", "--yes", silent=True)
    session.run("reconciler", "plan", "examples/quickstart", "--detailed-exitcode")
    session.run("reconciler", "schema", "meters", silent=True)
