"""The tools of each language find nothing in generated code: formatters, type checkers, linters."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from codegen.meters import SETS
from hypothesis import Phase, given, settings

from reconciler.codegen import generate

pytestmark = [pytest.mark.full, pytest.mark.long]
_FILES = {"python": "meters.py", "typescript": "meters.ts", "go": "meters.go"}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty sets of meters, each in a folder of its own."""
    root = tmp_path_factory.mktemp("code")

    @settings(max_examples=20, phases=[Phase.generate])
    @given(meters=SETS)
    def write(meters):
        folder = root / f"m{len(list(root.iterdir()))}"
        folder.mkdir()
        for language, file in _FILES.items():
            (folder / file).write_text(generate(meters, language), "utf-8")

    write()
    return root


def check(folder: Path, *command: str) -> None:
    """Run a command in a folder; it must find nothing."""
    flags = f"-mod=mod {os.environ.get('GOFLAGS', '')}"
    environ = {**os.environ, "GOFLAGS": flags, "GOPROXY": "off"}
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environ)
    assert (ran.returncode, ran.stdout if command[0] == "gofmt" else "") == (0, ""), (
        ran.stdout[-3000:] + ran.stderr[-1000:]
    )


@pytest.mark.parametrize(
    "words",
    [
        ["ruff", "format", "--check", "--isolated", "."],
        ["ruff", "check", "--isolated", "."],
        ["mypy", "--strict", "--no-incremental", "--config-file=", "m1/meters.py"],
    ],
    ids=" ".join,
)
def test_python(samples, words):
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    check(samples, sys.executable, "-m", *words)


def test_go(samples):
    if not shutil.which("go"):
        pytest.skip("go is not installed")
    (samples / "go.mod").write_text("module example.com/meters\n\ngo 1.20\n")
    check(samples, "gofmt", "-l", ".")
    check(samples, "go", "vet", "./...")


@pytest.fixture(scope="module")
def node_tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of prettier and tsc."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--no-audit", "--no-fund", "prettier@3", "typescript@5"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        pytest.skip(f"npm cannot install prettier and typescript: {ran.stderr[-200:]}")
    return folder / "node_modules" / ".bin"


def test_typescript(samples, node_tools):
    check(samples, str(node_tools / "prettier"), "--check", "*/meters.ts")
    files = [str(file) for file in samples.glob("*/meters.ts")]
    strict = ["--strict", "--noEmit", "--target", "es2022", "--noUnusedLocals"]
    check(samples, str(node_tools / "tsc"), *strict, *files)
