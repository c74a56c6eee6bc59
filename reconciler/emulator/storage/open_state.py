"""Open the account's data: in memory, or in a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from .database import Store
from .seed import Seed, load_seed


def open_state(path: str | Path | None = None, seed: Seed = None) -> Store:
    """Open the account kept at `path`; with None, one that exists in memory only.

    `seed` (a mapping, or the path of a JSON file) is the initial account where the file does not
    exist yet. Raises StateError for files that cannot be used, for instance because another
    process has locked them, and SeedError for an invalid seed.
    """
    if path is None:
        return Store(*load_seed(seed), reload=partial(load_seed, seed))
    from .state_file import open_file  # only a state file needs SQLite

    return open_file(Path(path), seed)
