"""Idempotency keys: replays, mismatches and keys in use."""

from __future__ import annotations

import hashlib
import json

from ..errors import RequestError
from ..messages import Request
from ..settings import Key, Settings
from ..state import State
from ..storage.database import Ledger, Reply
from .forms import Tree

LONGEST_KEY = 255


def hash_request(request: Request, tree: Tree) -> str:
    """Hash what a key was used for: the path and the parameters, in any order."""
    text = json.dumps([request.path, tree], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def scope_key(request: Request, key: Key, settings: Settings) -> str:
    """Return what identifies the idempotency key of a request in its account; "" without one.

    The API key is part of it, as a hash, where the setting says so.
    """
    if not request.key or settings.key_scope == "account":
        return request.key or ""
    digest = hashlib.sha256(key.secret.encode()).hexdigest()
    return f"{digest[:16]}/{request.key}"


def find_reply(
    state: State, ledger: Ledger, request: Request, scoped: str, meaning: str, now: float
) -> Reply | None:
    """Find the stored reply of a key; raises RequestError when this request may not use it.

    `scoped` identifies the key in its account.
    """
    key = request.key or ""
    if len(key) > LONGEST_KEY:
        text = f"Idempotency keys may be at most {LONGEST_KEY} characters long."
        raise RequestError(400, text)
    if (ledger.account.id, scoped) in state.in_use:
        raise RequestError.key_in_use(key, state.settings.key_in_use_error)
    stored = ledger.find_reply(scoped, now)
    if stored and stored.path != request.path:
        where = f"('{stored.path}' vs '{request.path}')"
        what = f"for the same endpoint they were first used for {where}"
        raise RequestError.key_mismatch(key, what)
    if stored and stored.meaning != meaning:
        what = "with the same parameters they were first used with"
        raise RequestError.key_mismatch(key, what)
    return stored
