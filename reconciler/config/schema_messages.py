"""Explain violations of a schema to the author of a file."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.suggest import suggest
from .violation import Violation
from .yaml.document import Document
from .yaml.scalars import misreading
from .yaml.source_text import clip, describe

_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_HINTS = {
    "object": "write `key: value` lines, indented below the key",
    "array": "write a list: `[...]`, or lines that start with `- `",
    "boolean": "write true or false",
    "integer": "write a whole number, without quotes",
    "number": "write a number, without quotes",
}


def explain(document: Document, violation: Violation) -> Diagnostic:
    """Turn a violation into a diagnostic with a location and a hint."""
    return _EXPLAIN[violation.keyword](document, violation)


def homes(word: str, known: Mapping[str, Any]) -> list[str]:
    """Find the keys under which a misplaced key belongs."""
    return [name for name, schema in known.items() if word in schema.get("properties", {})]


def quote_it(word: str, location: Location) -> Diagnostic:
    """Report a plain scalar that some YAML parser does not read as a string."""
    message = f"`{clip(word)}` must be quoted: {misreading(word)}"
    return codes.QUOTE_IT(message, location, f'quote it: "{clip(word)}"')


def _wrong_type(document: Document, violation: Violation) -> Diagnostic:
    word = document.words.get(violation.path)
    if violation.wanted == "string" and word:
        return _unquoted(document, violation, word)
    name, wanted = violation.name, _KINDS[violation.wanted]
    if violation.value is None and not word:
        message = f"{name} has no value; expected {wanted}"
    else:
        found = f"`{clip(word)}`" if word else _kind(violation.value)
        message = f"{name} must be {wanted}, not {found}"
    hint = _HINTS.get(violation.wanted, "")
    if violation.path == ("meters",):
        hint = "write a list of meters; to declare none, write `meters: []`"
    return codes.WRONG_TYPE(message, document.location(violation.path), hint)


def _unquoted(document: Document, violation: Violation, word: str) -> Diagnostic:
    """Suggest quotes for a non-string scalar only if the quoted value would be valid."""
    schema = violation.schema
    if "enum" in schema:
        return _unknown_value(document, replace(violation, wanted=schema["enum"], value=word))
    if "pattern" in schema and not re.search(schema["pattern"], word):
        return _bad_text(document, replace(violation, value=word))
    return quote_it(word, document.location(violation.path))


def _missing(document: Document, violation: Violation) -> Diagnostic:
    *around, key = violation.path
    if key == "meters":
        hint = "add `meters:` and a list of meters; to declare none, write `meters: []`"
    else:
        example = violation.schema["properties"][key]["examples"][0]
        hint = f"add it, for example `{key}: {_flow(example)}`"
    return codes.MISSING_KEY(f"missing key `{key}`", document.head(tuple(around)), hint)


def _unknown_key(document: Document, violation: Violation) -> Diagnostic:
    word, known = str(violation.path[-1]), violation.schema["properties"]
    hint = f"known keys: {', '.join(known)}"
    if meant := suggest(word, known):
        hint = f"did you mean `{meant}`?"
    elif places := homes(word, known):
        hint = f"it belongs under {' or '.join(f'`{place}`' for place in places)}"
    message = f"unknown key `{clip(word)}`"
    return codes.UNKNOWN_KEY(message, document.key_location(violation.path), hint)


def _unknown_value(document: Document, violation: Violation) -> Diagnostic:
    known = [str(value) for value in violation.wanted]
    rule, hint = codes.UNKNOWN_VALUE, f"known values: {', '.join(known)}"
    if meant := suggest(str(violation.value), known):
        hint = f"did you mean `{meant}`? {hint}"
    if _may_be_unknown(document, violation):
        if word := document.words.get(violation.path):
            unquoted = quote_it(word, document.location(violation.path))
            return replace(unquoted, hint=f"{hint}; if Stripe supports it, {unquoted.hint}")
        rule = codes.UNKNOWN_VALUE_ALLOWED
    elif violation.schema.get("x-stripe-enum"):
        hint += "; to accept other values of Stripe's API, set `allow_unknown_values: true`"
    message = f"unknown value `{clip(str(violation.value))}` for {violation.name}"
    return rule(message, document.location(violation.path), hint)


def _may_be_unknown(document: Document, violation: Violation) -> bool:
    """Whether the file accepts any valid string here, because Stripe may support it."""
    allowed = document.value.get("allow_unknown_values") is True
    return allowed and bool(violation.schema.get("x-stripe-enum"))


def _unknown_version(document: Document, violation: Violation) -> Diagnostic:
    value, supported = violation.value, violation.wanted
    message = f"version {_shown(value)} is not supported (supported: {supported})"
    return codes.UNKNOWN_VERSION(message, document.location(violation.path))


def _bad_text(document: Document, violation: Violation) -> Diagnostic:
    fault = _fault(violation.value)
    reason = f" {fault}" if fault else f": {violation.schema['patternErrorMessage']}"
    message = f"{violation.name}{reason}"
    return codes.BAD_TEXT(message, document.location(violation.path))


def _bad_name(document: Document, violation: Violation) -> Diagnostic:
    reason = violation.schema["patternErrorMessage"]
    return codes.BAD_TEXT(f"{violation.name}: {reason}", document.key_location(violation.path))


def _listed_twice(document: Document, violation: Violation) -> Diagnostic:
    items = violation.value
    again = next(at for at, item in enumerate(items) if item in items[:at])
    message = f"{violation.name} lists {_shown(items[again])} twice"
    return codes.LISTED_TWICE(message, document.location((*violation.path, again)))


def _out_of_range(fault: Callable[[Any, Any], str]) -> Callable[[Document, Violation], Diagnostic]:
    def out_of_range(document: Document, violation: Violation) -> Diagnostic:
        message = f"{violation.name} {fault(violation.value, violation.wanted)}"
        return codes.OUT_OF_RANGE(message, document.location(violation.path))

    return out_of_range


def _fault(text: str) -> str | None:
    """Describe an error that is invisible on screen."""
    if not text.strip():
        return "is blank"
    if text != text.strip():
        return "has leading or trailing whitespace"
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp"):
            return f"contains {describe(character)}"
    return None


def _kind(value: Any) -> str:
    kinds = {dict: "object", list: "array", str: "string", int: "integer", float: "number"}
    return "true or false" if isinstance(value, bool) else _KINDS[kinds[type(value)]]


def _flow(value: Any) -> str:
    """Write a value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{clip(value)}"'
    return _kind(value) if isinstance(value, dict | list) else clip(json.dumps(value))


_EXPLAIN: dict[str, Callable[[Document, Violation], Diagnostic]] = {
    "type": _wrong_type,
    "required": _missing,
    "additionalProperties": _unknown_key,
    "propertyNames": _bad_name,
    "enum": _unknown_value,
    "const": _unknown_version,
    "pattern": _bad_text,
    "uniqueItems": _listed_twice,
    "minLength": _out_of_range(lambda value, _: "is empty"),
    "minItems": _out_of_range(lambda value, _: "is an empty list"),
    "minProperties": _out_of_range(lambda value, _: "is an empty mapping"),
    "maxLength": _out_of_range(
        lambda value, most: f"is {len(value)} characters long; the maximum is {most}"
    ),
    "minimum": _out_of_range(lambda value, least: f"is {value}; the minimum is {least}"),
    "maximum": _out_of_range(lambda value, most: f"is {value}; the maximum is {most}"),
    "exclusiveMinimum": _out_of_range(
        lambda value, least: f"is {value}; it must be greater than {least}"
    ),
}
