"""Keep one comment for each account: update it in place, and hide the ones that are outdated."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.codes import publishing as rules
from ..diagnostics.diagnostic import Diagnostic, Level
from ..diagnostics.errors import ReconcilerError
from ..report.published import Publication, Published
from .host import Posted, UncertainError
from .message import Message

_TRIES = 3  # to create a comment whose request may have had an effect


class Unchanged(StrEnum):
    """What to do with the comment of an account where nothing changes."""

    COMMENT = "comment"
    UPDATE = "update"  # but do not begin one
    DELETE = "delete"


class CommentHost(Protocol):
    """Where comments are written; only those of the token's owner are listed."""

    def list_comments(self, number: int) -> list[Posted]:
        """Return the own comments, oldest first."""

    def create_comment(self, number: int, body: str) -> Posted:
        """Add a comment."""

    def update_comment(self, comment: Posted, body: str) -> Posted:
        """Replace the text of a comment."""

    def delete_comment(self, comment: Posted) -> None:
        """Delete a comment."""

    def hide_comment(self, comment: Posted) -> None:
        """Hide an outdated comment."""


class _Ended(Struct, frozen=True):
    """What became of a comment; `hidden` are the warnings of those that could not be hidden."""

    action: str
    url: str = ""
    said: tuple[Diagnostic, ...] = ()


def post_comments(
    host: CommentHost, number: int, messages: list[Message], unchanged: Unchanged
) -> Published:
    """Bring the comments of a pull request up to date; raise what the host raises."""
    known = host.list_comments(number)
    results: list[Publication] = []
    said: list[Diagnostic] = []
    for message in messages:
        ended = _post(host, number, message, unchanged, known)
        results.append(Publication(message.account, ended.action, number, ended.url))
        said += ended.said
        if message.short and ended.action != "none":
            text = f"the comment of {message.account or 'the project'} is shortened"
            said.append(rules.SHORTENED(f"{text}: it is no approval"))
    return Published(diagnostics=tuple(said), posted=tuple(results))


def _post(
    host: CommentHost, number: int, message: Message, unchanged: Unchanged, known: list[Posted]
) -> _Ended:
    ours = _select(known, message.marker)
    replaced = [each for one in message.replaces for each in _select(known, one)]
    newest = ours[-1] if ours else None
    if unchanged is Unchanged.DELETE and not message.has_news:
        for comment in (*ours, *replaced):
            host.delete_comment(comment)
        return _Ended("deleted" if ours else "none")
    said = tuple(_hide(host, [*ours[:-1], *replaced]))
    if newest is None and unchanged is not Unchanged.COMMENT and not message.has_news:
        return _Ended("none", said=said)
    return replace(_write(host, number, message, newest), said=said)


def _select(known: list[Posted], marker: str) -> list[Posted]:
    """Return the comments that begin with a marker."""
    return [each for each in known if each.body.lstrip().splitlines()[:1] == [marker]]


def _write(host: CommentHost, number: int, message: Message, newest: Posted | None) -> _Ended:
    """Update a comment, or add one; after an unclear answer, look whether it is there."""
    for attempt in range(1, _TRIES + 1):
        if newest is not None:
            if newest.body.split() == message.body.split():
                return _Ended("unchanged", newest.url)
            return _Ended("updated", host.update_comment(newest, message.body).url)
        try:
            return _Ended("created", host.create_comment(number, message.body).url)
        except UncertainError:
            found = _select(host.list_comments(number), message.marker)
            if not found and attempt == _TRIES:
                raise
            newest = found[-1] if found else None
    raise AssertionError("the last attempt returns or raises")


def _hide(host: CommentHost, older: list[Posted]) -> Iterator[Diagnostic]:
    """Hide outdated comments; that one stays visible does not fail a run."""
    for comment in older:
        try:
            host.hide_comment(comment)
        except ReconcilerError as error:
            for diagnostic in error.diagnostics:
                message = f"an outdated comment stays visible: {diagnostic.message}"
                yield replace(diagnostic, level=Level.WARNING, message=message)
