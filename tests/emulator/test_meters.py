"""The six calls on meters, their strict parameters and their settings."""

import pytest
from emulator.client import METERS, PRICES, PRODUCT, START, account, meter

from reconciler.emulator import SettingError, Settings, list_choices, parse_settings

NOW = int(START)
DUPLICATE = (
    "An active meter already exists for event name 'searches'. To create a new "
    "meter with the same event name, first deactivate the currently active meter."
)


def test_a_new_meter_has_default_values():
    made = account().post(**meter()).json
    assert made.pop("id").startswith("mtr_test_61")
    assert made == {
        "object": "billing.meter",
        "created": NOW,
        "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        "default_aggregation": {"formula": "sum"},
        "display_name": "The searches",
        "event_name": "searches",
        "event_time_window": None,
        "livemode": False,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": NOW,
        "value_settings": {"event_payload_key": "value"},
    }


def test_every_parameter_of_a_create_is_stored():
    """Lengths are counted in characters, not in bytes."""
    asked = meter(
        display_name="é" * 250,
        default_aggregation={"formula": "last"},
        customer_mapping={"event_payload_key": "who", "type": "by_id"},
        value_settings={"event_payload_key": "n"},
        event_time_window="hour",
    )
    made = account().post(**asked).json
    assert {name: made[name] for name in asked} == asked


def test_a_live_account_has_live_objects():
    live = account(seed={"account": {"livemode": True}})
    live.headers["authorization"] = "Bearer sk_live_emulator"
    made = live.post(**meter()).json
    assert made["livemode"] is True
    assert made["id"].startswith("mtr_61")


def test_ids_depend_only_on_the_account_and_the_count():
    one, other = account(), account()
    other.get()
    first = one.create()
    assert other.create() == first
    assert one.create("b") != first


WRONG = [
    ({"foo": "1"}, "parameter_unknown", "foo"),
    ({"default_aggregation": {"formula": "sum", "foo": "1"}}, "parameter_unknown",
     "default_aggregation[foo]"),
    ({"metadata": {"a": "b"}}, "parameter_unknown", "metadata"),
    ({"status": "active"}, "parameter_unknown", "status"),
    ({"default_aggregation": {"formula": "max"}}, None, "default_aggregation[formula]"),
    ({"default_aggregation": "sum"}, None, "default_aggregation"),
    ({"event_time_window": "week"}, None, "event_time_window"),
    ({"display_name": "x" * 251}, None, "display_name"),
    ({"display_name": ""}, "parameter_invalid_empty", "display_name"),
    ({"event_name": "x" * 101}, None, "event_name"),
    ({"event_name": ["a", "b"]}, None, "event_name"),
    ({"value_settings": {"event_payload_key": "x" * 101}}, None,
     "value_settings[event_payload_key]"),
    ({"customer_mapping": {"type": "by_id"}}, "parameter_missing",
     "customer_mapping[event_payload_key]"),
    ({"customer_mapping": {"event_payload_key": "who"}}, "parameter_missing",
     "customer_mapping[type]"),
    ({"customer_mapping": {"event_payload_key": "who", "type": "by_name"}}, None,
     "customer_mapping[type]"),
    ({"expand": ["nothing"]}, None, "expand"),
    ({"event_name": None}, "parameter_missing", "event_name"),
    ({"display_name": None}, "parameter_missing", "display_name"),
    ({"default_aggregation": None}, "parameter_missing", "default_aggregation"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "code", "param"), WRONG, ids=lambda v: str(v)[:40])
def test_a_create_is_strict(more, code, param):
    """A parameter that is unknown, invalid or missing (None) is a 400 that names it."""
    emulated = account()
    asked = {name: value for name, value in (meter() | more).items() if value is not None}
    response = emulated.post(**asked)
    assert (response.status, response.error["type"]) == (400, "invalid_request_error")
    assert (response.error.get("code"), response.error.get("param")) == (code, param)
    assert not emulated.meters


@pytest.mark.parametrize(
    ("kind", "more"),
    [("plain", {}), ("coded", {"code": "resource_already_exists", "param": "event_name"})],
)
def test_a_second_active_meter_of_an_event_name_is_refused(kind, more):
    """400 without a code, unless `duplicate_error` is set; an inactive meter is no obstacle."""
    emulated = account(duplicate_error=kind)
    path = emulated.create()
    response = emulated.post(**meter())
    assert response.status == 400
    assert response.error["message"] == DUPLICATE
    assert {name: response.error[name] for name in ("code", "param") if more} == more
    assert ("code" in response.error) == bool(more)
    emulated.post(f"{path}/deactivate")
    assert emulated.post(**meter()).status == 200


def test_with_name_scope_all_an_inactive_meter_occupies_its_event_name():
    emulated = account(name_scope="all")
    path = emulated.create()
    emulated.post(f"{path}/deactivate")
    assert emulated.post(**meter()).status == 400
    assert emulated.post(f"{path}/reactivate").status == 200


@pytest.mark.parametrize(("kind", "status"), [("invalid", 400), ("conflict", 409)])
def test_a_meter_cannot_be_reactivated_while_its_event_name_is_occupied(kind, status):
    """With `reactivate_conflict`, as a 409; a create is always a 400."""
    emulated = account(reactivate_conflict=kind)
    path = emulated.create()
    emulated.post(f"{path}/deactivate")
    emulated.create()
    response = emulated.post(f"{path}/reactivate")
    assert (response.status, response.error["message"]) == (status, DUPLICATE)
    assert emulated.post(**meter()).status == 400


def test_only_the_display_name_can_be_updated():
    """`updated` changes as well; the same name again has no effect and emits no event."""
    emulated = account()
    path = emulated.create()
    emulated.now += 10
    renamed = emulated.post(path, display_name="Other").json
    assert (renamed["display_name"], renamed["updated"]) == ("Other", NOW + 10)
    assert emulated.post(path, event_name="other").error["code"] == "parameter_unknown"
    emulated.now += 10
    assert emulated.post(path, display_name="Other").json == renamed
    types = [event["type"].split(".")[-1] for event in emulated.events]
    assert types == ["created", "updated"]


@pytest.mark.parametrize(("moves", "updated"), [("on", NOW + 60), ("off", NOW)])
def test_a_meter_is_deactivated_and_reactivated(moves, updated):
    """Status, `deactivated_at` and, unless `updated_moves` is off, `updated` change."""
    emulated = account(updated_moves=moves)
    made = emulated.post(**meter()).json
    path = f"{METERS}/{made['id']}"
    emulated.now += 60
    inactive = emulated.post(f"{path}/deactivate").json
    assert inactive == made | {
        "status": "inactive",
        "status_transitions": {"deactivated_at": NOW + 60},
        "updated": updated,
    }
    assert emulated.get(path).json == inactive
    assert emulated.post(f"{path}/reactivate").json == made | {"updated": updated}


@pytest.mark.parametrize(
    ("verb", "switch"),
    [("deactivate", "deactivate_inactive"), ("reactivate", "reactivate_active")],
)
@pytest.mark.parametrize(("setting", "status"), [("noop", 200), ("error", 400)])
def test_a_repeated_change_of_status_has_no_effect(verb, switch, setting, status):
    emulated = account(**{switch: setting})
    path = emulated.create()
    if verb == "deactivate":
        emulated.post(f"{path}/deactivate")
    before, events = emulated.meters, len(emulated.events)
    emulated.now += 5
    assert emulated.post(f"{path}/{verb}").status == status
    assert emulated.meters == before
    assert len(emulated.events) == events


@pytest.mark.parametrize(("setting", "status"), [("allow", 200), ("error", 400)])
def test_an_inactive_meter_may_be_renamed_or_not(setting, status):
    emulated = account(update_inactive=setting)
    path = emulated.create()
    emulated.post(f"{path}/deactivate")
    assert emulated.post(path, display_name="Other").status == status


@pytest.mark.parametrize(("scope", "count"), [("both", 2), ("active", 1)])
def test_a_list_without_status_has_all_or_the_active_meters(scope, count):
    emulated = account(list_scope=scope)
    inactive, active = emulated.create("a"), emulated.create("b")
    emulated.post(f"{inactive}/deactivate")
    assert len(emulated.get().ids) == count
    assert emulated.get(status="active").ids == [active.split("/")[-1]]
    assert emulated.get(status="inactive").ids == [inactive.split("/")[-1]]
    assert emulated.get(status="archived").status == 400


@pytest.mark.parametrize("noun", ["billing meter", "meter"])
def test_an_unknown_meter_is_named_in_the_error(noun):
    """404 in a path, 400 as a cursor and in a price; `noun` is a setting."""
    emulated = account(seed=PRODUCT, noun=noun)
    recurring = {"interval": "month", "usage_type": "metered", "meter": "mtr_x"}
    price = {"currency": "usd", "product": "prod_1", "unit_amount": 1, "recurring": recurring}
    paths = [f"{METERS}/mtr_x{verb}" for verb in ("", "/deactivate", "/reactivate")]
    answers = [emulated.get(paths[0]), *map(emulated.post, paths)]
    assert {(each.status, each.error["param"]) for each in answers} == {(404, "id")}
    answers += [emulated.get(starting_after="mtr_x"), emulated.post(PRICES, **price)]
    assert [each.status for each in answers[4:]] == [400, 400]
    assert {each.error["code"] for each in answers} == {"resource_missing"}
    assert {each.error["message"] for each in answers} == {f"No such {noun}: 'mtr_x'"}


@pytest.mark.parametrize("verb", ["deactivate", "reactivate"])
def test_a_change_of_status_has_no_parameter_but_expand(verb):
    emulated = account()
    path = f"{emulated.create()}/{verb}"
    assert emulated.post(path, reason="x").error["code"] == "parameter_unknown"
    assert emulated.post(path, expand=["value_settings"]).status == 200


def test_every_setting_is_parsed_as_it_is_listed():
    """What `emulate --help` lists is what the command line accepts, the default first."""
    listed = list_choices()
    assert set(listed) == {name for name in Settings.__slots__ if name != "keys"}
    for name, words in listed.items():
        if "|" in words:
            assert words.split("|")[0] == getattr(Settings(), name)
            for word in words.split("|"):
                assert getattr(parse_settings({name.replace("_", "-"): word}), name) == word
    with pytest.raises(SettingError, match="name_scope: 'none' is not one of active, all"):
        Settings(name_scope="none")
