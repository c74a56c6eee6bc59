"""Report in, text out: one module a format, and the one table of formats."""

from __future__ import annotations

from importlib import import_module

from ..report.documents import DiagnosticList, EmulatorInfo, Inventory
from ..report.history import History
from ..report.report import Report

Document = Report | Inventory | History | EmulatorInfo | DiagnosticList
"""All that a verb can have to say."""

FORMATS = ("text", "json", "markdown", "html", "junit", "sarif", "github")
"""Every format by the name of its module; the first two are also those of lists and codes."""


def render(document: Document, name: str) -> str:
    """The document in one of the formats, ending in a line break."""
    text: str = import_module(f".{name}", __package__).render(document)
    return text
