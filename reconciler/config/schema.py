"""Check documents against the published JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, islice
from pathlib import Path as FilePath
from typing import Any

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.suggest import suggest
from .accept import fits
from .schema_messages import explain, homes, quote_it
from .secret_scan import holds_key
from .violation import Violation
from .yaml.document import Document, Path
from .yaml.reader import MAX_DIAGNOSTICS

# The wheel has them inside the package; a checkout or an editable install, beside it.
_FOLDERS = (FilePath(__file__).parents[1] / "schemas", FilePath(__file__).parents[2] / "schemas")


def check(document: Document, name: str) -> list[Diagnostic]:
    """Report what violates the schema of that name, one diagnostic per error."""
    found = _violations(document.value, _schema(name))
    if (version := found.get(("version",))) and version.keyword == "const":
        return [explain(document, version)]
    too_many = len(found) > MAX_DIAGNOSTICS
    for meant in list(_meant_by_unknown_keys(found)):
        found.pop(meant, None)
    explained = (explain(document, one) for one in found.values() if not _holds_key(one))
    diagnostics = list(islice(chain(explained, _to_quote(document, found)), MAX_DIAGNOSTICS + 1))
    if too_many or len(diagnostics) > MAX_DIAGNOSTICS:
        message = f"the file contains more than {MAX_DIAGNOSTICS:,} errors"
        too_many_mistakes = codes.TOO_MANY_MISTAKES(message, document.location(()))
        return [*diagnostics[:MAX_DIAGNOSTICS], too_many_mistakes]
    return diagnostics


def _violations(value: Any, schema: dict[str, Any]) -> dict[Path, Violation]:
    if fits(value, schema):
        return {}
    from .schema_errors import violations

    return violations(value, schema, MAX_DIAGNOSTICS + 1)


@cache
def _schema(name: str) -> dict[str, Any]:
    """Load a schema with its references inlined: resolving them per meter takes 50 % longer."""
    schema = read_schema(name)
    inlined: dict[str, Any] = _inlined(schema, schema["$defs"])
    return inlined


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Replace the references in a schema by the definitions they refer to."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _inlined(item, definitions) for key, item in schema.items() if key != "$defs"}
    reference = plain.pop("$ref", None)
    if reference is None:
        return plain
    return {**_inlined(definitions[reference.removeprefix("#/$defs/")], definitions), **plain}


def _meant_by_unknown_keys(found: dict[Path, Violation]) -> Iterator[Path]:
    """Find the missing keys that a misspelled or misplaced key explains."""
    for path, violation in found.items():
        if violation.keyword == "additionalProperties":
            word, known = str(path[-1]), violation.schema["properties"]
            for meant in (suggest(word, known), *homes(word, known)):
                missing = found.get((*path[:-1], meant or ""))
                if missing and missing.keyword == "required":
                    yield missing.path


def _holds_key(violation: Violation) -> bool:
    """Whether the value contains an API key, which is reported separately."""
    if violation.keyword == "additionalProperties":
        key = violation.path[-1]
        return holds_key(key) or holds_key(violation.value[key])
    return holds_key(violation.value)


def _to_quote(document: Document, found: Iterable[Path]) -> Iterator[Diagnostic]:
    """Report strings and keys that must be quoted, unless they are invalid anyway."""
    wrong = set(found)
    for path, word in document.words.items():
        if _is_text(document.value, path) and not _within(path, wrong):
            yield quote_it(word, document.location(path))
    for path, word in document.loose_keys.items():
        if not _within(path, wrong):
            yield quote_it(word, document.key_location(path))


def _is_text(value: Any, path: Path) -> bool:
    for step in path:
        value = value[step]
    return isinstance(value, str)


def _within(path: Path, wrong: set[Path]) -> bool:
    return any(path[:length] in wrong for length in range(len(path) + 1))


@cache
def read_schema(name: str) -> dict[str, Any]:
    """Load a published JSON Schema by name; callers must not change it."""
    paths = (folder / f"{name}.schema.json" for folder in _FOLDERS)
    path = next(path for path in paths if path.is_file())
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema
