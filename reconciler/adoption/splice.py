"""Insert entries into a meter file, or say why that is not sure.

No line is changed but for that of an empty list, which loses its brackets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from ..config.meter_file import MeterFile, read_meters
from ..config.yaml import reader
from ..config.yaml.parsed_file import ParsedFile
from ..config.yaml.source_text import LINE_BREAK, decode
from ..diagnostics.codes import adoption as codes
from ..diagnostics.diagnostic import Level, Location
from ..diagnostics.errors import ConfigError
from .entries import Adoption, write_entries

_BOM = "\ufeff"


def splice(data: bytes, file: str, adoptions: Sequence[Adoption]) -> bytes:
    """Return a valid meter file with these entries at the end of its list.

    The result is read again: it has every old declaration as before, and each new one as its
    meter is. Raise ConfigError where that cannot be reached by inserting lines, in place of `[]` if
    the list is empty.
    """
    parsed = reader.read(data, file)
    text = decode(data, file)
    _check_insertable(parsed, text, adoptions)
    before, after = _divide(parsed, text)
    newline = found[-1] if (found := LINE_BREAK.findall(before)) else "\n"
    dash = _find_dash(parsed, text)
    lines = write_entries(adoptions, parsed.value.get("defaults", {}), dash)
    gap = "" if before.endswith(("\n", "\r")) else newline
    inserted = gap + "".join(f"{line}{newline}" for line in lines)
    bom = _BOM if data.startswith(_BOM.encode()) else ""
    new = f"{bom}{before}{inserted}{after}".encode()
    _check_result(read_meters(data, file), read_meters(new, file), adoptions, parsed)
    return new


def _check_insertable(parsed: ParsedFile, text: str, adoptions: Sequence[Adoption]) -> None:
    """Raise ConfigError for a file in which entries have no place, or not these."""
    if ("meters",) not in parsed.places:
        hint = "add `meters:` to the file, or choose another one"
        raise _fail(parsed, "it has `overrides` and no `meters`", hint)
    start, end = parsed.places[("meters",)]
    is_empty = re.fullmatch(r"\[\s*\]", text[start.index : end.index])
    if text[start.index] != "-" and not (is_empty and parsed.locate_key(("meters",)).column == 1):
        raise _fail(parsed, "`meters` is not a plain block list")
    if any(each.needs_unknown_values for each in adoptions) and not parsed.value.get(
        "allow_unknown_values"
    ):
        message = "a meter has values that this version does not know"
        hint = "add the line `allow_unknown_values: true` to the file, and run again"
        raise _fail(parsed, message, hint)


def _divide(parsed: ParsedFile, text: str) -> tuple[str, str]:
    """Return the text before the new entries and after them, an empty list left out."""
    if parsed.value["meters"]:
        at = _find_place(parsed, text)
        return text[:at], text[at:]
    start, end = parsed.places[("meters",)]
    at = _find_next_line(text, end.index)
    return text[: start.index].rstrip() + text[end.index : at], text[at:]


def _find_dash(parsed: ParsedFile, text: str) -> str:
    """Return what is before the first key of the last entry: spaces, a dash, spaces."""
    if not parsed.value["meters"]:
        return "  - "
    last = parsed.places[("meters", len(parsed.value["meters"]) - 1)][0]
    before = text[last.index - last.column : last.index]
    if before.strip(" ") != "-":  # of a flow list, or an entry on the line after its dash
        raise _fail(parsed, "the last entry of `meters` does not follow its `-` on the same line")
    return before


def _find_place(parsed: ParsedFile, text: str) -> int:
    """Return where the line after the last entry begins, and after the comments on it."""
    path = ("meters", len(parsed.value["meters"]) - 1)
    start, end = parsed.places[path]
    at = end.index if end.column == 0 else _find_next_line(text, end.index)
    least = start.column - len(text[start.index - start.column : start.index].lstrip(" "))
    while least and at < len(text):
        line = text[at : _find_next_line(text, at)]
        indent = len(line) - len(line.lstrip(" "))
        if indent < least or not line.lstrip(" ").startswith("#"):
            break
        at += len(line)
    return at


def _find_next_line(text: str, at: int) -> int:
    found = LINE_BREAK.search(text, at)
    return found.end() if found else len(text)


def _check_result(
    old: MeterFile, new: MeterFile, adoptions: Sequence[Adoption], parsed: ParsedFile
) -> None:
    """Raise ConfigError unless the new file declares all of the old one, and each adoption."""
    errors = [one for one in new.diagnostics if one.level is Level.ERROR]
    wanted = [(each.meter.meter, str(each.meter.status)) for each in adoptions]
    nowhere = Location("")
    kept = [replace(each, location=nowhere) for each in old.declared]
    found = [replace(each, location=nowhere) for each in new.declared]
    added = [(each.meter, str(each.status)) for each in found[len(kept) :]]
    if errors or found[: len(kept)] != kept or added != wanted:
        raise _fail(parsed, "the entries would not be read as they are meant")


def _fail(parsed: ParsedFile, message: str, hint: str = "") -> ConfigError:
    location: Location = parsed.locate_key(("meters",))
    return ConfigError(codes.NOT_EXTENDED(f"the file is left as it is: {message}", location, hint))
