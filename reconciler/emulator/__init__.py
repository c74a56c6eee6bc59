"""A Stripe that remembers: billing meters, prices, events and the account, on a loopback port.

    with open_state(None, seed={"meters": [...]}) as store, Server(store) as server:
        stripe.api_base = server.url

Any well-formed key of the account's mode opens it, `sk_test_emulator` for one. What Stripe
does is followed as far as it is known; where it is not, `Settings` has both. `Fault`s
break requests on demand. It uses nothing of the rest of this package.
"""

from .auth import PERMISSIONS, parse_key
from .breakpoints import Announcer, parse_moment
from .errors import EmulatorError, RequestError, SeedError, SettingError, StateError
from .faults import Fault, Kind
from .messages import Phase
from .request_log import Entry, RequestLog
from .server import Clock, Reached, Server
from .settings import (
    Key,
    Settings,
    choices,
    parse_settings,
)
from .storage import Store, open_state

__all__ = [
    "PERMISSIONS",
    "Announcer",
    "Clock",
    "EmulatorError",
    "Entry",
    "Fault",
    "Key",
    "Kind",
    "Phase",
    "Reached",
    "RequestError",
    "RequestLog",
    "SeedError",
    "Server",
    "SettingError",
    "Settings",
    "StateError",
    "Store",
    "choices",
    "open_state",
    "parse_key",
    "parse_moment",
    "parse_settings",
]
