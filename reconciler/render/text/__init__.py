"""The report for a terminal."""

from .document import render, render_diagnostics

__all__ = ["render", "render_diagnostics"]
