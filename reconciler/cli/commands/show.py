"""`show`: print a saved plan."""

from __future__ import annotations

from typing import Annotated

from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...operations.show_plan import show_plan
from ...render import Document
from ...report.report import Report
from ..arguments import Options, positional
from ..context import Command, Context
from ..fleet.saved_plans import load_plans


class ShowOptions(Options, frozen=True, kw_only=True):
    """The file of the plan."""

    file: Annotated[
        str | None,
        positional("the file, or the folder of files, that `reconciler plan --save` wrote", "FILE"),
    ] = None

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the plan."""
        return ((self.file, "plan to show"),) if self.file else ()


def _show(options: ShowOptions, _: Context) -> Document:
    if options.file is None:
        hint = "`reconciler show FILE` prints what `reconciler plan --save FILE` wrote"
        raise UsageError(usage.BAD_OPTIONS("the file of the saved plan is missing", hint=hint))
    plans = load_plans(options.file)
    return Report(command="show", accounts=tuple(map(show_plan, plans.values())))


COMMAND = Command(
    ShowOptions,
    "Print a saved plan in any format, as it was made. Needs no key, and reads nothing but the "
    "file; whether the plan still holds is checked by `apply --plan`.",
    _show,
)
