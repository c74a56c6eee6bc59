"""What generated code knows of a meter, from its declarations in all accounts."""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics.codes import codegen as rules
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import ConfigError
from ..model.meter import Status
from ..model.project import MeterConfig
from ..report.generated import CodeMeter

_COUNT = "count"


def collect_meters(declared: Iterable[MeterConfig]) -> tuple[CodeMeter, ...]:
    """Return one meter for each event_name, retired where every account retires it.

    Raises ConfigError for payload keys from which no builder can be made: those that differ
    between accounts, and one that is both the customer and the value.
    """
    found: dict[str, tuple[MeterConfig, CodeMeter]] = {}
    errors: list[Diagnostic] = []
    for desired in declared:
        meter = _describe(desired)
        first, known = found.setdefault(desired.event_name, (desired, meter))
        if _list_keys(meter) != _list_keys(known):
            message = f"{desired.event_name!r} has other payload keys in {first.location}"
            errors.append(rules.KEYS_DIFFER(message, desired.location))
        if known.deprecated and not meter.deprecated:
            found[desired.event_name] = desired, meter
    for desired, meter in found.values():
        if meter.customer_key == meter.value_key:
            message = f"{desired.event_name!r}: {meter.value_key!r} is the customer and the value"
            errors.append(rules.KEYS_EQUAL(message, desired.location))
    if errors:
        raise ConfigError(*dict.fromkeys(errors))
    return tuple(meter for _, meter in found.values())


def _describe(desired: MeterConfig) -> CodeMeter:
    meter = desired.meter
    formula = meter.default_aggregation.formula
    return CodeMeter(
        event_name=meter.event_name,
        display_name=meter.display_name,
        formula=formula,
        customer_key=meter.customer_mapping.event_payload_key,
        value_key=None if formula == _COUNT else meter.value_settings.event_payload_key,
        deprecated=desired.status != Status.ACTIVE,
    )


def _list_keys(meter: CodeMeter) -> tuple[str, str | None]:
    return meter.customer_key, meter.value_key
