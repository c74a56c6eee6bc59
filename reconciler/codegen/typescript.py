"""TypeScript, as `prettier` leaves it; passes `tsc --strict`."""

from __future__ import annotations

from collections.abc import Iterator

from ..report.generated import CodeMeter
from .names import join_pascal, join_upper, name_all
from .text import HEADING, NOTICE, RETIRED, describe, quote

_WIDTH = 80

_HEAD = f"""/**
 * {HEADING}
 * {NOTICE}
 */

/** The parameters of `stripe.billing.meterEvents.create`. */
export interface MeterEvent {{
  event_name: string;
  payload: Record<string, string>;
  identifier: string;
  timestamp?: number;
}}

export interface CountUsage {{
  customer: string;
  /** Stripe ignores an event that is sent twice; by default a new one. */
  identifier?: string;
  timestamp?: number;
}}

export interface ValueUsage extends CountUsage {{
  /** A whole number. */
  value: number | bigint;
}}
"""

_BUILD = """
declare const crypto: { randomUUID(): string };

function build(
  eventName: string,
  payload: Record<string, string>,
  usage: CountUsage,
): MeterEvent {
  const event: MeterEvent = {
    event_name: eventName,
    payload,
    identifier: usage.identifier ?? crypto.randomUUID(),
  };
  if (usage.timestamp !== undefined) {
    event.timestamp = usage.timestamp;
  }
  return event;
}
"""

_FORMAT_VALUE = """
function formatValue(value: number | bigint): string {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError(`${value} is not a whole number`);
  }
  return value.toString();
}
"""


def generate(meters: tuple[CodeMeter, ...]) -> str:
    """Return a module with a constant and a function for each meter."""
    names = [meter.event_name for meter in meters]
    constants, functions = name_all(names, join_upper), name_all(names, join_pascal)
    parts = [_HEAD]
    for meter in meters:
        constant = constants[meter.event_name]
        lines = _assign(f"export const {constant}", _quote(meter.event_name), "")
        parts.append("\n" + "".join(f"{line}\n" for line in [_document(meter), *lines]))
    for meter in meters:
        name = meter.event_name
        lines = _write_function(meter, constants[name], functions[name])
        parts.append("\n" + "".join(f"{line}\n" for line in lines))
    parts += [_BUILD] if meters else []
    parts += [_FORMAT_VALUE] if any(meter.value_key for meter in meters) else []
    return "".join(parts)


def _assign(target: str, value: str, indent: str) -> Iterator[str]:
    line = f"{indent}{target} = {value};"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield f"{indent}{target} ="
        yield f"{indent}  {value};"


def _write_function(meter: CodeMeter, constant: str, name: str) -> Iterator[str]:
    usage = "ValueUsage" if meter.value_key else "CountUsage"
    head = f"export function build{name}(usage: {usage}): MeterEvent {{"
    yield _document(meter)
    if len(head) <= _WIDTH:
        yield head
    else:
        yield f"export function build{name}("
        yield f"  usage: {usage},"
        yield "): MeterEvent {"
    yield "  const payload: Record<string, string> = {};"
    yield from _assign("const customerKey", _quote(meter.customer_key), "  ")
    yield "  payload[customerKey] = usage.customer;"
    if meter.value_key:
        yield from _assign("const valueKey", _quote(meter.value_key), "  ")
        yield "  payload[valueKey] = formatValue(usage.value);"
    yield from _assign("const eventName", constant, "  ")
    yield "  return build(eventName, payload, usage);"
    yield "}"


def _document(meter: CodeMeter) -> str:
    end = f" @deprecated {RETIRED}" if meter.deprecated else ""
    return f"/** {describe(meter)}{end} */"


def _quote(text: str) -> str:
    return quote(text, _escape)


def _escape(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\u{{{code:x}}}"
