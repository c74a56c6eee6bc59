"""What a price costs: an amount for each unit, tiers, or an amount that the customer chooses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..errors import RequestError
from ..messages import Json
from ..requests.params import Choice, DecimalText, Flag, Nested, Shape, Whole, check_exclusive
from ..requests.values import Hashes, WordOr

TAX_BEHAVIOR = Choice(("exclusive", "inclusive", "unspecified"))
AMOUNTS: Shape = {
    "custom_unit_amount": Nested(
        {
            "enabled": Flag(required=True),
            "maximum": Whole(0),
            "minimum": Whole(0),
            "preset": Whole(0),
        }
    ),
    "tiers": Hashes(
        {
            "flat_amount": Whole(0),
            "flat_amount_decimal": DecimalText(),
            "unit_amount": Whole(0),
            "unit_amount_decimal": DecimalText(),
            "up_to": WordOr(("inf",), Whole(1), required=True),
        }
    ),
    "unit_amount": Whole(0),
    "unit_amount_decimal": DecimalText(),
}
OPTION: Shape = AMOUNTS | {"tax_behavior": TAX_BEHAVIOR}
_UNTIERED = ("custom_unit_amount", "transform_quantity", "unit_amount", "unit_amount_decimal")


def check_amounts(asked: Json, within: str = "") -> None:
    """Raise RequestError where the amounts of a price contradict each other or are missing."""
    tiered = asked.get("billing_scheme") == "tiered"
    if tiered:
        _require(asked, "tiers_mode", within)
    elif "tiers_mode" in asked or "tiers" in asked:
        name = "tiers_mode" if "tiers_mode" in asked else "tiers"
        text = f"{name} needs billing_scheme=tiered."
        raise RequestError.invalid(_name(name, within), text)
    _check_block(asked, within, tiered=tiered)
    if "custom_unit_amount" in asked and asked.get("recurring"):
        text = "A price with a custom_unit_amount cannot be recurring."
        raise RequestError.invalid(_name("custom_unit_amount", within), text)
    for currency, option in (asked.get("currency_options") or {}).items():
        _check_block(option, _name(f"currency_options[{currency}]", within), tiered=tiered)


def build_amounts(asked: Json) -> Json:
    """Build the amounts of a price, or of one of its currencies, in the API's shape."""
    custom = asked.get("custom_unit_amount")
    if custom:
        custom = {name: custom.get(name) for name in ("maximum", "minimum", "preset")}
    if "tiers" in asked:
        tiers = [_build_tier(tier) for tier in asked["tiers"]]
        return {**_build_amount("unit_amount", {}), "custom_unit_amount": None, "tiers": tiers}
    return {**_build_amount("unit_amount", asked), "custom_unit_amount": custom}


def build_options(price: Json, asked: Json) -> Json:
    """Build the amounts in each currency of a price, its own among them."""
    given: Json = {
        currency: build_amounts(option)
        | {"tax_behavior": option.get("tax_behavior", "unspecified")}
        for currency, option in (asked.get("currency_options") or {}).items()
    }
    names = ("custom_unit_amount", "tax_behavior", "tiers", "unit_amount", "unit_amount_decimal")
    return {price["currency"]: {name: price[name] for name in names if name in price}} | given


def is_free(price: Json) -> bool:
    """Return whether no quantity of a price costs anything."""
    amounts = price.get("tiers") or [price]
    fields = ("unit_amount_decimal", "flat_amount_decimal")
    return not any(Decimal(each.get(field) or 0) for each in amounts for field in fields)


def _check_block(asked: Json, within: str, *, tiered: bool) -> None:
    """Check the amounts of a price, or of one of its currencies."""
    check_exclusive(asked, "unit_amount", "unit_amount_decimal")
    if tiered:
        _require(asked, "tiers", within)
        for name in _UNTIERED:
            if name in asked:
                text = f"{name} cannot be used with billing_scheme=tiered."
                raise RequestError.invalid(_name(name, within), text)
        _check_tiers(asked["tiers"], _name("tiers", within))
        return
    custom = asked.get("custom_unit_amount", {}).get("enabled", False)
    amounts = "unit_amount" in asked or "unit_amount_decimal" in asked
    if custom and amounts:
        both = "unit_amount and custom_unit_amount"
        text = f"Received both {both} parameters. Please pass in only one."
        name = _name("custom_unit_amount", within)
        raise RequestError.invalid(name, text, "parameters_exclusive")
    if not custom and not amounts:
        text = "Missing required param: unit_amount (or unit_amount_decimal)."
        raise RequestError.invalid(_name("unit_amount", within), text, "parameter_missing")


def _check_tiers(tiers: list[Json], name: str) -> None:
    """Check that the tiers have amounts, and rise without a gap to the last, which is open."""
    *bounded, last = [tier["up_to"] for tier in tiers] or [0]
    if last != "inf":
        text = "The last tier must have up_to=inf."
        raise RequestError.invalid(f"{name}[{max(0, len(tiers) - 1)}][up_to]", text)
    for n, bound in enumerate(bounded):
        if bound == "inf" or (n and bound <= bounded[n - 1]):
            text = "up_to must be above that of the tier before, and inf in the last tier only."
            raise RequestError.invalid(f"{name}[{n}][up_to]", text)
    for n, tier in enumerate(tiers):
        for amount in ("unit_amount", "flat_amount"):
            check_exclusive(tier, amount, f"{amount}_decimal")
        if len(tier) < 2:
            text = "A tier must have a unit_amount, a flat_amount, or both."
            raise RequestError.invalid(f"{name}[{n}]", text, "parameter_missing")


def _build_tier(tier: Json) -> Json:
    bound = None if tier["up_to"] == "inf" else tier["up_to"]
    amounts = [_build_amount(name, tier) for name in ("flat_amount", "unit_amount")]
    return amounts[0] | amounts[1] | {"up_to": bound}


def _build_amount(name: str, asked: Json) -> Json:
    """Build an amount in its two forms, whole and decimal; both are null where none is given."""
    decimal = f"{name}_decimal"
    given: Any = asked.get(decimal, asked.get(name))
    if given is None:
        return {name: None, decimal: None}
    amount = Decimal(given)
    if amount == amount.to_integral_value():
        return {name: int(amount), decimal: str(int(amount))}
    return {name: None, decimal: f"{amount.normalize():f}"}


def _require(asked: Json, name: str, within: str) -> None:
    if name not in asked:
        text = f"Missing required param: {_name(name, within)}."
        raise RequestError.invalid(_name(name, within), text, "parameter_missing")


def _name(name: str, within: str) -> str:
    """Return the name of a parameter inside another."""
    head, bracket, rest = name.partition("[")
    return f"{within}[{head}]{bracket}{rest}" if within else name
