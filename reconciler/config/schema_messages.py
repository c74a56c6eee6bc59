"""Violations of a schema, and the diagnostics that describe them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.suggest import suggest
from .schema_hints import find_key_hint, find_shape_hint, find_value_hint, write_flow
from .yaml.parsed_file import ParsedFile, Path
from .yaml.scalars import describe_misreading
from .yaml.source_text import clip, describe_character

_TYPES = {
    "object": ("a mapping", "write `key: value` lines, indented below the key"),
    "array": ("a list", "write a list: `[...]`, or lines that start with `- `"),
    "string": ("a string", ""),
    "integer": ("a whole number", "write a whole number, without quotes"),
    "number": ("a number", "write a number, without quotes"),
    "boolean": ("true or false", "write true or false"),
}
_PREVIEW = ("dimension_payload_keys",)
"""Parameters of a meter in preview versions of Stripe's API only."""
_LIMITS = {
    "minLength": "is empty",
    "minItems": "is an empty list",
    "minProperties": "is an empty mapping",
    "maxLength": "is {length} characters long; the maximum is {limit}",
    "minimum": "is {value}; the minimum is {limit}",
    "maximum": "is {value}; the maximum is {limit}",
    "exclusiveMinimum": "is {value}; it must be greater than {limit}",
}
_ALLOW = "to accept other values of Stripe's API, set `allow_unknown_values: true`"
NAMES = ("event_name", "display_name", "event_payload_key")
"""The keys of free texts; what they can hold only Stripe knows."""
_WRITE_OUT = (
    "correct the value; where an existing meter has it, write it with escape sequences in double "
    "quotes (`\\x20` is a space), as `reconciler import` does"
)


class Violation(Struct, frozen=True):
    """The keyword that a value violates, the wanted value, and the schema around the keyword."""

    path: Path
    keyword: str
    wanted: Any
    value: Any
    schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of the value in messages."""
        match self.path:
            case ():
                return "the file"
            case (*_, str(parent), int(index)):
                return f"item {index + 1} of `{clip(parent)}`"
        return f"`{clip(str(self.path[-1]))}`"


def describe_violations(parsed: ParsedFile, found: Iterable[Violation]) -> Iterator[Diagnostic]:
    """Turn violations into diagnostics; the keys of one mapping that only Stripe sets share one."""
    set_by_stripe: dict[Path, list[Violation]] = {}
    for one in found:
        if one.keyword == "additionalProperties" and one.path[-1] in one.schema.get(
            "x-read-only", ()
        ):
            set_by_stripe.setdefault(one.path[:-1], []).append(one)
        else:
            yield describe_violation(parsed, one)
    for keys in set_by_stripe.values():
        yield _describe_read_only(parsed, keys)


def describe_violation(parsed: ParsedFile, violation: Violation) -> Diagnostic:
    """Turn a violation into a diagnostic with a location and a hint."""
    return _DESCRIBE[violation.keyword](parsed, violation)


def find_homes(word: str, known: Mapping[str, Any]) -> list[str]:
    """Find the keys under which a misplaced key belongs."""
    return [name for name, schema in known.items() if word in schema.get("properties", {})]


def report_unquoted(word: str, location: Location) -> Diagnostic:
    """Report a plain scalar that some YAML parser does not read as a string."""
    message = f"`{clip(word)}` must be quoted: {describe_misreading(word)}"
    return codes.QUOTE_IT(message, location, f'quote it: "{clip(word)}"')


def _describe_type(parsed: ParsedFile, violation: Violation) -> Diagnostic:
    word = parsed.words.get(violation.path)
    if violation.wanted == "string" and violation.value is None and violation.path[0] == "accounts":
        hint = f"write a value, or remove {violation.name}"
        message = f"{violation.name} has no value"
        return codes.WRONG_TYPE(message, parsed.locate(violation.path), hint)
    if isinstance(violation.wanted, list):
        return _describe_types(parsed, violation)
    if violation.wanted == "string" and word:
        return _describe_unquoted(parsed, violation, word)
    wanted, hint = _TYPES[violation.wanted]
    if not word:
        name = violation.path[-1] if violation.path else None
        hint = find_shape_hint(name, violation.value, violation.schema) or hint
    if violation.value is None and not word:
        message = f"{violation.name} has no value; expected {wanted}"
    else:
        found = f"`{clip(word)}`" if word else _name_type(violation.value)
        message = f"{violation.name} must be {wanted}, not {found}"
    if violation.path == ("meters",):
        hint = "write a list of meters; to declare none, write `meters: []`"
        if isinstance(violation.value, dict):
            hint = "write a list: `- event_name: NAME` for each meter, its settings below that"
    return codes.WRONG_TYPE(message, parsed.locate(violation.path), hint)


def _describe_types(parsed: ParsedFile, violation: Violation) -> Diagnostic:
    """Describe a value that has none of several types; where it may be null, as if it may not."""
    kinds = [kind for kind in violation.wanted if kind != "null"]
    if len(kinds) == 1:
        return _describe_type(parsed, replace(violation, wanted=kinds[0]))
    word, value = parsed.words.get(violation.path), violation.value
    wanted = " or ".join(_TYPES[kind][0] for kind in kinds)
    plain = "null" if value is None else word or json.dumps(value)
    found = f"`{clip(plain)}`" if not isinstance(value, dict) else _name_type(value)
    hint = find_value_hint(json.dumps(value), violation.schema) or find_shape_hint(
        violation.path[-1], value, violation.schema
    )
    if not hint and (known := violation.schema.get("else", {}).get("enum")):
        others = " or ".join(_TYPES[kind][0] for kind in kinds if kind != "string")
        hint = f"known values: {', '.join(known)}, or {others}"
    hint = hint or _describe_text(violation)
    message = f"{violation.name} must be {wanted}, not {found}"
    return codes.WRONG_TYPE(message, parsed.locate(violation.path), hint)


def _describe_unquoted(parsed: ParsedFile, violation: Violation, word: str) -> Diagnostic:
    """Suggest quotes for a non-string scalar only if the quoted value would be valid."""
    schema = violation.schema
    if "enum" in schema:
        return _describe_unknown_value(
            parsed, replace(violation, wanted=schema["enum"], value=word)
        )
    if "pattern" in schema and not re.search(schema["pattern"], word):
        return _describe_bad_text(parsed, replace(violation, value=word))
    return report_unquoted(word, parsed.locate(violation.path))


def _describe_missing(parsed: ParsedFile, violation: Violation) -> Diagnostic:
    *around, key = violation.path
    if key == "meters":
        hint = "add `meters:` and a list of meters; to declare none, write `meters: []`"
    else:
        example = violation.schema["properties"][key]["examples"][0]
        hint = f"add it, for example `{key}: {write_flow(example)}`"
    return codes.MISSING_KEY(f"missing key `{key}`", parsed.locate_head(tuple(around)), hint)


def _describe_unknown_key(parsed: ParsedFile, violation: Violation) -> Diagnostic:
    word, known = str(violation.path[-1]), violation.schema["properties"]
    if word in _PREVIEW and "default_aggregation" in known:
        message = f"`{word}` is a field of Stripe's preview API that this version does not support"
        return codes.PREVIEW_FIELD(message, parsed.locate_key(violation.path))
    hint = f"known keys: {', '.join(known)}"
    if foreign := find_key_hint(word, violation.schema):
        hint = foreign
    elif meant := suggest(word, known):
        hint = f"did you mean `{meant}`?"
    elif places := find_homes(word, known):
        hint = f"it belongs under {' or '.join(f'`{place}`' for place in places)}"
    message = f"unknown key `{clip(word)}`"
    return codes.UNKNOWN_KEY(message, parsed.locate_key(violation.path), hint)


def _describe_read_only(parsed: ParsedFile, keys: list[Violation]) -> Diagnostic:
    """Report the keys of one mapping that only Stripe sets, and the lines to remove."""
    keys = sorted(keys, key=lambda one: parsed.locate_key(one.path))
    *names, last = [f"`{one.path[-1]}`" for one in keys]
    subject = f"{', '.join(names)} and {last} are" if names else f"{last} is"
    around = keys[0].path[:-1]
    others = parsed.get(around).keys() - {one.path[-1] for one in keys}
    lines = {parsed.locate_key(one.path).line for one in keys}
    if lines & {parsed.locate_key((*around, key)).line for key in others} or len(lines) < len(keys):
        hint = "remove these keys"
    else:
        spans = ", ".join(_format_lines(parsed, one.path) for one in keys)
        hint = f"remove these lines: {spans}"
    message = f"{subject} set by Stripe and cannot be declared"
    return codes.READ_ONLY_KEY(message, parsed.locate_key(keys[0].path), hint)


def _format_lines(parsed: ParsedFile, path: Path) -> str:
    first, value = parsed.locate_key(path).line, parsed.locate(path)
    last = value.end_line if value.end_column > 1 else value.end_line - 1
    return f"{first}-{last}" if last > first else str(first)


def _describe_unknown_value(parsed: ParsedFile, violation: Violation) -> Diagnostic:
    known = ["null" if value is None else str(value) for value in violation.wanted]
    rule, location = codes.UNKNOWN_VALUE, parsed.locate(violation.path)
    hint = f"known values: {', '.join(known)}"
    if _find_block(parsed, violation) and violation.value[:-1] in known:
        return _describe_bad_text(parsed, violation)
    if foreign := find_value_hint(str(violation.value), violation.schema):
        hint = foreign
    elif meant := suggest(str(violation.value), known):
        hint = f"did you mean `{meant}`? {hint}"
    if violation.schema.get("x-stripe-enum"):
        if parsed.value.get("allow_unknown_values") is not True:
            if not foreign:
                hint += f"; {_ALLOW}"
        elif word := parsed.words.get(violation.path):
            unquoted = report_unquoted(word, location)
            return replace(unquoted, hint=f"{hint}; if Stripe supports it, {unquoted.hint}")
        else:
            rule = codes.UNKNOWN_VALUE_ALLOWED
    message = f"unknown value `{clip(str(violation.value))}` for {violation.name}"
    return rule(message, location, hint)


def _describe_version(parsed: ParsedFile, violation: Violation) -> Diagnostic:
    value, supported = violation.value, violation.wanted
    message = f"version {_format_value(value)} is not supported (supported: {supported})"
    return codes.UNKNOWN_VERSION(message, parsed.locate(violation.path))


def _describe_bad_text(parsed: ParsedFile, violation: Violation) -> Diagnostic:
    if block := _find_block(parsed, violation):
        message = f"{violation.name} ends with a line break, which `{block}` keeps"
        hint = f"write `{block}-` instead, or the text on one line"
        return codes.BAD_TEXT(message, parsed.locate(violation.path), hint)
    fault = _find_fault(violation.value)
    reason = f" {fault}" if fault else f": {violation.schema['patternErrorMessage']}"
    hint = _WRITE_OUT if fault and violation.path[-1] in NAMES else ""
    return codes.BAD_TEXT(f"{violation.name}{reason}", parsed.locate(violation.path), hint)


def _describe_bad_key(parsed: ParsedFile, violation: Violation) -> Diagnostic:
    message = f"{violation.name}: {violation.schema['patternErrorMessage']}"
    return codes.BAD_TEXT(message, parsed.locate_key(violation.path))


def _describe_duplicate_item(parsed: ParsedFile, violation: Violation) -> Diagnostic:
    items = violation.value
    again = next(at for at, item in enumerate(items) if item in items[:at])
    message = f"{violation.name} lists {_format_value(items[again])} twice"
    return codes.LISTED_TWICE(message, parsed.locate((*violation.path, again)))


def _describe_limit(parsed: ParsedFile, violation: Violation) -> Diagnostic:
    value = violation.value
    if wanted := _describe_text(violation):
        message = f"{violation.name} is {value}: {wanted}"
        return codes.BAD_TEXT(message, parsed.locate(violation.path))
    length = len(value) if isinstance(value, str) else 0
    fault = _LIMITS[violation.keyword].format(value=value, length=length, limit=violation.wanted)
    hint = find_value_hint(json.dumps(value), violation.schema) or ""
    if isinstance(value, dict) and value:
        fault = f"has no key besides {', '.join(f'`{clip(key)}`' for key in value)}"
        hint = "add what is missing, or remove it"
    return codes.OUT_OF_RANGE(f"{violation.name} {fault}", parsed.locate(violation.path), hint)


def _describe_text(violation: Violation) -> str:
    """Return what a text has to be, where a value may be one or a number; else an empty text."""
    wanted: str = violation.schema.get("else", {}).get("patternErrorMessage", "")
    return wanted


def _find_block(parsed: ParsedFile, violation: Violation) -> str | None:
    """Return the indicator of a block scalar whose only fault is its final line break."""
    text = violation.value
    if not (isinstance(text, str) and text.endswith("\n")) or _find_fault(text[:-1]):
        return None
    return parsed.find_block(violation.path)


def _find_fault(text: str) -> str | None:
    """Describe an error that is invisible on screen."""
    if not text.strip():
        return "is blank"
    if text.endswith("\n"):
        return "ends with a line break"
    if text != text.strip():
        return "has leading or trailing whitespace"
    invisible = (char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp"))
    return next((f"contains {describe_character(char)}" for char in invisible), None)


def _name_type(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", int: "integer", float: "number"}
    return _TYPES["boolean" if isinstance(value, bool) else names[type(value)]][0]


def _format_value(value: Any) -> str:
    if isinstance(value, str):
        return f'"{clip(value)}"'
    if isinstance(value, dict):
        return f"`{clip(write_flow(value))}`"
    return _name_type(value) if isinstance(value, dict | list) else clip(json.dumps(value))


_DESCRIBE: dict[str, Callable[[ParsedFile, Violation], Diagnostic]] = {
    "type": _describe_type,
    "required": _describe_missing,
    "additionalProperties": _describe_unknown_key,
    "propertyNames": _describe_bad_key,
    "enum": _describe_unknown_value,
    "const": _describe_version,
    "pattern": _describe_bad_text,
    "uniqueItems": _describe_duplicate_item,
    **dict.fromkeys(_LIMITS, _describe_limit),
}
