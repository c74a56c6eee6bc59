"""`emulate`: the emulator on a loopback port, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from ...diagnostics.codes import environment, usage
from ...diagnostics.diagnostic import Diagnostic
from ...diagnostics.errors import ReconcilerError, UsageError
from ...emulator import (
    PERMISSIONS,
    Announcer,
    EmulatorError,
    Fault,
    Server,
    SettingError,
    Settings,
    choices,
    open_state,
    parse_key,
    parse_moment,
    parse_settings,
)
from ...render import Document
from ...report.documents import EmulatorInfo
from ..arguments import Options, Parser, whole
from ..context import PLAIN, Command, Context

_SPELLED_OUT = ("latency", "rate_limit", "name_scope")
_OTHERS = {name: options for name, options in choices().items() if name not in _SPELLED_OUT}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulateOptions(Options):
    """The address, the initial account, and the faults."""

    port: int = 12111
    state: str | None = None
    seed: str | None = None
    latency: str | None = None
    rate_limit: str | None = None
    name_scope: str | None = None
    key: tuple[str, ...] = ()
    switch: tuple[str, ...] = ()
    fault: tuple[str, ...] = ()
    announce: bool = False
    hold: tuple[str, ...] = ()

    def reads(self) -> Collection[str]:
        """The account's file, and what it starts from."""
        return tuple(file for file in (self.state, self.seed) if file)


_KEY = (
    "repeatable: accept these keys only, each with its permissions (without any it may do "
    f"everything): {', '.join(PERMISSIONS)}. One that may only read: "
    "rk_test_reader=billing_meter_read,plan_read,event_read"
)
_SWITCH = "repeatable, where Stripe's behaviour is not known, the default first: " + "; ".join(
    f"{name} ({options})" for name, options in _OTHERS.items()
)
_FAULT = "repeatable: KIND[:before|after][:NAME=VALUE]..., e.g. 500:after:post=3, reset:n=7"
_HOLD = "repeatable, announces too: pause at 7:before or 7:after until a line is typed"


def _options(parser: Parser) -> None:
    add = parser.add_argument
    many: dict[str, Any] = {"action": "append", "default": []}
    add("--port", type=whole, default=12111, help="default 12111; 0: any free one")
    add("--state", metavar="FILE", help="keep the account in this SQLite file (default: in memory)")
    add("--seed", metavar="FILE", help="JSON that a new account starts from")
    add("--latency", metavar="MS", help="milliseconds before every answer")
    add("--rate-limit", metavar="N", help="requests a second; more get a 429")
    add("--name-scope", metavar="SCOPE", help="which meters occupy a name: active or all")
    add("--key", metavar="KEY[=PERMISSION,...]", help=_KEY, **many)
    add("--switch", metavar="NAME=VALUE", help=_SWITCH, **many)
    add("--fault", metavar="SPEC", help=_FAULT, **many)
    add("--announce", action="store_true", help="report every request on standard error")
    add("--hold", metavar="MOMENT", help=_HOLD, **many)


def _emulate(options: EmulateOptions, context: Context) -> Document:
    try:
        settings, faults = _settings(options), [Fault.parse(spec) for spec in options.fault]
        reached = _announcer(options, context)
    except (SettingError, argparse.ArgumentTypeError) as error:
        raise UsageError(usage.BAD_WORDS(str(error))) from None
    try:
        with (
            open_state(options.state, options.seed) as store,
            Server(store, settings, faults, port=options.port, reached=reached) as server,
        ):
            serving = EmulatorInfo(url=server.url, api_key=server.api_key)
            context.stop.only_told()
            context.announce(serving)
            while not context.stop():
                context.clock.sleep(60.0)
    except EmulatorError as error:
        raise ReconcilerError(environment.EMULATOR(str(error))) from None
    except OSError as error:
        raise ReconcilerError(_unserved(options.port, error)) from None
    return serving


def _unserved(port: int, error: OSError) -> Diagnostic:
    why = os.strerror(error.errno) if error.errno else str(error)
    message = f"127.0.0.1:{port} cannot be served: {why}"
    return environment.EMULATOR(message, hint="choose another --port; --port 0 takes any free one")


def _settings(options: EmulateOptions) -> Settings:
    """The switches; a latency without a unit is in milliseconds."""
    given = dict(_pair(word) for word in options.switch)
    spelled = {name: getattr(options, name) for name in _SPELLED_OUT}
    given |= {name: word for name, word in spelled.items() if word is not None}
    if given.get("latency", "").isdigit():
        given["latency"] += "ms"
    return replace(parse_settings(given), keys=tuple(map(parse_key, options.key)))


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise SettingError(f"--switch {word!r} is not NAME=VALUE")
    return name, value


def _announcer(options: EmulateOptions, context: Context) -> Announcer | None:
    if not options.announce and not options.hold:
        return None
    holds = [parse_moment(word) for word in options.hold]
    return Announcer(context.console.aside, context.console.keyboard, holds)


COMMAND = Command(
    EmulateOptions,
    "Serve an emulated Stripe on 127.0.0.1: billing meters, prices, events and the account.\n"
    "It keeps the account in memory or a file, and fails on demand. Ctrl-C ends it.",
    _options,
    _emulate,
    PLAIN,
)
