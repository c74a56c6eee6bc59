"""Render a document as text; each format is a module or folder with `render(document)`."""

from __future__ import annotations

from importlib import import_module

from ..report.documents import DiagnosticList, EmulatorInfo, Inventory
from ..report.history import History
from ..report.report import Report

Document = Report | Inventory | History | EmulatorInfo | DiagnosticList
"""Everything that a command can return."""

FORMATS = ("text", "json", "markdown", "html", "junit", "sarif", "github")
"""The name of each format is that of its module; every document has the first two."""


def render(document: Document, name: str) -> str:
    """Return the document in the named format, ending in a line break."""
    text: str = import_module(f".{name}", __package__).render(document)
    return text
