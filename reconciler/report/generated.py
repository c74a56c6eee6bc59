"""Generated code: the meters it is made of, and whether files hold it."""

from __future__ import annotations

from msgspec import Struct

from .result import CommandResult


class CodeMeter(Struct, frozen=True, kw_only=True):
    """A meter as an application sees it; `value_key` is None where no value is needed.

    `deprecated` meters are retired: usage that is sent to them is lost.
    """

    event_name: str
    display_name: str
    formula: str
    customer_key: str
    value_key: str | None
    deprecated: bool


class GeneratedCode(CommandResult, frozen=True, kw_only=True):
    """The meters to generate code for."""

    meters: tuple[CodeMeter, ...]


class CheckedFile(Struct, frozen=True):
    """A file of `--check`: its language, and whether it holds what would be generated."""

    file: str
    language: str
    current: bool


class CodeCheck(CommandResult, frozen=True, kw_only=True):
    """The files of `--check`; a diagnostic for each that is out of date."""

    files: tuple[CheckedFile, ...]
