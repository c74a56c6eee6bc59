"""The name of a configuration: the same for the same meaning, wherever its lines stand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Any

from ..model.project import Account


def digest(accounts: Iterable[Account], root: str) -> str:
    """SHA-256 over what the accounts mean, in hexadecimal; paths count from the project folder."""
    meaning = {account.name: _account(account, root) for account in accounts}
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"), default=str)
    return sha256(text.encode("ascii")).hexdigest()


def _account(account: Account, root: str) -> Any:
    meaning = _meaning(account)
    for path in ("emulator", "seed"):
        if meaning[path] is not None:
            meaning[path] = os.path.relpath(meaning[path], root).replace(os.sep, "/")
    return meaning


def _meaning(value: Any) -> Any:
    """A noun as plain values, without the places of its lines or the order of ids and patterns."""
    if isinstance(value, tuple):
        items = list(map(_meaning, value))
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    kind: Any = type(value)
    names = _field_names(kind)
    return {name: _meaning(getattr(value, name)) for name in names} if names else value


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    """The fields of a noun that mean something; none for a plain value."""
    return tuple(name for name in getattr(kind, "__dataclass_fields__", ()) if name != "location")
