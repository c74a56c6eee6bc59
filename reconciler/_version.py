"""The version of this tool, where the build and `--version` find it without importing more."""

from __future__ import annotations

__version__ = "0.1.0"


def describe_runtime() -> str:
    """Return the version of Python and the platform."""
    import platform  # which `--version` alone does without

    return f"Python {platform.python_version()} on {platform.platform(terse=True)}"
