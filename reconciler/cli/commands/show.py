"""`show`: print a saved plan."""

from __future__ import annotations

from dataclasses import dataclass

from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...operations.show_plan import show_plan
from ...planning import plan_file
from ...render import Document
from ...report.report import Report
from .. import files
from ..arguments import Options, positional
from ..context import Command, Context


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOptions(Options):
    """The file of the plan."""

    file: str | None = positional("the file that `reconciler plan --save` wrote", "FILE")


def _show(options: ShowOptions, _: Context) -> Document:
    if options.file is None:
        hint = "`reconciler show FILE` prints what `reconciler plan --save FILE` wrote"
        raise UsageError(usage.BAD_OPTIONS("the file of the saved plan is missing", hint=hint))
    text = files.read(options.file, files.SAVED_PLAN)
    plan = plan_file.load_plan(text, options.file)
    return Report(command="show", accounts=(show_plan(plan),))


COMMAND = Command(
    ShowOptions,
    "Print a saved plan in any format, as it was made. Needs no key, and reads nothing but the "
    "file; whether the plan still holds is checked by `apply --plan`.",
    _show,
)
