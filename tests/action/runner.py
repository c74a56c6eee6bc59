"""A runner of GitHub Actions: evaluates the steps of a composite action with bash, as GitHub does.

It knows the expressions that `action.yml` uses and refuses any other, so that none is skipped.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from publish.fake_host import TOKEN

from reconciler.action.__main__ import main

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
_TERM = re.compile(r"(?P<name>[\w.-]+) (?P<sign>==|!=) '(?P<text>[^']*)'")


@dataclass
class Runner:
    """One job: its folder, its environment, and what the steps left behind."""

    workspace: Path
    folder: Path
    environ: Mapping[str, str]
    token: str = TOKEN
    log: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    uploaded: list[dict[str, str]] = field(default_factory=list)
    seen: dict[str, dict[str, str]] = field(default_factory=dict)
    installs: bool = False
    read: Callable[[], str] | None = None
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The summary of the job."""
        file = self.folder / "summary.md"
        return file.read_text("utf-8") if file.exists() else ""

    def use(self, **given: str) -> tuple[bool, dict[str, str]]:
        """Run the action with these inputs; return whether it passed, and its outputs."""
        assert set(given) <= set(ACTION["inputs"])
        known = {name: it.get("default", "") for name, it in ACTION["inputs"].items()}
        inputs = known | {"comment": "false"} | given
        passed = True
        self.outputs = {}
        for step in ACTION["runs"]["steps"]:
            condition = step.get("if", "success()")
            if self._holds(condition, inputs, passed):
                done = self._do(step, inputs) or step.get("continue-on-error", False)
                passed = done and passed
        values = {name: self._expand(it["value"], inputs) for name, it in ACTION["outputs"].items()}
        return passed, values

    def _do(self, step: Mapping[str, Any], inputs: Mapping[str, str]) -> bool:
        given = step.get("with", {})
        values = {name: self._expand(str(value), inputs) for name, value in given.items()}
        if step.get("uses", "").startswith("actions/setup-python@"):
            self.outputs[step["id"]] = {"python-path": sys.executable}
            return True
        if step.get("uses", "").startswith("actions/download-artifact@"):
            return self._download(values)
        if "uses" in step:
            assert step["uses"].startswith("actions/upload-artifact@")
            self._upload(values)
            return True
        if step["id"] == "install" and not self.installs:
            self.outputs["install"] = {"python": sys.executable}
            return True
        return self._bash(step, inputs)

    def _upload(self, given: Mapping[str, str]) -> None:
        """Keep the files of a folder, or one file, as the artifact of this run."""
        self.uploaded.append(dict(given))
        path = Path(given["path"])
        files = {it.name: it.read_bytes() for it in ([path] if path.is_file() else path.iterdir())}
        run = int(self.environ["GITHUB_RUN_ID"])
        self.artifacts[given["name"]] = {"run": run, "files": files, "expired": False}

    def _download(self, given: Mapping[str, str]) -> bool:
        """Write the files of the artifact of a run; none matches without failing."""
        assert (given["merge-multiple"], given["github-token"]) == ("True", self.token)
        found = self.artifacts.get(given["pattern"], {"run": 0})
        if found.get("broken"):
            return False
        if str(found["run"]) == given["run-id"]:
            for name, content in found["files"].items():
                Path(given["path"], name).write_bytes(content)
        return True

    def _bash(self, step: Mapping[str, Any], inputs: Mapping[str, str]) -> bool:
        assert (step["shell"], "${{" in step["run"]) == ("bash", False)
        given = {name: self._expand(value, inputs) for name, value in step["env"].items()}
        script, output = self.folder / "step.sh", self.folder / "output"
        script.write_text(step["run"], "utf-8")
        output.write_text("", "utf-8")
        files = {
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "RUNNER_TEMP": str(self.folder),
        }
        self.seen[step["id"]] = {**self.environ, **given}
        environ = {"PATH": os.environ["PATH"], **self.environ, **files, **given}
        code = (self._run if self.read is None else self._call)(script, environ)
        lines = output.read_text("utf-8").splitlines()
        self.outputs[step["id"]] = dict(line.split("=", 1) for line in lines)
        return code == 0

    def _run(self, script: Path, environ: Mapping[str, str]) -> int:
        """Run a script with bash, as the runner does."""
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            env=environ,
            cwd=self.workspace,
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.log += ran.stdout + ran.stderr
        return ran.returncode

    def _call(self, script: Path, environ: Mapping[str, str]) -> int:
        """Call what the script starts, in this process, which is a tenth of the time."""
        found = re.fullmatch(
            r'"\$PYTHON" -I -m reconciler\.action (\w+)', script.read_text("utf-8")
        )
        assert found
        assert self.read
        with patch.dict(os.environ, environ, clear=True), chdir(self.workspace):
            code = main([found[1]])
        self.log += self.read()
        return int(code)

    def _holds(self, condition: str, inputs: Mapping[str, str], passed: bool) -> bool:
        """Whether a condition holds; one that does not ask for the status needs success."""
        terms = condition.split(" && ")
        if not {"always()", "success()"} & set(terms):
            terms.append("success()")
        known = {"always()": True, "success()": passed}
        return all(known[it] if it in known else self._compare(it, inputs) for it in terms)

    def _compare(self, term: str, inputs: Mapping[str, str]) -> bool:
        found = _TERM.fullmatch(term)
        assert found, term
        return (self._value(found["name"], inputs) == found["text"]) == (found["sign"] == "==")

    def _expand(self, text: str, inputs: Mapping[str, str]) -> str:
        return _EXPRESSION.sub(lambda it: self._value(it[1], inputs), text)

    def _value(self, name: str, inputs: Mapping[str, str]) -> str:
        match name.split("."):
            case ["inputs", key]:
                return inputs[key]
            case ["github", "action_path"]:
                return str(ROOT)
            case ["github", "token"]:
                return self.token
            case ["steps", step, "outputs", key]:
                assert step in {it.get("id") for it in ACTION["runs"]["steps"]}
                return self.outputs.get(step, {}).get(key, "")
        raise AssertionError(f"unknown expression: {name}")


def write_event(folder: Path, payload: object) -> str:
    """Write the payload of an event; return its file."""
    file = folder / "event.json"
    file.write_text(json.dumps(payload), "utf-8")
    return str(file)
