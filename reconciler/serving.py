"""What the verbs have to say that look at no account: where one is served, what a code means."""

from __future__ import annotations

from dataclasses import dataclass

from .problem import Rule, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving(Statement):
    """Where an emulator is reached, and a key that it accepts, which is no secret."""

    url: str
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Glossary(Statement):
    """What diagnostic codes mean."""

    rules: tuple[Rule, ...]
