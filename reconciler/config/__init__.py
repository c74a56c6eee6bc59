"""Read configuration files, and report every error at its location."""

from __future__ import annotations

from .loader import load

__all__ = ["load"]
