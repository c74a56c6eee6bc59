"""Git, asked to read: no shell, no pager, no network, and no other program that it may know of."""

from __future__ import annotations

import subprocess

_READ_ONLY = (
    "--no-pager",
    "--no-optional-locks",
    "-c",
    "protocol.allow=never",  # in a partial clone a missing object would be fetched
    "-c",
    "log.showSignature=false",  # would run gpg
)


class GitError(Exception):
    """Git is not there, refuses, or takes too long; the text is its own last word."""


def ask(folder: str, *words: str, timeout: float = 5.0) -> bytes:
    """What git prints when asked in a folder, within `timeout` seconds; raises GitError."""
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words; the folder is the user's own
            ["git", "-C", folder, *_READ_ONLY, *words],  # noqa: S607
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"no answer within {timeout:g} seconds") from None
    except OSError as error:
        raise GitError(f"git cannot be run: {error.strerror or error}") from None
    if answer.returncode:
        said = answer.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitError(said[0] if said else f"git ended with {answer.returncode}")
    return answer.stdout
