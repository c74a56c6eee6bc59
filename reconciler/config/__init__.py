"""Read configuration files, and report every error at its location."""

from __future__ import annotations

from .loader import load, load_accounts, load_all

__all__ = ["load", "load_accounts", "load_all"]
