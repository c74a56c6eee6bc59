"""Where the document of a run goes: standard output, and files in other formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..diagnostics.codes import usage
from ..diagnostics.diagnostic import Level, Problem
from ..diagnostics.errors import Exit, UsageError, worst
from ..render import Document, render
from ..report.report import AccountReport, Report
from . import files
from .arguments import Out, Words
from .console import Screen


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
    if lost:
        document = replace(
            document,
            problems=(*document.problems, *lost),
            own_exit=worst([document.own_exit, Exit.FAILED]),
        )
    for problem in document.losses:
        screen.warn(_on_one_line(problem))
    if screen.said or output.format != "text":  # said already: a server began to serve
        for problem in document.said:
            if problem.level is Level.ERROR:
                screen.note(_on_one_line(problem))
    if screen.said or not (why := screen.say(_spoken(document, output, screen))):
        return document.exit_code
    screen.warn(_on_one_line(files.unwritable("standard output", why)))
    return worst([document.exit_code, Exit.FAILED])


def preview(planned: AccountReport, output: Output, screen: Screen) -> None:
    """Show a plan that somebody is asked about.

    Where standard output is what that person looks at, it becomes the first part of the
    document, and is not said again unless something came of it; else it is shown aside.
    """
    from ..render.text import coloured, render

    plan = Report(verb="plan", accounts=(planned,))
    if output.format == "text" and screen.one_terminal:
        screen.shown[planned.account.name] = planned
        screen.begin(coloured(plan) if screen.colours else render(plan))
    else:
        screen.show(coloured(plan) if screen.colours_aside else render(plan))


def _spoken(document: Document, output: Output, screen: Screen) -> str:
    if output.format != "text":
        return render(document, output.format)
    from ..render import text

    paint = text.coloured if screen.colours else text.render
    return paint(document, screen.shown)


def _written(document: Document, places: Iterable[Out]) -> Iterable[Problem]:
    for out in places:
        try:
            files.write(out.file, render(document, out.format))
        except files.FileError as error:
            yield from error.problems


def _on_one_line(problem: Problem) -> str:
    said = " ".join(str(replace(problem, hint="")).split())
    return f"{said} (hint: {problem.hint})" if problem.hint else said
