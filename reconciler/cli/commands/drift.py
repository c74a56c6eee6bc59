"""`drift`: report what differs in an account, how bad, since when and who did it; read-only."""

from __future__ import annotations

from ...config import load
from ...render import Document
from ..context import Command, Context
from ..fleet.options import DriftOptions, begin_ahead


def _detect(options: DriftOptions, context: Context) -> Document:
    project = load(options.path, begin_ahead(options, context, options.account))
    from ..fleet.drift import detect  # the account is being read meanwhile

    return detect(options, context, project)


COMMAND = Command(
    DriftOptions,
    "Compare the account with the files: what differs, how bad it is, since when, and "
    "who changed it. Read-only: works with a read-only key and sends no POST.",
    _detect,
)
