"""Variables of an environment, for shells and dotenv files."""

from __future__ import annotations

import re

from ..report.generated import CodeMeter
from .names import join_upper, name_all
from .text import NOTICE


def generate(meters: tuple[CodeMeter, ...]) -> str:
    """Return one variable for each meter, METER_ and its constant; the value is the event_name."""
    constants = name_all((meter.event_name for meter in meters), join_upper)
    lines = (f"METER_{constants[each.event_name]}={_quote(each.event_name)}\n" for each in meters)
    return "".join([f"# {NOTICE}\n", *lines])


def _quote(text: str) -> str:
    if re.fullmatch(r"[\w.-]+", text, re.ASCII):
        return text
    return '"' + re.sub(r'(["\\$`])', r"\\\1", text) + '"'
