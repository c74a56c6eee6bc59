"""The report for a terminal."""

from .document import render, render_messages

__all__ = ["render", "render_messages"]
