"""`plan`: show what apply would do; write nothing to Stripe."""

from __future__ import annotations

from ...config import load
from ...render import Document
from ..context import Command, Context
from ..fleet.options import PlanOptions, begin_ahead


def _plan(options: PlanOptions, context: Context) -> Document:
    project = load(options.path, begin_ahead(options, context, options.account))
    from ..fleet.plan import plan  # the account is being read meanwhile

    return plan(options, context, project)


COMMAND = Command(
    PlanOptions,
    "Compare the files with the account and show what apply would do. Writes nothing to Stripe.",
    _plan,
)
