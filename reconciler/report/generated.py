"""Generated code: the meters it is made of, and whether files hold it."""

from __future__ import annotations

from dataclasses import dataclass

from .result import CommandResult


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMeter:
    """A meter as an application sees it; `value_key` is None where no value is needed.

    `deprecated` meters are retired: usage that is sent to them is lost.
    """

    event_name: str
    display_name: str
    formula: str
    customer_key: str
    value_key: str | None
    deprecated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedCode(CommandResult):
    """The meters to generate code for."""

    meters: tuple[CodeMeter, ...]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file of `--check`: its language, and whether it holds what would be generated."""

    file: str
    language: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCheck(CommandResult):
    """The files of `--check`; a diagnostic for each that is out of date."""

    files: tuple[CheckedFile, ...]
