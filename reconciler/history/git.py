"""Git, asked to read: no shell, no pager, no network, and no other program that it may know of."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence

_READ_ONLY = (
    "--no-pager",
    "--no-optional-locks",
    "-c",
    "protocol.allow=never",  # in a partial clone a missing object would be fetched
    "-c",
    "log.showSignature=false",  # would run gpg
)

# Set where a hook of git runs us: they would have it look into another folder than it is told.
_ELSEWHERE = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"}
)

_AT_ONCE = 256  # objects that one process is asked for, so that they fit into memory


class GitError(Exception):
    """Git is not there, refuses, or takes too long; the text is its own last word."""


def ask(folder: str, *words: str, timeout: float = 5.0, told: bytes = b"") -> bytes:
    """What git prints when asked in a folder, within `timeout` seconds; raises GitError.

    `told` is what it reads from its standard input.
    """
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words; the folder is the user's own
            ["git", "-C", folder, *_READ_ONLY, *words],  # noqa: S607
            env={name: word for name, word in os.environ.items() if name not in _ELSEWHERE},
            input=told,
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


def objects(folder: str, names: Sequence[str], timeout: float) -> Iterator[tuple[str, bytes]]:
    """Objects by their full names, each with what it holds; raises GitError for a missing one.

    One process answers for many: to start one for each takes longer than to read it.
    """
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        wanted = "".join(f"{name}\n" for name in some).encode()
        held, at = ask(folder, "cat-file", "--batch", timeout=timeout, told=wanted), 0
        for name in some:
            head, _, _ = held[at : at + 200].partition(b"\n")
            size = head.split()[-1]  # after the name and the type; or `missing`
            if not size.isdigit():
                raise GitError(head.decode("utf-8", "replace") or f"no word of {name}")
            begin = at + len(head) + 1
            at = begin + int(size) + 1
            yield name, held[begin : at - 1]
