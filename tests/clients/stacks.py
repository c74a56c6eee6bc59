"""Runtimes of other languages, and packages for them in a cache; a test without one is skipped."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent
NODE_PACKAGES = ("@stripe/cli@1.52.0", "jest@30.5.2", "stripe@23.1.0")


@cache
def find_program(name: str) -> str:
    """Find a program, or skip the test."""
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


@cache
def find_module(path: str, version: str) -> Path:
    """Find a Go module in the module cache, where it is downloaded if it is not there."""
    words = [find_program("go"), "mod", "download", "-json", f"{path}@{version}"]
    return Path(json.loads(_install(words, SOURCES))["Dir"])


@cache
def install_go(path: str, version: str) -> Path:
    """Install the program of a Go module, and return its path."""
    go = find_program("go")
    with _cache("go-bin") as folder:
        program = folder / path.rpartition("/")[2]
        if not program.exists():
            _install([go, "install", f"{path}@{version}"], folder, GOBIN=str(folder))
        return program


@cache
def install_node() -> Path:
    """Install Stripe's packages and Jest, and return their folder; programs are in `.bin`."""
    npm = find_program("npm")
    find_program("node")
    with _cache("node") as folder:
        (folder / "package.json").write_text('{"private": true}', "utf-8")
        done = folder / "installed.txt"
        if not done.exists() or done.read_text("utf-8").split() != list(NODE_PACKAGES):
            quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
            _install([npm, "install", *quiet, *NODE_PACKAGES], folder)
            done.write_text("\n".join(NODE_PACKAGES), "utf-8")
        return folder / "node_modules"


@cache
def build_go(name: str) -> Path:
    """Build the Go program in a folder of this one, and return its path."""
    go = find_program("go")
    with _cache(f"go-{name}") as folder:
        for source in (SOURCES / name).iterdir():
            shutil.copy(source, folder / source.name.removesuffix(".txt"))
        _install([go, "mod", "tidy"], folder)
        run(go, "build", "-o", "client", ".", cwd=folder)
        return folder / "client"


def run_go_tests(sources: Iterable[Path], **environment: str) -> str:
    """Run `go test` on these files, beside the dependencies of the program in `go`."""
    go = find_program("go")
    with _cache("go-test") as folder:
        shutil.copy(SOURCES / "go" / "go.mod.txt", folder / "go.mod")
        for source in sources:
            shutil.copy(source, folder)
        _install([go, "mod", "tidy"], folder)
        # without `go vet`, which would check all that they import
        return run(go, "test", "-count=1", "-vet=off", "-v", ".", cwd=folder, **environment)


def run(*words: str | Path, cwd: Path | None = None, **environment: str) -> str:
    """Run a program to its successful end, and return its output."""
    ran = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@contextmanager
def _cache(name: str) -> Iterator[Path]:
    """Yield a folder that is kept for the next run, while no other process uses it."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "meter-reconciler" / "clients" / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _install(words: list[str], folder: Path, **environment: str) -> str:
    """Run a command that may download; where it cannot, the test is skipped."""
    ran = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if ran.returncode:
        last = (ran.stderr.strip() or ran.stdout.strip()).splitlines()[-1:]
        pytest.skip(f"{Path(words[0]).name} cannot install what it needs: {' '.join(last)[:200]}")
    return ran.stdout
