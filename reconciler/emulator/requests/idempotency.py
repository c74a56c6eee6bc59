"""Idempotency keys: replays, mismatches and keys in use."""

from __future__ import annotations

import hashlib
import json

from ..errors import RequestError
from ..messages import Request
from ..state import State
from ..storage.database import Ledger, Reply
from .forms import Tree

LONGEST_KEY = 255


def hash_request(request: Request, tree: Tree) -> str:
    """Hash what a key was used for: the path and the parameters, in any order."""
    text = json.dumps([request.path, tree], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def find_reply(state: State, ledger: Ledger, key: str, meaning: str, now: float) -> Reply | None:
    """Find the stored reply of a key; raises RequestError when this request may not use it."""
    if len(key) > LONGEST_KEY:
        text = f"Idempotency keys may be at most {LONGEST_KEY} characters long."
        raise RequestError(400, text)
    if (ledger.account.id, key) in state.in_use:
        raise RequestError.key_in_use(key, state.settings.key_in_use_error)
    stored = ledger.find_reply(key, now)
    if stored and stored.meaning != meaning:
        raise RequestError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{key}' if you meant to execute a "
            "different request.",
            kind="idempotency_error",
        )
    return stored
