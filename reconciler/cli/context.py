"""What a command gets from the command line: its options, its help and its surroundings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Generic

from msgspec import Struct

from ..clock import Clock
from ..model.project import Account
from ..render import FORMATS, Document
from .arguments import OptionsT
from .console import Console
from .output import Output
from .read_ahead import ReadAhead
from .signals import Stop

if TYPE_CHECKING:
    from ..operations.session import Session


class Context(Struct, frozen=True):
    """Everything outside the files and the network that a command may use."""

    console: Console
    environ: Mapping[str, str]
    clock: Clock
    stop: Stop
    output: Output
    ahead: ReadAhead
    unlisted: dict[str, Exception] = {}
    """Why the connected accounts of an entry could not be listed, by the name of the entry."""
    listed: dict[str, tuple[Account, ...]] = {}
    """What was listed for an entry, by its name: its connected accounts, or itself without them."""


PLAIN = ("text", "json")
"""The formats of a document that is not a report."""


class Command(Struct, Generic[OptionsT], frozen=True):
    """One command: its options, its help, and `act`, which does the work.

    `formats` are those of its document; an error can be written in all of them.
    """

    options: type[OptionsT]
    about: str
    act: Callable[[OptionsT, Context], Document]
    formats: tuple[str, ...] = FORMATS


def open_session(account: Account, context: Context) -> AbstractContextManager[Session]:
    """Open a session with an account that ends when the run is interrupted.

    Raise what `connect` raises, and why the accounts of an entry could not be listed.
    """
    from ..operations.session import connect  # `validate` must not pay for it
    from .progress import show_reading

    if error := context.unlisted.get(account.name):
        raise error

    return connect(
        account,
        environ=context.environ,
        clock=context.clock,
        stopped=context.stop,
        on_progress=partial(show_reading, context.console, account.name),
    )
