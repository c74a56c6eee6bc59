"""The version of this tool, where the build and `--version` find it without importing more."""

from __future__ import annotations

__version__ = "0.1.0"
