"""Meters as Stripe may return them one day: open enumerations, new fields, another mode."""

import pytest
from emulator.client import METERS, account, meter

from reconciler.emulator import SeedError

STRANGE = {
    "dimension_payload_keys": ["region"],
    "default_aggregation": {"formula": "max"},
    "event_time_window": "week",
    "livemode": True,
}


def test_a_seed_sets_fields_that_it_does_not_know():
    """They stay through updates, and are in lists and events."""
    emulated = account(seed={"meters": [meter("a", id="mtr_1", extra=STRANGE)]})
    path = f"{METERS}/mtr_1"
    assert emulated.get(path).json.items() >= STRANGE.items()
    assert "extra" not in emulated.get(path).json
    emulated.post(path, display_name="Renamed")
    emulated.post(f"{path}/deactivate")
    emulated.post(f"{path}/reactivate")
    assert emulated.get().json["data"][0].items() >= STRANGE.items()
    (*_, event) = emulated.get("/v1/events").json["data"]
    assert event["data"]["object"].items() >= STRANGE.items()


@pytest.mark.parametrize("extra", [{"id": "mtr_2"}, {"object": "x"}, [], "x", None])
def test_an_extra_is_an_object_without_the_id(extra):
    with pytest.raises(SeedError, match=r"meters\[0\]\.extra"):
        account(seed={"meters": [meter("a", extra=extra)]})


def test_undocumented_values_are_accepted_by_switch():
    asked = meter("a", default_aggregation={"formula": "max"}, event_time_window="week")
    refused = account().post(**asked)
    assert (refused.status, refused.error["param"]) == (400, "default_aggregation[formula]")
    made = account(unknown_values="accept").post(**asked)
    assert made.json["default_aggregation"] == {"formula": "max"}
    assert made.json["event_time_window"] == "week"
    for wrong in ("", "two words", "x" * 101):
        asked["event_time_window"] = wrong
        assert account(unknown_values="accept").post(**asked).status == 400
