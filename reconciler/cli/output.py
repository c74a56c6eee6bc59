"""Where the document of a run goes: standard output, and files in other formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..codes import usage
from ..inventory import Inventory
from ..past.history import History
from ..problem import Exit, Level, Problem, UsageError, worst
from ..render import Document, render
from ..report import Report
from . import files
from .screen import Screen
from .words import Out, Words


@dataclass(frozen=True, slots=True)
class Output:
    """The format of standard output, and the files beside it."""

    format: str = "text"
    files: tuple[Out, ...] = ()


def outputs(words: Words) -> Output:
    """The places that a command line asks for.

    Raises UsageError where two documents meet in one, or would take the place of what the run
    reads, and FileError for a file that cannot be written: all before anything is done.
    """
    dashes = [out.format for out in words.out if out.file == "-"]
    spoken = [*dashes, *([words.format] if words.format else [])]
    if len(spoken) > 1:
        message = f"standard output would carry {len(spoken)} documents: {', '.join(spoken)}"
        raise UsageError(usage.TWO_DOCUMENTS(message))
    places = tuple(out for out in words.out if out.file != "-")
    written = words.writes()
    for name in written:
        if len([other for other in written if files.same(name, other)]) > 1:
            raise UsageError(usage.TWO_DOCUMENTS(f"{name} would hold several documents"))
        files.writable(name)
    if written:
        files.spare(written, words.reads())
    return Output(spoken[0] if spoken else "text", places)


def emit(document: Document, output: Output, screen: Screen) -> Exit:
    """Write the document everywhere, files first, and return the exit code of the run."""
    lost = tuple(_written(document, output.files))
    if lost and isinstance(document, Report | Inventory | History):
        document = replace(
            document,
            problems=(*document.problems, *lost),
            own_exit=worst([document.own_exit, Exit.FAILED]),
        )
    if screen.said or output.format != "text":  # said already: a server began to serve
        for problem in _errors(document):
            screen.note(_on_one_line(problem))
    code = document.exit_code if isinstance(document, Report | Inventory | History) else Exit.DONE
    if screen.said or not (why := screen.say(_spoken(document, output.format, screen))):
        return code
    screen.warn(_on_one_line(files.unwritable("standard output", why)))
    return worst([code, Exit.FAILED])


def _spoken(document: Document, name: str, screen: Screen) -> str:
    if name == "text" and screen.colours:
        from ..render.text import coloured

        return coloured(document)
    return render(document, name)


def _written(document: Document, places: Iterable[Out]) -> Iterable[Problem]:
    for out in places:
        try:
            files.write(out.file, render(document, out.format))
        except files.FileError as error:
            yield from error.problems


def _on_one_line(problem: Problem) -> str:
    said = " ".join(str(replace(problem, hint="")).split())
    return f"{said} (hint: {problem.hint})" if problem.hint else said


def _errors(document: Document) -> tuple[Problem, ...]:
    """Every error of a document, wherever it stands."""
    if not isinstance(document, Report | Inventory | History):
        return ()
    accounts = () if isinstance(document, History) else document.accounts
    below = [problem for account in accounts for problem in account.problems]
    return tuple(p for p in (*document.problems, *below) if p.level is Level.ERROR)
