"""Python, as `ruff format` leaves it; passes `mypy --strict`."""

from __future__ import annotations

from collections.abc import Iterator

from ..report.generated import CodeMeter
from .names import join_snake, join_upper, name_all
from .text import HEADING, NOTICE, RETIRED, describe, quote

_WIDTH = 88

_HEAD = '''"""{heading}

{notice}
"""

from __future__ import annotations

import uuid
{warnings}from typing import {final}NotRequired, TypedDict


class MeterEvent(TypedDict):
    """The parameters of `stripe.billing.MeterEvent.create`."""

    event_name: str
    payload: dict[str, str]
    identifier: str
    timestamp: NotRequired[int]
'''

_BUILD = '''

def _build(
    event_name: str,
    payload: dict[str, str],
    identifier: str | None,
    timestamp: int | None,
) -> MeterEvent:
    """Without an identifier, use a new one: Stripe ignores an event that is sent twice."""
    event: MeterEvent = {
        "event_name": event_name,
        "payload": payload,
        "identifier": identifier or str(uuid.uuid4()),
    }
    if timestamp is not None:
        event["timestamp"] = timestamp
    return event
'''

_WARN = """

def _warn(event_name: str) -> None:
    message = f"the meter {event_name!r} is retired: usage that is sent to it is lost"
    warnings.warn(message, DeprecationWarning, stacklevel=3)
"""


def generate(meters: tuple[CodeMeter, ...]) -> str:
    """Return a module with a constant and a function for each meter."""
    names = [meter.event_name for meter in meters]
    constants, functions = name_all(names, join_upper), name_all(names, join_snake)
    warns = any(meter.deprecated for meter in meters)
    head = _HEAD.format(
        heading=HEADING,
        notice=NOTICE,
        warnings="import warnings\n" if warns else "",
        final="Final, " if meters else "",
    )
    parts = [head]
    parts += ["\n"] if meters else []
    for meter in meters:
        lines = _write_constant(meter, constants[meter.event_name])
        parts.append("\n" + "".join(f"{line}\n" for line in lines))
    for meter in meters:
        name = meter.event_name
        lines = _write_function(meter, constants[name], functions[name])
        parts.append("\n\n" + "".join(f"{line}\n" for line in lines))
    parts += [_BUILD, _WARN] if warns else [_BUILD]
    return "".join(parts)


def _write_constant(meter: CodeMeter, constant: str) -> Iterator[str]:
    literal = _quote(meter.event_name)
    line = f"{constant}: Final = {literal}"
    opening = f"{constant}: Final = ("
    if len(line) > _WIDTH and max(len(opening), len(literal) + 4) <= _WIDTH:
        yield opening
        yield f"    {literal}"
        yield ")"
    else:
        yield line
    yield f'"""{_document(meter)}"""'


def _write_function(meter: CodeMeter, constant: str, name: str) -> Iterator[str]:
    yield f"def build_{name}("
    yield "    customer: str,"
    if meter.value_key:
        yield "    value: int,"
    yield "    *,"
    yield "    identifier: str | None = None,"
    yield "    timestamp: int | None = None,"
    yield ") -> MeterEvent:"
    yield f'    """{_document(meter)}"""'
    if meter.deprecated:
        yield "    _warn("
        yield f"        {constant},"
        yield "    )"
    if meter.value_key:
        yield "    amount = str(value)"
    yield "    return _build("
    yield f"        {constant},"
    yield "        {"
    yield f"            {_quote(meter.customer_key)}: customer,"
    if meter.value_key:
        yield f"            {_quote(meter.value_key)}: amount,"
    yield "        },"
    yield "        identifier,"
    yield "        timestamp,"
    yield "    )"


def _document(meter: CodeMeter) -> str:
    return f"{describe(meter)} Deprecated: {RETIRED}" if meter.deprecated else describe(meter)


def _quote(text: str) -> str:
    return quote(text, _escape)


def _escape(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
