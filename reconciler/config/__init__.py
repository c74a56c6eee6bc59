"""The files that a user writes, read into nouns with every error named at its place."""

from __future__ import annotations

from .loader import load

__all__ = ["load"]
