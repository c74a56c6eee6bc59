"""Remediate a finding: a command, or YAML for a meter file."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from msgspec import Struct

from ..model.finding import Remediation, RemediationKind
from ..model.meter import DEFAULTS, ExistingMeter, has_unknown_values
from ..model.price import Price
from ..model.project import Account, MeterConfig
from ..planning import adoption
from ..planning.adoption import ALLOW_UNKNOWN, format_flow, name_override


class Commands(Struct, frozen=True):
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
        return self._post(f"/v1/billing/meters/{meter.id}/deactivate", live=meter.livemode)

    def activate(self, price: Price) -> Remediation:
        """Return the command of the Stripe CLI that makes an archived price active again."""
        live = self.account.livemode
        return self._post(f"/v1/prices/{price.id}", "-d", "active=true", live=live)

    def _post(self, path: str, *data: str, live: bool) -> Remediation:
        acting = {
            "--stripe-account": self.account.stripe_account,
            "--stripe-context": self.account.stripe_context,
        }
        on = [word for option, value in acting.items() if value for word in (option, value)]
        mode = ["--live"] if live else []
        words = ["stripe", "post", path, *data, *on, *mode]
        return Remediation(RemediationKind.COMMAND, shlex.join(words))


def accept_prices(desired: MeterConfig, price_ids: Iterable[str], note: str = "") -> Remediation:
    """Return the consent to exactly these prices in use on an inactive meter."""
    consent = f"accepts: {format_flow({'prices': list(price_ids)})}{note}"
    return _edit(consent + name_override(desired, "accepts"))


def expect_prices(desired: MeterConfig, prices: Iterable[Price]) -> Remediation:
    """Return the expectation that these prices meet."""
    keys = [price.lookup_key for price in prices]
    listed = [{"lookup_key": key} for key in keys if key]
    text = f"prices: {format_flow(listed) if len(listed) == len(keys) else 'required'}"
    return _edit(text + name_override(desired, "prices"))


def retire_meters(desired: MeterConfig, meter_ids: Iterable[str], note: str = "") -> Remediation:
    """Return the consent to give up exactly these meters."""
    consent = f"retires: {format_flow(list(meter_ids))}{note}"
    return _edit(consent + name_override(desired, "retires"))


def adopt_name(existing: ExistingMeter, desired: MeterConfig) -> Remediation:
    """Return the display_name of an existing meter."""
    name = format_flow({"display_name": existing.display_name})[1:-1]
    return _edit(name + name_override(desired, "display_name"))


def adopt_settings(existing: ExistingMeter, desired: MeterConfig) -> Remediation:
    """Return the immutable settings of an existing meter that differ from the declared ones."""
    return _edit(adoption.adopt_settings(existing, desired))


def keep_active(existing: ExistingMeter, desired: MeterConfig, otherwise: str = "") -> Remediation:
    """Return the edit that keeps a meter, or reactivates it; `otherwise` is what gives it up."""
    return _edit(adoption.keep_active(existing, desired) + otherwise)


def keep_name(former: ExistingMeter) -> Remediation:
    """Return the event_name of the meter that a new one seems to rename."""
    return _edit(f"event_name: {format_flow(former.event_name)}")


def declare(existing: ExistingMeter, prices: Iterable[Price] = ()) -> Remediation:
    """Return an existing meter as an active entry of a meter file.

    Where `prices` are given they use an inactive meter: of an active one, the entry accepts them;
    an inactive one is reactivated, or else given up with its prices.
    """
    theirs = existing.meter.as_api()
    entry = {
        name: value
        for name, value in theirs.items()
        if name not in DEFAULTS or getattr(existing, name) != DEFAULTS[name]
    }
    note = f"  {ALLOW_UNKNOWN}" if has_unknown_values(existing) else ""
    if accepted := [price.id for price in prices]:
        consent = {"accepts": {"prices": accepted}}
        if existing.active:
            entry |= consent
        else:
            given_up = format_flow({"status": "inactive", **consent})[1:-1]
            note += f"  # or give it up: {given_up}"
    return Remediation(RemediationKind.DECLARATION, f"- {format_flow(entry)}{note}")


def _edit(text: str) -> Remediation:
    return Remediation(RemediationKind.EDIT, text)
