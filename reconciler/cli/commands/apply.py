"""`apply`: plan (or load a saved plan), confirm, apply, verify, and keep a journal."""

from __future__ import annotations

from collections.abc import Mapping

from ...config import load
from ...diagnostics.codes import usage
from ...diagnostics.diagnostic import Diagnostic
from ...diagnostics.errors import UsageError
from ...planning.plan import Plan
from ...render import Document
from ..context import Command, Context
from ..fleet.options import APPLY_HELP, ApplyOptions, begin_ahead


def _check_options(options: ApplyOptions, context: Context) -> None:
    """Raise UsageError for options that cannot be combined, or need a terminal."""
    if options.dask and not (options.yes or options.plan):
        message = "--dask needs --yes or --plan FILE: the workers cannot ask"
        raise UsageError(usage.BAD_OPTIONS(message, hint=APPLY_HELP))
    if not (options.yes or options.plan or context.console.interactive):
        raise UsageError(usage.NO_TERMINAL("apply needs a terminal, --yes or --plan FILE"))
    if options.plan and options.only:
        message = "--only cannot narrow a saved plan"
        raise UsageError(usage.BAD_OPTIONS(message, hint=APPLY_HELP))
    if options.approved and options.expect is None:
        message = "--approved needs --expect: it shows what differs from the expected plan"
        raise UsageError(usage.BAD_OPTIONS(message, hint=APPLY_HELP))


def _apply(options: ApplyOptions, context: Context) -> Document:
    _check_options(options, context)
    saved, approved = _read_plans(options)
    project = load(options.path, begin_ahead(options, context, options.account or tuple(saved)))
    from ..fleet.apply import apply  # the account is being read meanwhile

    return apply(options, context, project, saved, approved)


def _read_plans(
    options: ApplyOptions,
) -> tuple[Mapping[str, Plan], Mapping[str, Plan] | Diagnostic | None]:
    """Return the saved plans to apply, and those that were approved."""
    if not (options.plan or options.approved):
        return {}, None
    from ..fleet.saved_plans import load_plans, read_approved  # other runs start faster without

    saved = load_plans(options.plan) if options.plan else {}
    return saved, read_approved(options.approved) if options.approved else None


COMMAND = Command(
    ApplyOptions,
    "Plan, show the plan, ask for confirmation, apply it and verify the account. A plan "
    "with a blocked or refused change writes nothing, unless --skip-refused is given.",
    _apply,
)
