"""Render a document as text; each format is a module or folder with `render(document)`."""

from __future__ import annotations

from importlib import import_module

from ..report.result import CommandResult
from .places import AS_GIVEN, Base

Document = CommandResult
"""Everything that a command can return."""

FORMATS = ("text", "json", "markdown", "html", "junit", "sarif", "codequality", "github")
"""The name of each format is that of its module; every document has the first two."""


PLACED = ("junit", "sarif", "codequality", "github")
"""The formats whose places are relative to the repository, since code hosts look them up there."""


def prepare_report(name: str) -> None:
    """Import what renders a report in a format, which can be done while Stripe responds."""
    import_module(f".{name}.report" if name in ("text", "json") else f".{name}", __package__)


def render(document: Document, name: str, base: Base = AS_GIVEN) -> str:
    """Return the document in the named format, ending in a line break."""
    return "".join(render_parts(document, name, base))


def render_parts(document: Document, name: str, base: Base = AS_GIVEN) -> tuple[str, ...]:
    """Return the same in parts: a large JSON document is never in memory a second time."""
    if name not in FORMATS:
        from ..codegen import generate
        from ..report.generated import GeneratedCode

        if isinstance(document, GeneratedCode):
            return (generate(document.meters, name),)
        name = "text"  # no other document can be written in a language
    module = import_module(f".{name}", __package__)
    if name == "json":
        return tuple(module.render_parts(document))
    return (module.render(document, base) if name in PLACED else module.render(document),)
