"""A stateful emulator of Stripe's billing meters and what depends on them, on a loopback port.

    with open_state(None, seed={"meters": [...]}) as store, Server(store) as server:
        stripe.api_base = server.url

It accepts any well-formed key of the account's mode, such as `sk_test_emulator`. Where Stripe's
behaviour is not known, `Settings` selects it. `Fault`s break requests on demand. It imports
no other part of this package.
"""

from .breakpoints import Announcer, parse_moment
from .control import ControlledServer
from .errors import EmulatorError, RequestError, SeedError, SettingError, StateError
from .http_server import is_loopback
from .messages import Phase
from .request_log import Entry, Level, LogLine, RequestLog
from .requests.auth import PERMISSIONS, parse_key
from .requests.faults import Fault, Kind
from .server import Clock, Reached, Server
from .settings import Key, Settings, list_choices, parse_settings
from .storage.database import Store
from .storage.open_state import open_state

__all__ = [
    "PERMISSIONS",
    "Announcer",
    "Clock",
    "ControlledServer",
    "EmulatorError",
    "Entry",
    "Fault",
    "Key",
    "Kind",
    "Level",
    "LogLine",
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
    "is_loopback",
    "list_choices",
    "open_state",
    "parse_key",
    "parse_moment",
    "parse_settings",
]
