"""Follow a page of the documentation as its reader would: write its files, run its examples.

A page starts in an empty folder beside a copy of `examples/`. Of its fenced blocks, these count:

- A `console` block has commands after `$ ` and their output. A command succeeds unless
  `$ echo $?` comes next. A line `...` matches any lines, and the id of a request any id.
  The progress of `apply`, which a terminal shows too, is left out.
- Any other block after a paragraph that ends with "`FILE`:" is the content of that file. A `diff`
  there changes the file.
- A `python` block that is no file runs, with the names of the blocks above it.

`<!-- skip: next -->` leaves out the next one of them.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from textwrap import indent

import pytest
from conftest import Run
from sybil import Document, Example, Lexeme, Region
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import SkipParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer
from virtual import VirtualClock, hurry

PRINTED = "http://127.0.0.1:12111"
_SERVED = re.compile(r"http://127\.0\.0\.1:\d+")
_NAMED = re.compile(r"`([\w./-]+)`:\n\n\Z")
_MARGIN = re.compile(" *")
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.M)
_REQUEST_ID = re.compile("req_[0-9A-Za-z]+")  # of requests side by side, the order decides
_PROGRESS = re.compile(r"^done: .*\n", re.M)
_ENVIRONMENT = re.compile(r"([A-Z_]+)=(\S*)")
_ORDINARY = {"cat", "cp", "grep", "head", "ls", "mkdir", "mv", "rm"}
_run_python = PythonEvaluator()


def find_blocks(page: Path, language: str) -> list[str]:
    """Return the text of each fenced block of a language."""
    document = Document.parse(str(page), FencedCodeBlockLexer(language))
    return [example.region.lexemes["source"] for example in document]


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
class Command:
    """A command of a page, what the page shows of its output, and what it has printed."""

    line: str
    shown: str = ""
    output: str = ""

    def text(self) -> str:
        """Return it as a page shows it: shortened where the page is right and does so."""
        parts = re.split(r"^\.\.\.\n", self.shown, flags=re.M)
        pattern = "(?:.*\n)*".join(map(re.escape, parts))
        right = re.fullmatch(_REQUEST_ID.sub(_REQUEST_ID.pattern, pattern), self.output)
        return f"$ {self.line}\n{self.shown if right else self.output}"


@dataclass
class Reader:
    """Someone who follows a page, and the sessions that they see, by their place on it."""

    run: Run
    patch: pytest.MonkeyPatch
    _sessions: list[tuple[Example, list[Command]]] = field(default_factory=list)
    _files: dict[Path, str] = field(default_factory=dict)
    _status: int = 0
    _serving: tuple[Command, Emulator] | None = None

    def follow(self, page: Path) -> str:
        """Return the page with what its commands print."""
        document = Document.parse(str(page), SkipParser(), self._parse)
        try:
            for example in document:
                example.evaluate()
        finally:
            self._stop()
        text = document.text
        for example, session in reversed(self._sessions):
            start = example.start + example.parsed.offset
            end = text.rindex("\n", start - 1, example.end) + 1
            shown = "".join(command.text() for command in session)
            text = text[:start] + indent(shown, _MARGIN.match(text, example.start)[0]) + text[end:]
        return text

    def _parse(self, document: Document) -> Iterable[Region]:
        """Yield the blocks that count, each with its evaluator."""
        for region in FencedCodeBlockLexer(r"\w+")(document):
            region.parsed = region.lexemes["source"]
            language = region.lexemes["language"]
            if language == "console":
                region.evaluator = self._execute_all
            elif _NAMED.search(document.text[: region.start]):
                region.evaluator = self._write
            elif language == "python":
                region.evaluator = self._run_python
            if region.evaluator:
                yield region

    def _write(self, example: Example) -> None:
        path = Path(_NAMED.search(example.document.text[: example.start])[1])
        text = str(example.parsed)
        if example.region.lexemes["language"] == "diff":
            old, new = (_side(text, sign) for sign in "-+")
            before = path.read_text("utf-8")
            assert before.count(old) == 1, f"{path} does not have these lines once:\n{old}"
            text = before.replace(old, new)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._localize(text), "utf-8")
        self._files[path.absolute()] = text

    def _run_python(self, example: Example) -> None:
        hurry(self.patch)
        source = example.parsed
        example.parsed = Lexeme(self._localize(source), source.offset, source.line_offset)
        _run_python(example)

    def _execute_all(self, example: Example) -> str | None:
        """Run the commands of a session; say which one has failed."""
        session = [Command(*found) for found in _COMMAND.findall(example.parsed)]
        self._sessions.append((example, session))
        for command, following in pairwise([*session, Command("")]):
            self._execute(command)
            if self._status and following.line != "echo $?":
                return f"$ {command.line}\n{command.output}exit code {self._status}"
        return None

    def _execute(self, command: Command) -> None:
        words = shlex.split(self._localize(command.line))
        while setting := _ENVIRONMENT.fullmatch(words[0]):
            self.patch.setenv(*setting.groups())
            words = words[1:]
        match words:
            case ["echo", "$?"]:
                command.output, self._status = f"{self._status}\n", 0
            case ["export", setting]:
                self.patch.setenv(*setting.split("=", 1))
            case ["cd", folder]:
                self.patch.chdir(folder)
            case ["reconciler", "emulate", *_]:
                self._serve(command, words[1:])
            case ["reconciler", *arguments]:
                command.output = self._reconcile(arguments).replace(self._url(), PRINTED)
            case [program, *_] if program in _ORDINARY:
                done = subprocess.run(words, capture_output=True, text=True, timeout=10)
                command.output = (done.stdout + done.stderr).replace(self._url(), PRINTED)
                self._status = done.returncode
            case _:
                raise AssertionError(f"no page may run {words}")

    def _reconcile(self, arguments: list[str]) -> str:
        """Return what is printed, except what `> FILE` at the end sends there."""
        redirected = arguments[-2:-1] == [">"]
        with self.patch.context() as patch:
            patch.setattr("reconciler.execution.executor.SIDE_BY_SIDE", 1)  # ids in one order
            patch.setattr("reconciler.emulator.server._SystemClock", lambda _: VirtualClock())
            ran = self.run(*arguments[: -2 if redirected else None])
        self._status = ran.code
        messages = _PROGRESS.sub("", ran.err)
        if not redirected:
            return messages + ran.out
        Path(arguments[-1]).write_text(ran.out, "utf-8")
        return messages

    def _serve(self, command: Command, words: list[str]) -> None:
        self._stop()
        self._serving = command, Emulator(words)
        for path, text in self._files.items():
            if PRINTED in text:
                path.write_text(self._localize(text), "utf-8")

    def _url(self) -> str:
        return self._serving[1].url if self._serving else PRINTED

    def _localize(self, text: str) -> str:
        """Return the text with the address of the emulator that runs."""
        return text.replace(PRINTED, self._url())

    def _stop(self) -> None:
        """End the emulator, whose output is complete then."""
        if self._serving:
            command, emulator = self._serving
            self._serving = None
            command.output = emulator.end()


def _side(text: str, sign: str) -> str:
    """Return the lines of a diff before (-) or after (+) the change."""
    lines = text.splitlines(keepends=True)
    return "".join(line[1:] or "\n" for line in lines if line[0] in (" ", "\n", sign))
