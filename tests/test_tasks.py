"""The tasks of the repository: one list for contributors, the build and the commit hooks."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
BUILD = (ROOT / ".ci" / "run").read_text("utf-8")
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]


def declared() -> set[str]:
    """The names of the sessions of noxfile.py."""
    tree = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {node.name for node in functions if "nox.session" in map(called, node.decorator_list)}


def called(decorator: ast.expr) -> str:
    return ast.unparse(decorator.func) if isinstance(decorator, ast.Call) else ""


def test_the_build_and_contributors_run_the_same_tasks():
    """The build runs the README's own command instead of `test`."""
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert set(re.findall(r"^\| `nox -s (\w+)` \|", page, re.M)) == declared()
    assert set(re.findall(r"\btask (\w+)", BUILD)) == declared() - {"test"}
    assert BUILD.index('bash -euo pipefail -c "$command"') < BUILD.index("begin check_oldest")


def test_the_matrix_is_found_by_its_text():
    """`full` collects the files that name a marker; one that is imported is for whole files."""
    helpers = (file for file in (ROOT / "tests").rglob("*.py") if not file.name.startswith("test_"))
    lend = [file for file in helpers if "mark.full" in file.read_text("utf-8")]
    assert [file.name for file in lend] == ["dask_world.py"]
    for file in (ROOT / "tests" / "process").glob("test_*.py"):
        text = file.read_text("utf-8")
        assert ("NEEDS_DASK" in text) <= ("\npytestmark = NEEDS_DASK\n" in text)


def test_the_build_is_a_valid_script():
    subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=True, timeout=30)


def test_hooks_run_what_the_project_installs():
    """No other versions than those of pyproject.toml: a hook has a program of the project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extra = " ".join(project["optional-dependencies"]["dev"])
    programs = {*re.findall(r"[A-Za-z-]+(?=>)", extra), *project["scripts"]}
    hooks = [hook for repo in HOOKS for hook in repo["hooks"]]
    assert [repo["repo"] for repo in HOOKS] == ["local"]
    assert {shlex.split(hook["entry"])[0] for hook in hooks} <= programs
    assert all(hook["language"] == "system" for hook in hooks)


def test_the_hook_of_the_examples_passes(run, monkeypatch):
    (entry,) = (h["entry"] for repo in HOOKS for h in repo["hooks"] if h["id"] == "examples")
    monkeypatch.chdir(ROOT)
    assert run(*shlex.split(entry)[1:]).code == 0


@pytest.mark.full
def test_the_runner_and_the_hooks_read_their_files(tmp_path):
    """Where they are installed, as on a build machine."""
    if not (shutil.which("nox") and shutil.which("pre-commit")):
        pytest.skip("nox and pre-commit are not installed")
    environ = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path), "NO_COLOR": "1"}
    listed = ["nox", "--list", "--noxfile", ROOT / "noxfile.py", "--envdir", tmp_path / "nox"]
    found = subprocess.run(listed, env=environ, capture_output=True, text=True, timeout=60)
    assert declared() <= set(re.findall(r"^[*-] (\w+) ->", found.stdout, re.M))
    config = ["pre-commit", "validate-config", ROOT / ".pre-commit-config.yaml"]
    subprocess.run(config, env=environ, check=True, timeout=60)
