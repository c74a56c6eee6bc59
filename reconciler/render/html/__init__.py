"""The report as one self-contained page."""

from .document import render

__all__ = ["render"]
