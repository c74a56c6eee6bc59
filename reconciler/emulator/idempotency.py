"""The store of first answers: replays, mismatches and keys in use."""

from __future__ import annotations

import hashlib
import json

from .database import Reply
from .errors import RequestError
from .forms import Tree
from .messages import Request
from .state import State

LONGEST_KEY = 255


def fingerprint(request: Request, tree: Tree) -> str:
    """Hash what a key is used for: the path and the parameters, in any order."""
    text = json.dumps([request.path, tree], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def recall(state: State, key: str, meant: str, now: float) -> Reply | None:
    """Find the stored answer to a key; raises RequestError when the key may not be used here."""
    if len(key) > LONGEST_KEY:
        text = f"Idempotency keys may be at most {LONGEST_KEY} characters long."
        raise RequestError(400, text)
    if key in state.in_use:
        raise key_in_use(key, state.settings.key_in_use_error)
    stored = state.ledger.reply(key, now)
    if stored and stored.meaning != meant:
        raise RequestError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{key}' if you meant to execute a "
            "different request.",
            kind="idempotency_error",
        )
    return stored


def key_in_use(key: str, kind: str) -> RequestError:
    """The 409 for a key whose first request has not ended yet."""
    return RequestError(
        409,
        "There is currently another in-progress request using this Idempotent Key (that probably "
        "means you submitted twice, and the other request is still going through): "
        f"{key}. Please try again later.",
        "idempotency_key_in_use",
        kind=kind,
    )
