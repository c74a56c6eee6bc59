"""Write the document of a run: to standard output, and to files in other formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import combinations, product
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ..clock import Clock
from ..diagnostics.codes import usage
from ..diagnostics.diagnostic import Diagnostic, Level
from ..diagnostics.errors import Exit, UsageError, select_worst
from ..render import PLACED, Document, render_parts
from . import files
from .arguments import Options, Out
from .console import Console
from .places import find_base

if TYPE_CHECKING:
    from ..report.report import AccountReport  # which is imported with the first document

_MOST_LINES = 100  # errors on standard error, beside a document that has all of them


class Output(Struct, frozen=True):
    """The format of standard output, the files beside it, the targets by file name, and the -v.

    `path` and `workspace` are those that the places of a document are related to. With
    `keeps_files`, the report of a run that fails is not written to files.
    """

    format: str = "text"
    outs: tuple[Out, ...] = ()
    targets: Mapping[str, files.Target] = {}
    verbosity: int = 0
    path: str = "."
    workspace: str = ""
    keeps_files: bool = False

    def render(self, document: Document, name: str) -> tuple[str, ...]:
        """Return the parts of the document in a format."""
        if name not in PLACED:
            return render_parts(document, name)
        return render_parts(document, name, find_base(self.path, self.workspace))


@contextmanager
def open_output(options: Options, environ: Mapping[str, str], clock: Clock) -> Iterator[Output]:
    """Open every output of a run before it begins.

    Raise UsageError where two documents would share one output, where a file is protected and
    where it cannot be written. The summary file of a GitHub step is appended to.
    """
    to_stdout = [out.format for out in options.out if out.file == "-"]
    to_stdout += [options.format] if options.format else []
    if len(to_stdout) > 1:
        message = f"standard output would carry {len(to_stdout)} documents: {', '.join(to_stdout)}"
        raise UsageError(usage.TWO_DOCUMENTS(message))
    writes, summary = options.writes(), environ.get("GITHUB_STEP_SUMMARY", "")
    for (one, _), (other, _) in combinations(writes, 2):
        if files.is_same_file(one, other):
            raise UsageError(usage.TWO_DOCUMENTS(f"{other} would hold several documents"))
    for (file, _), (kept, what) in product(writes, options.reads()):
        if files.is_same_file(file, kept):
            raise UsageError(usage.PROTECTED_FILE(f"{file} is the {what}"))
        if files.is_json_file_of(file, kept):
            message = f"{file} is in {kept}, which holds the {what}"
            raise UsageError(usage.PROTECTED_FILE(message))
    with ExitStack() as stack:
        targets = {}
        for file, mode in writes:
            append = bool(summary) and files.is_same_file(file, summary)
            targets[file] = files.open_target(file, mode, clock, append=append)
            stack.callback(targets[file].close)
        outs = tuple(out for out in options.out if out.file != "-")
        stdout = to_stdout[0] if to_stdout else "text"
        workspace = environ.get("GITHUB_WORKSPACE", "")
        yield Output(
            stdout,
            outs,
            targets,
            options.verbose,
            options.first_path,
            workspace,
            keeps_files=options.keeps_files,
        )


StreamWriter = Callable[..., None]


def emit(
    document: Document,
    output: Output,
    console: Console,
    write: StreamWriter = files.Target.write,
) -> Exit:
    """Write the document everywhere and return the exit code of the run.

    Files come first, so that the document says which of them is lost; streams come last, since
    their reader can make them wait.
    """
    lost = tuple(_write_targets(document, output, streams=False))
    if lost:
        document = replace(
            document,
            diagnostics=(*document.diagnostics, *lost),
            own_exit=select_worst([document.own_exit, Exit.FAILED]),
        )
    for diagnostic in document.losses:
        console.warn(_format_line(diagnostic))
    _show_messages(document, output, console)
    late = []
    if not console.written:
        why = console.write_document(*_render_for_stdout(document, output, console))
        late += [files.describe_unwritable("standard output", why)] if why else []
    late += _write_targets(document, output, write, streams=True)
    for diagnostic in late:
        console.warn(_format_line(diagnostic))
    return select_worst([document.exit_code, *([Exit.FAILED] if late else [])])


def show_preview(planned: AccountReport, output: Output, console: Console) -> None:
    """Show a plan that is to be confirmed.

    Where standard output is the same terminal, the plan becomes the first part of the document
    and is not repeated at the end unless something was done; else it goes to standard error.
    """
    from ..render import text
    from ..report.report import Report

    plan = Report(command="plan", accounts=(planned,))
    if output.format == "text" and console.shares_terminal:
        console.shown[planned.account.name] = planned
        write, colours = console.write_beginning, console.colours
    else:
        write, colours = console.show, console.colours_errors
    write(text.render(plan, width=console.width, verbose=output.verbosity > 0, colours=colours))


def _show_messages(document: Document, output: Output, console: Console) -> None:
    """Show on standard error what the text on standard output does not say."""
    if document.is_data and output.format == "text":
        from ..render.sum_up import sum_up
        from ..render.text import render_messages

        told = document.said if output.verbosity else sum_up(document.said)
        said = [each for each in told if each.level is not Level.INFO or not console.quiet]
        console.show(render_messages(said, console.width, colours=console.colours_errors))
    elif console.written or output.format != "text":  # written already where a server was started
        errors = [each for each in document.said if each.level is Level.ERROR]
        for diagnostic in errors[:_MOST_LINES]:
            console.inform(_format_line(diagnostic))
        if len(errors) > _MOST_LINES:
            console.inform(f"{len(errors) - _MOST_LINES:,} more errors are in the document")


def _render_for_stdout(document: Document, output: Output, console: Console) -> tuple[str, ...]:
    if output.format != "text":
        return output.render(document, output.format)
    from ..render import text
    from ..report.report import Report

    if document.is_data and isinstance(document, Report):
        return ()
    if document.is_data:
        return (console.escape_unencodable(text.render(document)),)
    shown = text.render(
        document,
        console.shown,
        width=console.width,
        verbose=output.verbosity > 0,
        colours=console.colours,
    )
    return (shown,)


def _write_targets(
    document: Document,
    output: Output,
    write: StreamWriter = files.Target.write,
    *,
    streams: bool,
) -> Iterable[Diagnostic]:
    """Write to the targets that are streams, or to those that are not."""
    for out in output.outs:
        target = output.targets[out.file]
        if target.is_stream is not streams or (output.keeps_files and document.exit_code):
            continue
        try:
            write(target, *output.render(document, out.format))
        except files.FileError as error:
            yield from error.diagnostics


def _format_line(diagnostic: Diagnostic) -> str:
    text = " ".join(str(replace(diagnostic, hint="")).split())
    return f"{text} (hint: {diagnostic.hint})" if diagnostic.hint else text
