"""List the connected accounts of an entry that covers all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from msgspec.structs import replace

from ..diagnostics.codes import fleet
from ..diagnostics.codes.config import SAME_ACCOUNT
from ..diagnostics.errors import ConfigError
from ..model.project import Account, Project
from ..operations.session import Session


def list_connected(
    project: Project,
    entry: Account,
    open_session: Callable[[Account], AbstractContextManager[Session]],
) -> tuple[Account, ...]:
    """Return an account for each one that is connected to the key's account now.

    Raises ConfigError where there is none, and where another entry has one of them; StripeError
    if the list cannot be read.
    """
    with open_session(replace(entry, connected=None)) as session:
        ids = session.list_connected()
    if not ids:
        message = f"no account is connected to the platform of {entry.name!r}"
        raise ConfigError(fleet.NO_CONNECTED_ACCOUNTS(message))
    others = [each for each in project.accounts if each.livemode is entry.livemode]
    taken = {id_: other.name for other in others for id_ in _list_ids(other)}
    if clashes := [id_ for id_ in ids if id_ in taken]:
        names = ((f"{entry.name}/{id_}", taken[id_]) for id_ in clashes)
        messages = (f"accounts {one!r} and {other!r} are the same account" for one, other in names)
        raise ConfigError(*map(SAME_ACCOUNT, messages))
    return entry.expand(ids)


def _list_ids(account: Account) -> Iterator[str]:
    """Yield the ids of the accounts that the requests of an entry act on, as far as known."""
    if account.connected:
        yield from account.connected.ids or ()
    elif named := account.stripe_context or account.stripe_account or account.account_id:
        yield named.rsplit("/", 1)[-1]
