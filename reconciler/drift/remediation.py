"""Remediate a finding: a command, or YAML for a meter file."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..model.finding import Remediation, RemediationKind
from ..model.match import IMMUTABLE
from ..model.meter import DEFAULTS, FORMULAS, MAPPINGS, WINDOWS, ExistingMeter, Meter
from ..model.price import Price
from ..model.project import Account

_ALLOW = "# with `allow_unknown_values: true` in the file"


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands that act on one account. `path` is PATH, as it was given to this run."""

    path: str
    account: Account

    def apply(self, event_name: str | None = None) -> Remediation:
        """Return the command that applies the files, to one event_name if given."""
        pattern = re.sub(r"^-|[*?[]", r"[\g<0>]", event_name or "")  # --only takes patterns
        location = f"./{self.path}" if self.path.startswith("-") else self.path
        project = [] if location == "." else [location]
        only = ["--only", pattern] if pattern else []
        words = ["reconciler", "apply", *project, "--account", self.account.name, *only]
        return Remediation(RemediationKind.COMMAND, shlex.join(words))

    def deactivate(self, meter: ExistingMeter) -> Remediation:
        """Return the command of the Stripe CLI that deactivates one of several active meters."""
        acting = {
            "--stripe-account": self.account.stripe_account,
            "--stripe-context": self.account.stripe_context,
        }
        on = [word for option, value in acting.items() if value for word in (option, value)]
        mode = ["--live"] if meter.livemode else []
        path = f"/v1/billing/meters/{meter.id}/deactivate"
        words = ["stripe", "post", path, *on, *mode]
        return Remediation(RemediationKind.COMMAND, shlex.join(words))


def accept_prices(price_ids: Iterable[str]) -> Remediation:
    """Return the consent to exactly these prices in use on an inactive meter."""
    return _edit(f"accepts: {_format_flow({'prices': list(price_ids)})}")


def retire_meters(meter_ids: Iterable[str], note: str = "") -> Remediation:
    """Return the consent to give up exactly these meters."""
    return _edit(f"retires: {_format_flow(list(meter_ids))}{note}")


def adopt_name(existing: ExistingMeter) -> Remediation:
    """Return the display_name of an existing meter."""
    return _edit(_format_flow({"display_name": existing.display_name})[1:-1])


def adopt_settings(existing: ExistingMeter, desired: Meter) -> Remediation:
    """Return the immutable settings of an existing meter that differ from the declared ones."""
    theirs = existing.meter.as_api()
    differing = [name for name in IMMUTABLE if getattr(existing, name) != getattr(desired, name)]
    taken = {name: theirs[name] for name in differing if theirs[name] is not None}
    change = _format_flow(taken)[1:-1] if len(taken) == 1 else _format_flow(taken) if taken else ""
    notes = [f"# leave {name} out" for name in differing if theirs[name] is None]
    notes += [_ALLOW] if _has_unknown_values(existing) else []
    return _edit(" ".join([change, *notes]).strip())


def declare(existing: ExistingMeter, prices: Iterable[Price] = ()) -> Remediation:
    """Return an existing meter as an entry of a meter file that accepts these prices."""
    theirs = existing.meter.as_api()
    entry = {
        name: value
        for name, value in theirs.items()
        if name not in DEFAULTS or getattr(existing, name) != DEFAULTS[name]
    }
    if not existing.active:
        entry["status"] = "inactive"
    if accepted := [price.id for price in prices]:
        entry["accepts"] = {"prices": accepted}
    note = f"  {_ALLOW}" if _has_unknown_values(existing) else ""
    return Remediation(RemediationKind.DECLARATION, f"- {_format_flow(entry)}{note}")


def _has_unknown_values(existing: ExistingMeter) -> bool:
    """Whether a file must allow unknown values to declare this meter."""
    return (
        existing.default_aggregation.formula not in FORMULAS
        or existing.event_time_window not in WINDOWS
        or existing.customer_mapping.type not in MAPPINGS
    )


def _edit(text: str) -> Remediation:
    return Remediation(RemediationKind.EDIT, text)


def _format_flow(value: Any) -> str:
    """Return YAML in flow style, with quoted strings and escaped unprintable characters."""
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{key}: {_format_flow(inner)}" for key, inner in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_format_flow, value)) + "]"
    quoted = json.dumps(value, ensure_ascii=False)  # YAML reads the escapes of JSON alike
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in quoted
    )
