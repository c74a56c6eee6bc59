"""Ids in Stripe's shapes, reproducible: the same for the same account and the same count."""

from __future__ import annotations

import hashlib
import string
from functools import lru_cache

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SHAPES = {
    "mtr": ("61", 32),
    "price": ("1", 24),
    "prod": ("", 14),
    "sub": ("1", 24),
    "si": ("", 14),
    "cus": ("", 14),
    "alrt": ("", 14),
    "evt": ("1", 24),
    "mevt": ("1", 24),
    "mtrusg": ("60", 44),
    "mes": ("", 24),
    "mea": ("", 24),
}


def generate_object_id(kind: str, mode: str, salt: str, count: int) -> str:
    """Generate the id of the `count`-th object of a kind; of test meters it has `test` in it."""
    start, length = _SHAPES[kind]
    mode = "test_" if kind in ("mtr", "mtrusg") and mode == "test" else ""
    return f"{kind}_{mode}{start}{_hash(f'{salt}/{kind}/{count}', length - len(start))}"


def generate_thin_event_id(mode: str, salt: str, number: int) -> str:
    """Generate the id of an event of API v2, in a shape that no event of v1 has."""
    return f"evt_{'test_' if mode == 'test' else ''}65{_hash(f'{salt}/thin/{number}', 40)}"


def generate_request_id(salt: str, opened: int, number: int) -> str:
    """Generate the id of a request by its number since the state was opened."""
    return f"req_{_hash(f'{salt}/req/{opened}/{number}', 14)}"


@lru_cache(maxsize=2000)  # emulators of one account count alike: of a test suite they are many
def _hash(text: str, length: int) -> str:
    value = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    value %= 62**length  # a smaller number is divided faster
    digits = []
    for _ in range(length):
        value, digit = divmod(value, 62)
        digits.append(_DIGITS[digit])
    return "".join(digits)
