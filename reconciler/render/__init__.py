"""Render a document as text; each format is a module or folder with `render(document)`."""

from __future__ import annotations

from importlib import import_module

from ..codegen import generate
from ..report.checkup import Checkup
from ..report.comparison import Comparison
from ..report.documents import (
    DiagnosticList,
    EmulatorInfo,
    Inventory,
    MeterDeclarations,
    NewProject,
    PlainText,
    Readiness,
)
from ..report.generated import CodeCheck, GeneratedCode
from ..report.history import History
from ..report.published import Published
from ..report.report import Report
from .places import AS_GIVEN, Base

Structured = (
    Report
    | Inventory
    | Readiness
    | Comparison
    | History
    | Checkup
    | EmulatorInfo
    | DiagnosticList
    | MeterDeclarations
    | NewProject
    | GeneratedCode
    | CodeCheck
    | Published
)
"""What a format lays out."""

Document = Structured | PlainText
"""Everything that a command can return."""

FORMATS = ("text", "json", "markdown", "html", "junit", "sarif", "codequality", "github")
"""The name of each format is that of its module; every document has the first two."""


PLACED = ("junit", "sarif", "codequality", "github")
"""The formats whose places are relative to the repository, since code hosts look them up there."""


def render(document: Document, name: str, base: Base = AS_GIVEN) -> str:
    """Return the document in the named format, ending in a line break."""
    return "".join(render_parts(document, name, base))


def render_parts(document: Document, name: str, base: Base = AS_GIVEN) -> tuple[str, ...]:
    """Return the same in parts: a large JSON document is never in memory a second time."""
    if name not in FORMATS:
        if isinstance(document, GeneratedCode):
            return (generate(document.meters, name),)
        name = "text"  # no other document can be written in a language
    module = import_module(f".{name}", __package__)
    if name == "json":
        return tuple(module.render_parts(document))
    return (module.render(document, base) if name in PLACED else module.render(document),)
