"""Where the document of a run goes: standard output, and files in other formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..diagnostics.codes import usage
from ..diagnostics.diagnostic import Diagnostic, Level
from ..diagnostics.errors import Exit, UsageError, worst
from ..render import Document, render
from ..report.report import AccountReport, Report
from . import files
from .arguments import Options, Out
from .console import Console


@dataclass(frozen=True, slots=True)
class Output:
    """The format of standard output, and the files beside it."""

    format: str = "text"
    files: tuple[Out, ...] = ()
    verbose: bool = False


def outputs(options: Options) -> Output:
    """The places that a command line asks for.

    Raises UsageError where two documents meet in one, or would take the place of what the run
    reads, and FileError for a file that cannot be written: all before anything is done.
    """
    dashes = [out.format for out in options.out if out.file == "-"]
    spoken = [*dashes, *([options.format] if options.format else [])]
    if len(spoken) > 1:
        message = f"standard output would carry {len(spoken)} documents: {', '.join(spoken)}"
        raise UsageError(usage.TWO_DOCUMENTS(message))
    places = tuple(out for out in options.out if out.file != "-")
    written = options.writes()
    for name in written:
        if len([other for other in written if files.same(name, other)]) > 1:
            raise UsageError(usage.TWO_DOCUMENTS(f"{name} would hold several documents"))
        files.writable(name)
    if written:
        files.spare(written, options.reads())
    return Output(spoken[0] if spoken else "text", places, verbose=options.verbose > 0)


def emit(document: Document, output: Output, console: Console) -> Exit:
    """Write the document everywhere, files first, and return the exit code of the run."""
    lost = tuple(_written(document, output.files))
    if lost:
        document = replace(
            document,
            diagnostics=(*document.diagnostics, *lost),
            own_exit=worst([document.own_exit, Exit.FAILED]),
        )
    for diagnostic in document.losses:
        console.warn(_on_one_line(diagnostic))
    if console.said or output.format != "text":  # said already: a server began to serve
        for diagnostic in document.said:
            if diagnostic.level is Level.ERROR:
                console.note(_on_one_line(diagnostic))
    if console.said or not (why := console.say(_spoken(document, output, console))):
        return document.exit_code
    console.warn(_on_one_line(files.unwritable("standard output", why)))
    return worst([document.exit_code, Exit.FAILED])


def preview(planned: AccountReport, output: Output, console: Console) -> None:
    """Show a plan that somebody is asked about.

    Where standard output is what that person looks at, it becomes the first part of the
    document, and is not said again unless something came of it; else it is shown aside.
    """
    from ..render.text import coloured, render

    plan = Report(command="plan", accounts=(planned,))
    if output.format == "text" and console.one_terminal:
        console.shown[planned.account.name] = planned
        paint = coloured if console.colours else render
        console.begin(paint(plan, verbose=output.verbose))
    else:
        paint = coloured if console.colours_aside else render
        console.show(paint(plan, verbose=output.verbose))


def _spoken(document: Document, output: Output, console: Console) -> str:
    if output.format != "text":
        return render(document, output.format)
    from ..render import text

    paint = text.coloured if console.colours else text.render
    return paint(document, console.shown, verbose=output.verbose)


def _written(document: Document, places: Iterable[Out]) -> Iterable[Diagnostic]:
    for out in places:
        try:
            files.write(out.file, render(document, out.format))
        except files.FileError as error:
            yield from error.diagnostics


def _on_one_line(diagnostic: Diagnostic) -> str:
    said = " ".join(str(replace(diagnostic, hint="")).split())
    return f"{said} (hint: {diagnostic.hint})" if diagnostic.hint else said
