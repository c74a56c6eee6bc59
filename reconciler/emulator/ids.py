"""Ids in Stripe's shapes, the same for the same account and the same count."""

from __future__ import annotations

import hashlib
import string

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SHAPES = {"mtr": ("61", 32), "price": ("1", 24), "evt": ("1", 24), "prod": ("", 14)}


def object_id(kind: str, mode: str, salt: str, count: int) -> str:
    """The id of the `count`-th object of a kind; meters of a test account say so in theirs."""
    start, length = _SHAPES[kind]
    mode = "test_" if (kind, mode) == ("mtr", "test") else ""
    return f"{kind}_{mode}{start}{_noise(f'{salt}/{kind}/{count}', length - len(start))}"


def request_id(salt: str, opened: int, number: int) -> str:
    """The id of the `number`-th request since the state was opened for the `opened`-th time."""
    return f"req_{_noise(f'{salt}/req/{opened}/{number}', 14)}"


def _noise(text: str, length: int) -> str:
    """Base-62 digits that look like chance."""
    value = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    digits = []
    for _ in range(length):
        value, digit = divmod(value, 62)
        digits.append(_DIGITS[digit])
    return "".join(digits)
