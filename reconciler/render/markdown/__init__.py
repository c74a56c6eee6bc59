"""The report as a comment on a pull request."""

from .document import render

__all__ = ["render"]
