"""Read the meters of a Terraform state: a state file, or the output of `terraform show -json`.

Sources: the JSON output format of Terraform (format_version 1), and state files of version 4. The
resource is `stripe_billing_meter` of Stripe's own provider, with nested objects that are lists of
one since its version 0.3, and `stripe_meter` of lukasaron's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from ..config.yaml.source_text import escape_invisible
from ..diagnostics.codes import adoption as codes
from ..diagnostics.diagnostic import Location
from ..diagnostics.errors import ConfigError
from ..model.meter import ExistingMeter
from ..stripe.codec import MalformedError, parse_meter

_TYPES = ("stripe_billing_meter", "stripe_meter")
_BLOCKS = ("default_aggregation", "value_settings", "customer_mapping", "status_transitions")
_UNKNOWN: Mapping[str, Any] = {
    "object": "billing.meter",
    "status": "active",
    "created": 0,
    "updated": 0,
    "livemode": False,
    "event_time_window": None,
}
"""What a provider may leave out of its state."""


class _Resource(Struct, frozen=True):
    """One meter of a state: its address in the configuration, and its attributes."""

    address: str
    attributes: Mapping[str, Any]


def read_terraform(text: str, file: str) -> tuple[tuple[ExistingMeter, ...], dict[str, str]]:
    """Return the meters of a state, and the address of each by id.

    Raise ConfigError for what is no state, and for a state without meters.
    """
    try:
        resources = list(_find_resources(json.loads(text)))
        meters = tuple(map(_parse, resources))
    except (ValueError, RecursionError) as error:  # of JSON, or MalformedError
        raise _fail(file, _explain(error)) from None
    if not meters:
        raise _fail(file, f"the state has no resource of the type {' or '.join(_TYPES)}")
    addresses = (f"Terraform: {escape_invisible(each.address)}" for each in resources)
    return meters, {meter.id: it for meter, it in zip(meters, addresses, strict=True)}


def _explain(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
    return str(error) if isinstance(error, MalformedError) else "not JSON"


def _fail(file: str, message: str) -> ConfigError:
    return ConfigError(codes.NOT_TERRAFORM(message, Location(escape_invisible(file))))


def _find_resources(state: Any) -> Iterator[_Resource]:
    """Yield the managed meters of a state; raise MalformedError for anything else."""
    if not isinstance(state, dict):
        raise MalformedError("not a Terraform state")
    if "encrypted_data" in state:
        raise MalformedError("the state is encrypted")
    if isinstance(state.get("format_version"), str):
        values = state.get("values") or _get_dict(state, "prior_state").get("values")
        yield from _find_shown(_get_dict(values, "root_module"))
    elif state.get("version") == 4:
        for resource in _get_list(state, "resources"):
            yield from _find_stored(resource)
    else:
        raise MalformedError("neither a state file of version 4 nor `terraform show -json`")


def _find_shown(module: Mapping[str, Any]) -> Iterator[_Resource]:
    for resource in _get_list(module, "resources"):
        if _is_meter(resource):
            yield _Resource(str(resource.get("address")), _get_dict(resource, "values"))
    for child in _get_list(module, "child_modules"):
        yield from _find_shown(child if isinstance(child, dict) else {})


def _find_stored(resource: Any) -> Iterator[_Resource]:
    if not _is_meter(resource):
        return
    module = f"{resource['module']}." if resource.get("module") else ""
    address = f"{module}{resource['type']}.{resource.get('name')}"
    for instance in _get_list(resource, "instances"):
        if isinstance(instance, dict) and "deposed" not in instance:
            key = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
            yield _Resource(f"{address}{key}", _get_dict(instance, "attributes"))


def _is_meter(resource: Any) -> bool:
    if not isinstance(resource, dict):
        return False
    return resource.get("mode", "managed") == "managed" and resource.get("type") in _TYPES


def _get_dict(value: Any, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _get_list(value: Mapping[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    return found if isinstance(found, list) else []


def _parse(resource: _Resource) -> ExistingMeter:
    """Parse the attributes of a meter as the API's object, with Stripe's defaults filled in."""
    given = {name: value for name, value in resource.attributes.items() if value not in (None, "")}
    blocks = {name: _unwrap(given.get(name)) for name in _BLOCKS}
    defaults: dict[str, Mapping[str, Any]] = {
        "value_settings": {"event_payload_key": "value"},
        "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
    }
    filled = {name: {**defaults.get(name, {}), **block} for name, block in blocks.items()}
    known = {
        name: given[name]
        for name in (*_UNKNOWN, "id", "event_name", "display_name")
        if name in given
    }
    try:
        return parse_meter({**_UNKNOWN, **known, **filled})
    except MalformedError as error:
        raise MalformedError(f"{escape_invisible(resource.address)}: {error}") from None


def _unwrap(block: Any) -> dict[str, Any]:
    """Return a nested object, which a provider stores as it is or as a list of one."""
    inner = block[0] if isinstance(block, list) and block else block
    return (
        {k: v for k, v in inner.items() if v not in (None, "")} if isinstance(inner, dict) else {}
    )
