"""Follow a page of the documentation as its reader would: write its files, run its commands.

A page starts in an empty folder beside a copy of `examples/`. Of its blocks, these count:

- A block after a paragraph that ends with "`FILE`:" is the content of that file. A `diff` there
  changes the file.
- A `console` block has commands after `$ ` and their output. A command succeeds unless
  `$ echo $?` comes next. The progress of `apply`, which a terminal shows too, is left out.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from virtual import VirtualClock

README = Path(__file__).parents[1] / "README.md"
_SERVED = re.compile(r"http://127\.0\.0\.1:\d+")
PRINTED = "http://127.0.0.1:12111"
_BLOCK = re.compile(
    r"^(?:[^\n]*`(?P<file>[\w./-]+)`:\n\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)
_PROGRESS = re.compile(r"^done: .*\n", re.M)
_ENVIRONMENT = re.compile(r"([A-Z_]+)=(\S*)")
_ORDINARY = {"cat", "cp", "grep", "head", "ls", "mkdir", "mv", "rm"}


class Emulator:
    """An emulator in a process of its own, on a free port, and its output."""

    def __init__(self, words: list[str]) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *words, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._child.stdout
        self._output = self._child.stdout.readline()
        (self.url,) = _SERVED.findall(self._output)

    def end(self) -> str:
        """Stop it; return its output, with the default port."""
        self._child.terminate()
        rest, _ = self._child.communicate(timeout=10)
        assert self._child.returncode == 0
        return (self._output + rest).replace(self.url, PRINTED)


@dataclass
class Reader:
    """Someone who follows a page, and the outputs that they see, by the number of the command."""

    run: Run
    patch: pytest.MonkeyPatch
    outputs: list[str] = field(default_factory=list)
    _files: dict[Path, str] = field(default_factory=dict)
    _status: int = 0
    _serving: tuple[int, Emulator] | None = None

    def follow(self, text: str) -> str:
        """Return the page with what its commands print."""
        self.patch.setattr("reconciler.execution.executor.SIDE_BY_SIDE", 1)  # ids in one order
        self.patch.setattr("reconciler.emulator.server._SystemClock", lambda _: VirtualClock())
        try:
            for block in _BLOCK.finditer(text):
                if block["language"] == "console":
                    for command in _commands(block["text"]):
                        self._execute(command)
                elif block["file"]:
                    self._write(Path(block["file"]), block["language"], block["text"])
        finally:
            self._stop()
        outputs = iter(self.outputs)
        return _BLOCK.sub(lambda block: _with_output(block, outputs), text)

    def _write(self, path: Path, language: str, text: str) -> None:
        if language == "diff":
            old, new = (_side(text, sign) for sign in "-+")
            before = path.read_text("utf-8")
            assert before.count(old) == 1, f"{path} does not have these lines once:\n{old}"
            text = before.replace(old, new)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(PRINTED, self._url()), "utf-8")
        self._files[path.absolute()] = text

    def _execute(self, command: str) -> None:
        expected = command == "echo $?"
        assert expected or not self._status, f"exit code {self._status} before {command!r}"
        words = shlex.split(command)
        shown = f"{self._status}\n" if expected else self._output_of(words)
        self._status = 0 if expected else self._status
        self.outputs.append(shown.replace(self._url(), PRINTED))

    def _output_of(self, words: list[str]) -> str:
        while setting := _ENVIRONMENT.fullmatch(words[0]):
            self.patch.setenv(*setting.groups())
            words = words[1:]
        match words:
            case ["export", setting]:
                self.patch.setenv(*setting.split("=", 1))
            case ["cd", folder]:
                self.patch.chdir(folder)
            case ["reconciler", "emulate", *_]:
                self._serve(words[1:])
            case ["reconciler", *arguments]:
                return self._reconcile([each.replace(PRINTED, self._url()) for each in arguments])
            case [program, *_] if program in _ORDINARY:
                done = subprocess.run(words, capture_output=True, text=True, timeout=10)
                self._status = done.returncode
                return done.stdout + done.stderr
            case _:
                raise AssertionError(f"no page may run {words}")
        return ""

    def _reconcile(self, arguments: list[str]) -> str:
        *arguments, file = arguments if ">" in arguments else [*arguments, ""]
        ran = self.run(*arguments[: -1 if file else None])
        self._status = ran.code
        messages = _PROGRESS.sub("", ran.err)
        if not file:
            return messages + ran.out
        Path(file).write_text(ran.out, "utf-8")
        return messages

    def _serve(self, words: list[str]) -> None:
        self._stop()
        self._serving = len(self.outputs), Emulator(words)
        for path, text in self._files.items():
            if PRINTED in text:
                path.write_text(text.replace(PRINTED, self._url()), "utf-8")

    def _url(self) -> str:
        return self._serving[1].url if self._serving else PRINTED

    def _stop(self) -> None:
        """End the emulator, whose output is complete then."""
        if self._serving:
            number, emulator = self._serving
            self._serving = None
            self.outputs[number : number + 1] = [emulator.end()]


def _commands(text: str) -> list[str]:
    return re.findall(r"^\$ (.*)$", text, re.M)


def _side(text: str, sign: str) -> str:
    """Return the lines of a diff before (-) or after (+) the change."""
    lines = text.splitlines(keepends=True)
    return "".join(line[1:] or "\n" for line in lines if line[0] in (" ", "\n", sign))


def _with_output(block: re.Match[str], outputs: Iterator[str]) -> str:
    if block["language"] != "console":
        return block[0]
    head = block[0][: block.start("text") - block.start()]
    sessions = (f"$ {command}\n{next(outputs)}" for command in _commands(block["text"]))
    return f"{head}{''.join(sessions)}```"


def section(name: str, page: Path = README) -> str:
    """Return what is between `<!-- name -->` and the next `<!-- end -->`."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n(.*?)<!-- end -->", page.read_text(), re.S)
    assert found, f"{page.name} has no section {name!r}"
    return found.group(1)


def expect(name: str, wanted: str, request: pytest.FixtureRequest, page: Path = README) -> None:
    """Compare the section with this text; with --update-golden, write it."""
    if request.config.getoption("--update-golden"):
        head, rest = page.read_text().split(f"<!-- {name} -->\n", 1)
        tail = rest.split("<!-- end -->", 1)[1]
        page.write_text(f"{head}<!-- {name} -->\n{wanted}<!-- end -->{tail}")
    assert section(name, page) == wanted


def type_of(schema: dict[str, Any]) -> str:
    """Describe the type of a value in a few words."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "oneOf" in schema:
        return " or ".join(map(type_of, schema["oneOf"]))
    if "enum" in schema:
        return " ".join(f"`{value}`" for value in schema["enum"] if value is not None)
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}"
    types = schema["type"]
    return types if isinstance(types, str) else " or ".join(types)


def described(name: str, schema: dict[str, Any], shared: dict[str, Any]) -> Iterator[str]:
    """Yield the table of one object of a schema."""
    yield from ("", f"### {name}", "", schema["description"], "")
    yield from ("| key | type | meaning |", "|---|---|---|")
    for key, value in schema["properties"].items():
        refers = shared.get(value.get("$ref", "").rpartition("/")[2], {})
        meaning = value.get("description") or refers.get("description", "")
        yield f"| {key} | {type_of(value)} | {meaning} |".replace("  ", " ")
