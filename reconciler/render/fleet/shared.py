"""Each change or finding of many accounts once, with the accounts that have it."""

from __future__ import annotations

from collections.abc import Hashable

from msgspec import Struct
from msgspec.structs import replace

from ...diagnostics.shorten import list_some, shorten
from ..labels import count
from ..sum_up import sum_up
from ..view import Item, View
from .groups import EXAMPLES, describe_outcome, has_many


class SharedItem(Struct, frozen=True, dict=True):
    """One change or finding that is the same in one or more accounts; `item` is the first of it."""

    item: Item
    accounts: tuple[str, ...]


def share_items(view: View) -> list[SharedItem]:
    """Return each change or finding once, with the accounts that have it, the worst first.

    Ids and times may differ among the accounts; fields, refusals, errors and findings do not.
    """
    same: dict[Hashable, list[Item]] = {}
    for item in view.shown:
        same.setdefault(describe_item(item), []).append(item)
    return [SharedItem(some[0], tuple(item.account for item in some)) for some in same.values()]


def describe_item(item: Item) -> Hashable:
    """Return what a change or finding has in common with the same one of another account."""
    change, error = item.change, item.error
    return (
        item.event_name,
        describe_outcome(item),
        item.fields,
        change.refused_by if change else (),
        error.code if error else None,
        tuple(said.code for said in item.diagnostics),
        tuple((found.severity, found.exemption) for found in item.findings),
    )


def condense(view: View) -> View:
    """Return a view with each change or finding once, and many diagnostics of a kind as a few.

    The account of an item then names all that have it. The accounts of the view are as before.
    """
    if not has_many(view):
        return view
    items = [
        replace(each.item, account=describe_shared(each, len(view.accounts)))
        for each in share_items(view)
    ]
    named = [
        replace(said, message=f"{whose}: {said.message}") if whose else said
        for whose, said in view.unattached
    ]
    return replace(view, items=items, unattached=[("", said) for said in sum_up(named)])


def describe_shared(shared: SharedItem, accounts: int) -> str:
    """Return which of the accounts have a change or finding, and whose ids it has."""
    names = [shorten(name) for name in shared.accounts]
    if len(names) == 1:
        return names[0]
    every = "all " if len(names) == accounts else ""
    known = shared.item.meter_id or shared.item.others or shared.item.prices
    ids = f"; ids are those of {names[0]}" if known else ""
    return f"{every}{count(len(names), 'account')}: {list_some(names, EXAMPLES)}{ids}"
