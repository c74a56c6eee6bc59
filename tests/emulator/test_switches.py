"""Where Stripe's words are not known, the emulator can say either; and how switches are written."""

from __future__ import annotations

import pytest
from emulator.asking import METERS, account, meter

from reconciler.emulator import Fault, SettingError, Settings, list_choices, parse_settings

TAKEN = "An active meter already exists for event name 'a'."


@pytest.mark.parametrize(
    ("kind", "code", "param"),
    [("plain", None, None), ("coded", "resource_already_exists", "event_name")],
)
def test_a_taken_name_may_have_a_code(kind, code, param):
    """The switch `duplicate_error`; the text is the observed one either way."""
    emulated = account(duplicate_error=kind)
    emulated.post(**meter("a"))
    said = emulated.post(**meter("a"))
    assert (said.status, said.error.get("code"), said.error.get("param")) == (400, code, param)
    assert said.error["message"].startswith(TAKEN)


@pytest.mark.parametrize(("kind", "status"), [("invalid", 400), ("conflict", 409)])
def test_a_meter_that_cannot_start_again_may_be_a_conflict(kind, status):
    """The switch `reactivate_conflict`; a creation is a 400 whatever it says."""
    emulated = account(reactivate_conflict=kind)
    first = emulated.post(**meter("a")).json["id"]
    emulated.post(f"{METERS}/{first}/deactivate")
    emulated.post(**meter("a"))
    said = emulated.post(f"{METERS}/{first}/reactivate")
    assert said.status == status
    assert said.error["message"].startswith(TAKEN)
    assert emulated.post(**meter("a")).status == 400


@pytest.mark.parametrize("noun", ["billing meter", "meter"])
def test_the_noun_of_an_unknown_meter(noun):
    """The switch `noun`: in a path, as a cursor, and where a price names one."""
    emulated = account(noun=noun)
    price = {"currency": "usd", "product": "prod_1", "unit_amount": 1}
    recurring = {"interval": "month", "usage_type": "metered", "meter": "mtr_x"}
    said = [
        emulated.get(f"{METERS}/mtr_x"),
        emulated.get(starting_after="mtr_x"),
        emulated.post("/v1/prices", **price, recurring=recurring),
    ]
    assert [each.status for each in said] == [404, 400, 400]
    assert {each.error["message"] for each in said} == {f"No such {noun}: 'mtr_x'"}


@pytest.mark.parametrize("kind", ["idempotency_error", "invalid_request_error"])
@pytest.mark.parametrize("faults", [(), ("409:code=idempotency_key_in_use:post=2",)])
def test_the_type_of_a_key_in_use(kind, faults):
    """The switch `key_in_use_error`: of a real collision, and of one on demand."""
    emulated = account(*map(Fault.parse, faults), key_in_use_error=kind)
    emulated.begin(emulated.posting(key="other" if faults else "k", **meter()))
    said = emulated.post(key="k", **meter())
    assert (said.status, said.error["type"]) == (409, kind)
    assert said.error["code"] == "idempotency_key_in_use"


def test_every_switch_is_written_as_it_is_offered():
    """What `emulate --help` names is what the command line takes, the default first."""
    offered = list_choices()
    assert set(offered) == {f for f in Settings.__slots__ if f != "keys"}
    for name, words in offered.items():
        value = getattr(Settings(), name)
        if "|" in words:
            assert words.split("|")[0] == value
            for word in words.split("|"):
                assert getattr(parse_settings({name.replace("_", "-"): word}), name) == word
    assert parse_settings({"noun": "meter", "list_lag": "2s"}).noun == "meter"
    with pytest.raises(SettingError, match="noun: the text is empty"):
        parse_settings({"noun": ""})
    with pytest.raises(SettingError, match="name_scope: 'none' is not one of active, all"):
        Settings(name_scope="none")
