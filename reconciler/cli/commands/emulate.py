"""`emulate`: run the emulator on a loopback port, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import errno
import os
import socket
from collections.abc import Callable, Iterator
from typing import Annotated

from msgspec.structs import replace

from ...diagnostics.codes import environment, usage
from ...diagnostics.diagnostic import Diagnostic
from ...diagnostics.errors import ReconcilerError, UsageError
from ...emulator import (
    PERMISSIONS,
    Announcer,
    ControlledServer,
    EmulatorError,
    Fault,
    Level,
    LogLine,
    Server,
    SettingError,
    Settings,
    is_loopback,
    list_choices,
    open_state,
    parse_key,
    parse_moment,
    parse_settings,
)
from ...render import Document
from ...report.documents import EmulatorInfo
from ...threads import enter_blocking_signals
from ..arguments import Options, flag, option, parse_whole_number
from ..context import PLAIN, Command, Context
from ..output import emit

HOST, LAST_PORT = "127.0.0.1", 65535

_SPELLED_OUT = ("latency", "rate_limit", "name_scope")
_OTHERS = {name: options for name, options in list_choices().items() if name not in _SPELLED_OUT}


_KEY = (
    "accept only these keys, each with its permissions (none given: all permissions); "
    f"repeatable. Permissions: {', '.join(PERMISSIONS)}. Example of a read-only key: "
    "rk_test_reader=billing_meter_read,plan_read,event_read"
)
_EXPIRED_KEY = "answer 401 to this key, as to one that has expired; repeatable"
_SWITCH = "set a behavior that Stripe does not document (default first); repeatable: " + "; ".join(
    f"{name} ({options})" for name, options in _OTHERS.items()
)
_FAULT = (
    "inject a fault, KIND[:before|after][:NAME=VALUE]..., e.g. 500:after:post=3 or reset:n=7; "
    "repeatable"
)
_HOLD = "pause at e.g. 7:before or 7:after until a line is entered; implies --announce"


def _parse_port(word: str) -> int:
    port = parse_whole_number(word)
    if port > LAST_PORT:
        raise argparse.ArgumentTypeError(f"{word} is not a port from 0 to {LAST_PORT}")
    return port


class EmulateOptions(Options, frozen=True, kw_only=True):
    """The port, the state and the seed, the settings and the faults of the emulator."""

    host: Annotated[
        str, option("address to listen on (default 127.0.0.1); others reach it at 0.0.0.0 or ::")
    ] = HOST
    port: Annotated[
        int, option("port to listen on (default 12111; 0: any free port)", type=_parse_port)
    ] = 12111
    state: Annotated[
        str | None,
        option(
            "keep the state of the account in this SQLite file (default: in memory)", metavar="FILE"
        ),
    ] = None
    seed: Annotated[
        str | None, option("JSON file with the initial state of a new account", metavar="FILE")
    ] = None
    latency: Annotated[
        str | None, option("delay every response by this many milliseconds", metavar="MS")
    ] = None
    rate_limit: Annotated[
        str | None, option("answer 429 above this many requests a second", metavar="N")
    ] = None
    name_scope: Annotated[
        str | None, option("meters that occupy an event_name: active or all", metavar="SCOPE")
    ] = None
    key: Annotated[tuple[str, ...], option(_KEY, metavar="KEY[=PERMISSION,...]")] = ()
    switch: Annotated[tuple[str, ...], option(_SWITCH, metavar="NAME=VALUE")] = ()
    fault: Annotated[tuple[str, ...], option(_FAULT, metavar="SPEC")] = ()
    expired_key: Annotated[tuple[str, ...], option(_EXPIRED_KEY, metavar="KEY")] = ()
    control: Annotated[
        bool, flag("serve /_emulator, which controls faults, switches, clock and state")
    ] = False
    announce: Annotated[bool, flag("print every request on standard error")] = False
    hold: Annotated[tuple[str, ...], option(_HOLD, metavar="MOMENT")] = ()

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the state and the seed."""
        own = ((self.state, "--state of the emulator"), (self.seed, "--seed of the emulator"))
        return tuple((file, what) for file, what in own if file)


def _serve(options: EmulateOptions, context: Context) -> Document:
    try:
        settings, faults = _parse_switches(options), [Fault.parse(spec) for spec in options.fault]
        announcer = _build_announcer(options, context)
    except (SettingError, argparse.ArgumentTypeError) as error:
        hint = "see `reconciler emulate --help`"
        raise UsageError(usage.BAD_OPTIONS(str(error), hint=hint)) from None
    try:
        with (
            open_state(options.state, options.seed) as store,
            enter_blocking_signals(
                (ControlledServer if options.control else Server)(
                    store,
                    settings,
                    faults,
                    port=options.port,
                    reached=announcer,
                    host=options.host,
                    on_log=_build_log(options, context),
                )
            ) as server,
        ):
            serving = EmulatorInfo(
                url=server.url,
                api_key=server.api_key,
                diagnostics=tuple(_find_surprises(options, is_new=store.is_new)),
            )
            context.stop.defer()
            emit(serving, context.output, context.console)
            while not context.stop():
                context.clock.sleep(60.0)
    except EmulatorError as error:
        raise ReconcilerError(environment.EMULATOR(str(error))) from None
    except (OSError, UnicodeError) as error:
        raise ReconcilerError(_describe_bind_error(options, error)) from None
    return serving


def _find_surprises(options: EmulateOptions, *, is_new: bool) -> Iterator[Diagnostic]:
    """Warn of an address that others reach, and of a seed that has no effect."""
    if not is_loopback(options.host):
        place = f"--host {options.host} is not a loopback address"
        yield environment.EXPOSED_EMULATOR(f"{place}: other machines can use the emulator")
    if options.seed and not is_new:
        message = f"--seed {options.seed} is not used: {options.state} has an account already"
        yield environment.UNUSED_SEED(message)


def _build_log(options: EmulateOptions, context: Context) -> Callable[[LogLine], None]:
    """Return the log: with -v each request, always what went wrong, with -vv its traceback."""

    def write(line: LogLine) -> None:
        if line.level is Level.FAILURE:
            context.console.warn(str(environment.BUG(f"in the emulator: {line.text}")))
            if options.verbose > 1:
                context.console.warn(line.details)
        elif options.verbose or line.level is Level.REFUSAL:
            context.console.warn(line.text)

    return write


def _describe_bind_error(options: EmulateOptions, error: OSError | UnicodeError) -> Diagnostic:
    why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    own = "--host takes an address of this machine, such as 127.0.0.1, ::1 or 0.0.0.0"
    if isinstance(error, socket.gaierror | UnicodeError):
        return environment.EMULATOR(f"there is no address {options.host!r}", hint=own)
    address = f"[{options.host}]" if ":" in options.host else options.host
    message = f"cannot listen on {address}:{options.port}: {why}"
    if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
        return environment.EMULATOR(message, hint=own)
    return environment.EMULATOR(message, hint="choose another --port; --port 0 takes any free port")


def _parse_switches(options: EmulateOptions) -> Settings:
    """Return the settings; a latency without a unit is in milliseconds."""
    given = dict(_split_pair(word) for word in options.switch)
    spelled = {name: getattr(options, name) for name in _SPELLED_OUT}
    given |= {name: word for name, word in spelled.items() if word is not None}
    if given.get("latency", "").isdigit():
        given["latency"] += "ms"
    keys = [parse_key(word) for word in options.key]
    keys += [replace(parse_key(word), expired=True) for word in options.expired_key]
    return replace(parse_settings(given), keys=tuple(keys))


def _split_pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise SettingError(f"--switch {word!r} is not NAME=VALUE")
    return name, value


def _build_announcer(options: EmulateOptions, context: Context) -> Announcer | None:
    if not options.announce and not options.hold:
        return None
    holds = [parse_moment(word) for word in options.hold]
    return Announcer(context.console.errors, context.console.keyboard, holds)


COMMAND = Command(
    EmulateOptions,
    "Run a local emulator of the Stripe API: billing meters and their usage, products, prices, "
    "customers, subscriptions, events and accounts. It keeps state as Stripe does, and injects "
    "faults on request. Stop it with Ctrl-C.",
    _serve,
    PLAIN,
)
