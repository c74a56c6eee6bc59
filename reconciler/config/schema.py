"""Check files against the published JSON Schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from functools import cache, reduce
from itertools import chain, islice
from operator import getitem
from pathlib import Path as FilePath
from typing import Any

from msgspec import Struct

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.suggest import suggest
from .schema_fast_path import Recognizer
from .schema_messages import (
    NAMES,
    Violation,
    describe_violation,
    describe_violations,
    find_homes,
    report_unquoted,
)
from .secret_scan import holds_key
from .yaml.parsed_file import ParsedFile, Path
from .yaml.reader import MAX_DIAGNOSTICS

# The wheel has them inside the package; a checkout or an editable install, beside it.
_FOLDERS = (FilePath(__file__).parents[1] / "schemas", FilePath(__file__).parents[2] / "schemas")
_ENDING = ".schema.json"

_NOT_REQUIRED_BESIDE = {"overrides": "meters"}
"""Keys, each with the key that is required only without it."""


class CheckedFile(Struct, frozen=True):
    """A file after its schema was checked.

    `invalid` has the paths of all violations, `value` what is left without them; it is None if
    the file as a whole cannot be used.
    """

    parsed: ParsedFile
    diagnostics: tuple[Diagnostic, ...]
    invalid: Collection[Path] = ()
    value: Any = None

    def is_attempted(self, around: Path, key: str) -> bool:
        """Whether a mapping has this key, but misspelled or with an invalid value."""
        return any(p[:-1] == around and suggest(str(p[-1]), [key]) for p in self.invalid if p)


def check(parsed: ParsedFile, name: str) -> CheckedFile:
    """Report what violates the schema of that name, one diagnostic per error."""
    found = _find_violations(parsed.value, name)
    if name == "meters":
        found = {path: one for path, one in found.items() if not _is_written_out(parsed, one)}
    if (version := found.get(("version",))) and version.keyword == "const":
        return CheckedFile(parsed, (describe_violation(parsed, version),))
    # A duplicate item does not invalidate the rest of its list.
    invalid = {path for path, one in found.items() if one.keyword != "uniqueItems"}
    too_many = len(found) > MAX_DIAGNOSTICS
    for meant in list(_find_meant(found)):
        found.pop(meant, None)
    described = describe_violations(parsed, (one for one in found.values() if not _holds_key(one)))
    diagnostics = tuple(islice(chain(described, _check_quotes(parsed, found)), MAX_DIAGNOSTICS + 1))
    if too_many or len(diagnostics) > MAX_DIAGNOSTICS:
        message = f"the file contains more than {MAX_DIAGNOSTICS:,} errors"
        end = codes.TOO_MANY_ERRORS(message, parsed.locate(()))
        return CheckedFile(parsed, (*diagnostics[:MAX_DIAGNOSTICS], end))
    if () in found:
        return CheckedFile(parsed, diagnostics)
    valid = _keep_valid(parsed.value, (), invalid) if invalid else parsed.value
    return CheckedFile(parsed, diagnostics, invalid, valid)


def _is_written_out(parsed: ParsedFile, violation: Violation) -> bool:
    """Whether a text is only invalid for what escape sequences make visible in the file.

    So an existing meter can be declared whatever its name is, and no such name is a slip.
    """
    if violation.keyword != "pattern" or violation.path[-1] not in NAMES:
        return False
    source = parsed.find_escaped(violation.path)
    return source is not None and bool(re.search(violation.schema["pattern"], source))


def _find_violations(value: Any, name: str) -> dict[Path, Violation]:
    if _load_recognizer(name)(value):
        return {}
    from .schema_errors import find_violations

    return find_violations(value, _load_schema(name), MAX_DIAGNOSTICS + 1)


@cache
def _load_recognizer(name: str) -> Recognizer:
    return Recognizer(_load_schema(name))


def _keep_valid(value: Any, path: Path, invalid: set[Path]) -> Any:
    """Copy a value without its invalid parts; an invalid item of a list becomes None."""
    if isinstance(value, dict):
        kept = (key for key in value if (*path, key) not in invalid)
        return {key: _keep_valid(value[key], (*path, key), invalid) for key in kept}
    if isinstance(value, list):
        inner = ((item, (*path, index)) for index, item in enumerate(value))
        return [None if at in invalid else _keep_valid(item, at, invalid) for item, at in inner]
    return value


@cache
def _load_schema(name: str) -> dict[str, Any]:
    """Load a schema for checking: references inlined, patterns as in Python.

    Resolving references per meter takes 50 % longer.
    """
    schema = read_schema(name)
    inlined: dict[str, Any] = _inline(schema, schema["$defs"])
    return inlined


def _inline(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inline(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _inline(item, definitions) for key, item in schema.items() if key != "$defs"}
    if isinstance(pattern := plain.get("pattern"), str):
        # Python's `$` also matches before a final line break.
        plain["pattern"] = pattern.removesuffix("$") + r"\Z"
    reference = plain.pop("$ref", None)
    if reference is None:
        return plain
    steps = reference.removeprefix("#/$defs/").split("/")
    return {**_inline(reduce(getitem, steps, definitions), definitions), **plain}


def _find_meant(found: dict[Path, Violation]) -> Iterator[Path]:
    """Find the missing keys that a misspelled or misplaced key explains."""
    for path, violation in found.items():
        if violation.keyword == "additionalProperties":
            word, known = str(path[-1]), violation.schema["properties"]
            meant_here = suggest(word, known)
            unneeded = _NOT_REQUIRED_BESIDE.get(meant_here or "")
            for meant in (meant_here, unneeded, *find_homes(word, known)):
                missing = found.get((*path[:-1], meant or ""))
                if missing and missing.keyword == "required":
                    yield missing.path


def _holds_key(violation: Violation) -> bool:
    """Whether the value contains an API key, which is reported separately."""
    if violation.keyword == "additionalProperties":
        key = violation.path[-1]
        return holds_key(key) or holds_key(violation.value[key])
    return holds_key(violation.value)


def _check_quotes(parsed: ParsedFile, invalid: Collection[Path]) -> Iterator[Diagnostic]:
    """Report strings and keys that must be quoted, unless they are invalid anyway."""

    def is_reported(path: Path) -> bool:
        return any(path[:length] in invalid for length in range(len(path) + 1))

    for path, word in parsed.words.items():
        if isinstance(parsed.get(path), str) and not is_reported(path):
            yield report_unquoted(word, parsed.locate(path))
    for path, word in parsed.loose_keys.items():
        if not is_reported(path):
            yield report_unquoted(word, parsed.locate_key(path))


@cache
def read_schema(name: str) -> dict[str, Any]:
    """Load a published JSON Schema by name; callers must not change it."""
    schema: dict[str, Any] = json.loads(read_schema_text(name))
    return schema


def read_schema_text(name: str) -> str:
    """Return the text of a published JSON Schema."""
    paths = (folder / f"{name}{_ENDING}" for folder in _FOLDERS)
    return next(path for path in paths if path.is_file()).read_text("utf-8")


def list_schemas() -> list[str]:
    """Return the names of the published JSON Schemas, sorted."""
    found = (path.name for folder in _FOLDERS for path in folder.glob(f"*{_ENDING}"))
    return sorted({name.removesuffix(_ENDING) for name in found})
