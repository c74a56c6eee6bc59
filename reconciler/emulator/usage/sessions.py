"""Sessions of the meter event stream: their tokens take the place of an API key for 15 minutes.

Source: /v2/billing/meter_event_session.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ..errors import RequestError
from ..messages import Json, Request
from ..requests.auth import read_secret
from ..requests.params import Shape
from ..settings import Key
from ..state import Call
from ..storage.database import Ledger
from .moments import format_moment

URL = "/v2/billing/meter_event_session"
LIFETIME = 15 * 60

CREATE: Shape = {}


def create(call: Call) -> Json:
    """Create a session, and return its token."""
    ledger = call.ledger
    session_id = ledger.create_id("mes")
    mode = "live" if ledger.account.livemode else "test"
    digits = hashlib.sha256(f"{ledger.account.id}/{session_id}".encode()).hexdigest()
    token, expires = f"token_{mode}_{digits[:40]}", call.now + LIFETIME
    session = {"id": session_id, "token": token, "expires": expires}
    call.change["usage_sessions"].append(session)
    return {
        "id": session_id,
        "object": "v2.billing.meter_event_session",
        "authentication_token": token,
        "created": format_moment(call.now),
        "expires_at": format_moment(expires),
        "livemode": ledger.account.livemode,
    }


def check_session(request: Request, ledgers: Iterable[Ledger], now: float) -> Key:
    """Return the session of a request as a key; raises RequestError (401) without a valid one."""
    token = read_secret(request)
    for ledger in ledgers:
        for session in ledger.usage_sessions.values():
            if session["token"] != token:
                continue
            if session["expires"] > now:
                return Key(token, account=ledger.account.id)
            text = "The session has expired. Create another meter event session."
            code = "billing_meter_event_session_expired"
            raise RequestError(401, text, code, kind="temporary_session_expired")
    raise RequestError(
        401,
        "The meter event stream needs the authentication token of a meter event session: "
        f"POST {URL} returns one.",
    )
