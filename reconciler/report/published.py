"""What `publish` did with each report."""

from __future__ import annotations

from msgspec import Struct

from .result import CommandResult


class Publication(Struct, frozen=True):
    """What became of the comment or issue of one account; `number` is that of the thread.

    `action` is created, updated, unchanged, deleted, closed, kept or none; `account` is empty for
    a report of no account, and `*` for one comment on many accounts.
    """

    account: str
    action: str
    number: int | None = None
    url: str = ""


class Published(CommandResult, frozen=True, kw_only=True):
    """The comments or issues of one run of `publish`."""

    target: str = ""
    posted: tuple[Publication, ...] = ()
