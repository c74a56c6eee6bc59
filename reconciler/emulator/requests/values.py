"""Parameters with values of their own kind: arrays of hashes, words beside numbers, currencies."""

from __future__ import annotations

import re
from typing import Any

from ..errors import RequestError
from .currencies import CURRENCIES
from .params import Param, Shape, Whole, parse_params

_INDEX = re.compile(r"\d{1,4}", re.ASCII)


class Unset(Param, frozen=True):
    """A value that an empty one removes; None means that."""

    inner: Param

    def _parse(self, name: str, raw: Any) -> Any:
        return None if raw == "" else self.inner._parse(name, raw)


class WordOr(Param, frozen=True):
    """One of these words, or another value."""

    words: tuple[str, ...]
    inner: Param

    def _parse(self, name: str, raw: Any) -> Any:
        return raw if raw in self.words else self.inner._parse(name, raw)


class Hashes(Param, frozen=True):
    """An array of hashes, written with `[]` or with indexes."""

    shape: Shape
    most: int = 100

    def _parse(self, name: str, raw: Any) -> list[dict[str, Any]]:
        if not isinstance(raw, dict) or not all(_INDEX.fullmatch(k) for k in raw if k):
            raise RequestError.invalid(name, "Invalid array")
        indexed = [raw[index] for index in sorted(filter(None, raw), key=int)]
        hashes = [*indexed, *raw.get("", [])]
        if len(hashes) > self.most:
            text = f"Array {name} exceeded maximum {self.most} allowed elements."
            raise RequestError.invalid(name, text)
        found = []
        for n, each in enumerate(hashes):
            if not isinstance(each, dict):
                raise RequestError.invalid(f"{name}[{n}]", "Invalid object")
            found.append(parse_params(self.shape, each, f"{name}[{n}]"))
        return found


class ByCurrency(Param, frozen=True):
    """A hash of hashes, by currency."""

    shape: Shape

    def _parse(self, name: str, raw: Any) -> dict[str, Any]:
        if not isinstance(raw, dict) or not all(isinstance(each, dict) for each in raw.values()):
            raise RequestError.invalid(name, "Invalid object")
        return {
            Currency()._parse(f"{name}[{key}]", key): parse_params(
                self.shape, value, f"{name}[{key}]"
            )
            for key, value in raw.items()
        }


class Currency(Param, frozen=True):
    """A supported currency in either case; small letters are stored."""

    def _parse(self, name: str, raw: Any) -> str:
        value = raw.lower() if isinstance(raw, str) else ""
        if value not in CURRENCIES:
            text = f"Invalid currency: {value}. Stripe currently supports these currencies: "
            raise RequestError.invalid(name, text + ", ".join(CURRENCIES))
        return value


class Number(Param, frozen=True):
    """A number, whole or not."""

    def _parse(self, name: str, raw: Any) -> float:
        if not isinstance(raw, str) or not re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", raw, re.ASCII):
            raise RequestError.invalid(name, f"Invalid number: {raw}")
        return float(raw)


class Moment(Param, frozen=True):
    """A time in Unix seconds."""

    def _parse(self, name: str, raw: Any) -> int:
        return Whole(0)._parse(name, raw)


class Unsupported(Param, frozen=True):
    """A parameter of Stripe's that the emulator does not have, and says so."""

    def _parse(self, name: str, raw: Any) -> Any:
        text = f"The emulator does not support the parameter {name}."
        raise RequestError.invalid(name, text, "not_emulated")


def list_unsupported(*names: str) -> Shape:
    """Return a shape of parameters that are refused as unsupported."""
    return dict.fromkeys(names, Unsupported())
