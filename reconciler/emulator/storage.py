"""Where the account is kept: in memory, or in a file that survives the process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

from .database import Ledger
from .seed import Seed, sow


class Store:
    """A ledger, and how to release what keeps it. Call `close`, or use it in a `with`."""

    def __init__(self, ledger: Ledger, close: Callable[[], None] = lambda: None) -> None:
        self.ledger = ledger
        self.close = close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_state(path: str | Path | None = None, seed: Seed = None) -> Store:
    """Open the account kept at `path`; with None, one that exists in memory only.

    `seed` (a mapping, or the path of a JSON file) is what the account starts from where the
    file does not exist yet. Raises StateError for files that cannot be used, among them
    those that another process holds, and SeedError for a seed that describes no account.
    """
    if path is None:
        return Store(sow(seed))
    from .state_file import open_file  # only a state file needs SQLite

    file = open_file(Path(path), seed)
    return Store(file.ledger, file.close)
