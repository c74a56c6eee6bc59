"""The report for a terminal."""

from .document import render

__all__ = ["render"]
