"""What to do about a finding, as a command or as a line of YAML."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..model.match import IMMUTABLE
from ..model.meter import DEFAULTS, ExistingMeter, Meter
from ..model.price import Price
from ..model.project import Account


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands that act on one account. `path` is PATH, as it was given to this run."""

    path: str
    account: Account

    def apply(self, event_name: str | None = None) -> str:
        """What brings a declared name about; without one, whatever the files and policy want."""
        pattern = re.sub(r"^-|[*?[]", r"[\g<0>]", event_name or "")  # --only takes patterns
        location = f"./{self.path}" if self.path.startswith("-") else self.path
        project = [] if location == "." else [location]
        only = ["--only", pattern] if pattern else []
        words = ["reconciler", "apply", *project, "--account", self.account.name, *only]
        return shlex.join(words)

    def deactivate(self, meter: ExistingMeter) -> str:
        """What stops one of several active meters, with Stripe's own CLI."""
        acting = {
            "--stripe-account": self.account.stripe_account,
            "--stripe-context": self.account.stripe_context,
        }
        on = [word for option, value in acting.items() if value for word in (option, value)]
        mode = ["--live"] if meter.livemode else []
        path = f"/v1/billing/meters/{meter.id}/deactivate"
        return shlex.join(["stripe", "post", path, *on, *mode])


def accepts_line(price_ids: Iterable[str]) -> str:
    """Consent to exactly these active prices on a meter that does not run."""
    return f"accepts: {_flow({'active_prices': list(price_ids)})}"


def retires_line(meter_ids: Iterable[str]) -> str:
    """Consent to give up exactly these live meters."""
    return f"retires: {_flow(list(meter_ids))}"


def named_line(existing: ExistingMeter) -> str:
    """The name that a live meter has."""
    return _flow({"display_name": existing.display_name})[1:-1]


def adopted_line(existing: ExistingMeter, desired: Meter) -> str:
    """The immutable settings of a live meter that a declaration would have to take over."""
    theirs = existing.as_api()
    differing = [name for name in IMMUTABLE if getattr(existing, name) != getattr(desired, name)]
    taken = {name: theirs[name] for name in differing if theirs[name] is not None}
    change = _flow(taken)[1:-1] if len(taken) == 1 else _flow(taken) if taken else ""
    left_out = [name for name in differing if theirs[name] is None]
    return " ".join([change, *(f"# leave {name} out" for name in left_out)]).strip()


def declaration_line(existing: ExistingMeter, prices: Iterable[Price] = ()) -> str:
    """A live meter as an entry of a meter file; `prices` are the ones to accept on it."""
    theirs = existing.meter.as_api()
    entry = {
        name: value
        for name, value in theirs.items()
        if name not in DEFAULTS or getattr(existing, name) != DEFAULTS[name]
    }
    if not existing.active:
        entry["status"] = "inactive"
    if accepted := [price.id for price in prices]:
        entry["accepts"] = {"active_prices": accepted}
    return f"- {_flow(entry)}"


def _flow(value: Any) -> str:
    """Flow style, every text in double quotes, and what cannot be seen in it escaped."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    quoted = json.dumps(value, ensure_ascii=False)  # YAML reads the escapes of JSON alike
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in quoted
    )
