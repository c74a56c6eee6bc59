"""The report for a terminal."""

from .document import coloured, render

__all__ = ["coloured", "render"]
