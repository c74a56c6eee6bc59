"""JSON, for other generators."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from .. import json_text
from ..report.generated import CodeMeter
from .names import join_upper, name_all


def generate(meters: tuple[CodeMeter, ...]) -> str:
    """Return all facts of each meter, and its constant."""
    return json_text.dump(build_document(meters))


def build_document(meters: tuple[CodeMeter, ...]) -> dict[str, Any]:
    """Return the document; it names no version of the tool, so that an upgrade changes nothing."""
    constants = name_all((meter.event_name for meter in meters), join_upper)
    entries = [{"constant": constants[each.event_name], **to_builtins(each)} for each in meters]
    return {"format_version": "1.0", "meters": entries}
