"""Read YAML from the events of libyaml, with the location of every value.

PyYAML's own constructors are not used: they silently accept duplicate keys, keep no locations,
and overflow the stack on deep nesting.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from msgspec.structs import replace
from yaml import events

from ...diagnostics.codes import config as codes
from ...diagnostics.diagnostic import Diagnostic, Rule
from ...diagnostics.errors import ConfigError
from .parsed_file import ParsedFile, Path, convert_span
from .scalars import resolve
from .source_text import clip, decode, locate_span
from .surrogates import fill_pairs, restore_pairs
from .syntax_errors import describe_syntax_error

MAX_DEPTH = 64
MAX_VALUES = 500_000
MAX_DIAGNOSTICS = 1_000
MAX_EXPANDED = 100_000  # values that the aliases of a file may expand to

_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
# From PyYAML 6.0.4 on libyaml has a limit of its own. It reads ahead of the events, so that one
# long line of brackets meets that limit before MAX_DEPTH.
_LIBYAML_TOO_DEEP = "exceeded maximum nesting depth"
_SURROGATE = re.compile("[\ud800-\udfff]")  # rejected by libyaml, not by the pure parser
# A `#` without a space behind it: `Tier #1` is cut off, `Tier # comment` is commented on.
_CUT_OFF = re.compile(r"[ \t]+(?P<comment>#[^\s#][^\r\n]*)")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(data: bytes, file: str) -> ParsedFile:
    """Read the single document of a YAML file.

    Raises ConfigError if the file cannot be parsed to its end; errors that do not stop the
    parser (a duplicate key, a tag) become the diagnostics of the result.
    """
    text = decode(data, file)
    composer = _Composer(text, file)
    try:
        value = composer.read_document()
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        diagnostic = describe_syntax_error(error, text, file, composer.quoted)
        if _LIBYAML_TOO_DEEP in str(getattr(error, "problem", "")):
            diagnostic = codes.TOO_DEEP(_TOO_DEEP, diagnostic.location)
        raise ConfigError(*composer.parsed.diagnostics, diagnostic) from None
    return replace(composer.parsed, value=value)


class _Composer:
    """Builds plain values from parser events, and records the location of each."""

    def __init__(self, text: str, file: str) -> None:
        self.parsed = ParsedFile(file=file)
        self.quoted: Any = None  # the last quoted scalar
        filled = fill_pairs(text)
        self.next = _Loader(filled).get_event
        if filled != text:
            self.next = restore_pairs(text, self.next)
        self._text = text
        self._cuts_off = bool(_CUT_OFF.search(text))
        self._anchors: dict[str, tuple[Any, Path, int]] = {}
        self._aside_depth = 0
        self._values = 0
        self._expanded = 0

    def read_document(self) -> Any:
        """Read the first document; report a second one."""
        self.next()  # the start of the stream
        start = self.next()
        if isinstance(start, events.StreamEndEvent):
            raise self._fail(codes.EMPTY_FILE, "the file is empty", start)
        first = self.next()
        if isinstance(first, events.ScalarEvent) and not first.value:
            raise self._fail(codes.EMPTY_FILE, "the document is empty", first)
        value = self._read_value(first, ())
        self.next()  # the end of the document
        after = self.next()
        if not isinstance(after, events.StreamEndEvent):
            self._note(codes.SEVERAL_DOCUMENTS, "a second document starts here", after)
        return value

    def _read_value(self, event: Any, path: Path) -> Any:
        """Read the value that starts with this event, and record its location under the path."""
        self._values += 1
        if self._values > MAX_VALUES:
            message = f"the file contains more than {MAX_VALUES:,} values"
            raise self._fail(codes.TOO_MANY_VALUES, message, event)
        if len(path) > MAX_DEPTH:
            raise self._fail(codes.TOO_DEEP, _TOO_DEEP, event)
        self.parsed.places[path] = event.start_mark, event.end_mark
        if isinstance(event, events.AliasEvent):
            return self._resolve_alias(event, path)
        if event.tag:
            self._note(codes.TAG, f"the tag {_format_tag(event.tag)} is not supported", event)
        before = self._values + self._expanded
        if event.anchor:
            self._anchors.pop(event.anchor, None)  # not defined within its own value
        value = self._read_content(event, path)
        if event.anchor:
            size = self._values + self._expanded - before + 1
            self._anchors[event.anchor] = value, path, size
        return value

    def _read_content(self, event: Any, path: Path) -> Any:
        if isinstance(event, events.ScalarEvent):
            return self._read_scalar(event, path)
        if isinstance(event, events.MappingStartEvent):
            return self._read_mapping(event, path)
        return self._read_sequence(event, path)

    def _read_scalar(self, event: Any, path: Path) -> Any:
        if not event.value.isascii() and _SURROGATE.search(event.value):
            raise self._fail(
                codes.FORBIDDEN_CHARACTER, "unpaired surrogates are not allowed", event
            )
        if not event.implicit[0] or event.tag:
            self._note_style(event, path)
            return event.value
        value, is_string = resolve(event.value)
        if self._cuts_off and is_string:
            self._check_cut_off(event)
        if not is_string and not self._aside_depth:
            self.parsed.words[path] = event.value
        return value

    def _note_style(self, event: Any, path: Path) -> None:
        if event.style in ("'", '"'):
            self.quoted = event
            source = self._text[event.start_mark.index + 1 : event.end_mark.index - 1]
            if event.style == '"' and "\\" in source:
                self.parsed.escaped[path] = source
        elif event.style:
            self.parsed.blocks[path] = event.style

    def _check_cut_off(self, event: Any) -> None:
        """Report a `#` that begins a comment where the text may have been meant to go on."""
        found = _CUT_OFF.match(self._text, event.end_mark.index)
        if not found:
            return
        word = clip(found["comment"].rstrip())
        message = f"`{word}` is a comment, so the value is only `{clip(event.value)}`"
        hint = "quote the whole text; if it is a comment, write a space after `#`"
        location = locate_span(self._text, found.span("comment"), self.parsed.file)
        self._add(codes.CUT_OFF(message, location, hint))

    def _read_sequence(self, start: Any, path: Path) -> list[Any]:
        items: list[Any] = []
        last = start
        while not isinstance(event := self.next(), events.SequenceEndEvent):
            place = (*path, len(items))
            items.append(self._read_value(event, place))
            last = place
        self._close(start, event, path, last)
        return items

    def _read_mapping(self, start: Any, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        last = start
        while not isinstance(event := self.next(), events.MappingEndEvent):
            last = self._read_entry(event, path, mapping)
        self._close(start, event, path, last)
        return mapping

    def _read_entry(self, event: Any, path: Path, mapping: dict[str, Any]) -> Path:
        """Read a key and its value into the mapping; return the path under which it is recorded."""
        if not isinstance(event, events.ScalarEvent):
            self._note(codes.COMPLEX_KEY, "keys must be strings", event)
            self._read_aside(event, path)
            return self._read_aside(self.next(), path)[0]
        if event.value == "<<" and event.implicit[0]:
            self._note(codes.MERGE_KEY, "merge keys are not supported; use `defaults`", event)
            place, merged = self._read_aside(self.next(), path)
            _merge(mapping, merged)
            return place
        own = (*path, event.value)
        if own in self.parsed.keys:
            self._note_duplicate(event, own)
            return self._read_aside(self.next(), path)[0]
        return self._read_new_entry(event, own, mapping)

    def _read_aside(self, event: Any, path: Path) -> tuple[Path, Any]:
        """Read a value without a usable key, recorded under a number, which is never a key."""
        place = (*path, event.start_mark.index)
        self._aside_depth += 1
        value = self._read_value(event, place)
        self._aside_depth -= 1
        return place, value

    def _read_new_entry(self, event: Any, place: Path, mapping: dict[str, Any]) -> Path:
        if event.tag:
            self._note(codes.TAG, f"the tag {_format_tag(event.tag)} is not supported", event)
        if not event.implicit[0]:
            self._note_style(event, place)
        self.parsed.keys[place] = event.start_mark, event.end_mark
        if event.implicit[0] and not self._aside_depth and not resolve(event.value)[1]:
            self.parsed.loose_keys[place] = event.value
        mapping[event.value] = self._read_value(self.next(), place)
        return place

    def _close(self, start: Any, end: Any, path: Path, last: Any) -> None:
        """End a block collection with its last entry; libyaml ends it at the next token."""
        mark = end.end_mark if start.flow_style or last is start else self.parsed.places[last][1]
        self.parsed.places[path] = start.start_mark, mark

    def _resolve_alias(self, event: Any, path: Path) -> Any:
        if event.anchor not in self._anchors:
            message = f"undefined alias `*{clip(event.anchor)}`"
            raise self._fail(codes.ALIAS, message, event)
        value, anchor, size = self._anchors[event.anchor]
        self._expanded += size
        if self._expanded > MAX_EXPANDED:
            message = f"the aliases in this file expand to more than {MAX_EXPANDED:,} values"
            raise self._fail(codes.ALIAS_BUDGET, message, event)
        self.parsed.aliases[path] = anchor
        return value

    def _note_duplicate(self, event: Any, path: Path) -> None:
        first = self.parsed.keys[path][0].line + 1
        message = f"duplicate key `{clip(event.value)}`, first defined on line {first}"
        self._note(codes.DUPLICATE_KEY, message, event)

    def _note(self, rule: Rule, message: str, event: Any) -> None:
        location = convert_span(self.parsed.file, (event.start_mark, event.end_mark))
        self._add(rule(message, location))

    def _add(self, diagnostic: Diagnostic) -> None:
        if len(self.parsed.diagnostics) == MAX_DIAGNOSTICS:
            message = f"the file contains more than {MAX_DIAGNOSTICS:,} errors"
            end = codes.TOO_MANY_ERRORS(message, diagnostic.location)
            raise ConfigError(*self.parsed.diagnostics, end)
        self.parsed.diagnostics.append(diagnostic)

    def _fail(self, rule: Rule, message: str, event: Any) -> ConfigError:
        self._note(rule, message, event)
        return ConfigError(*self.parsed.diagnostics)


def _merge(mapping: dict[str, Any], merged: Any) -> None:
    """Merge the keys of a rejected merge key, so that they are not reported as missing."""
    for source in merged if isinstance(merged, list) else [merged]:
        if isinstance(source, dict):
            for key, value in source.items():
                mapping.setdefault(key, value)


def _format_tag(tag: str) -> str:
    return "`" + clip(tag.replace("tag:yaml.org,2002:", "!!")) + "`"
