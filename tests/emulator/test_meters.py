"""The six calls on meters, their strictness and their switches, without HTTP."""

import pytest
from emulator.asking import METERS, START, account, meter

NOW = int(START)


def test_a_new_meter_has_the_servers_defaults_filled_in():
    """What is left out comes back as its default, as the API's reference says."""
    made = account().post(**meter("searches")).json
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


def test_everything_that_can_be_asked_is_kept():
    """Every parameter of a create stands in the meter that comes of it."""
    asked = meter(
        "seats",
        default_aggregation={"formula": "last"},
        customer_mapping={"event_payload_key": "who", "type": "by_id"},
        value_settings={"event_payload_key": "n"},
        event_time_window="hour",
    )
    made = account().post(**asked).json
    assert {name: made[name] for name in asked} == asked


def test_a_live_account_says_so_in_its_objects():
    """`livemode` is the account's, and live ids do not say test."""
    live = account(seed={"account": {"livemode": True}})
    live.headers["authorization"] = "Bearer sk_live_emulator"
    made = live.post(**meter()).json
    assert made["livemode"] is True
    assert made["id"].startswith("mtr_61")


def test_ids_depend_on_the_account_and_the_count_alone():
    """The same calls make the same ids, whatever was read in between."""
    one, other = account(), account()
    other.get()
    assert one.post(**meter()).json["id"] == other.post(**meter()).json["id"]
    assert one.post(**meter("b")).json["id"] != one.meters[0]["id"]


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
]  # fmt: skip


@pytest.mark.parametrize(("more", "code", "param"), WRONG, ids=lambda v: str(v)[:40])
def test_a_create_is_strict(more, code, param):
    """Anything but the documented parameters within their limits is a 400 that names it."""
    emulated = account()
    said = emulated.post(**meter() | more)
    assert (said.status, said.error["type"]) == (400, "invalid_request_error")
    assert (said.error.get("code"), said.error.get("param")) == (code, param)
    assert not emulated.meters


@pytest.mark.parametrize("name", ["event_name", "display_name", "default_aggregation"])
def test_a_create_needs_its_required_parameters(name):
    """Each of the three that have no default."""
    asked = meter()
    del asked[name]
    said = account().post(**asked)
    assert (said.status, said.error["code"], said.error["param"]) == (
        400,
        "parameter_missing",
        name,
    )


@pytest.mark.parametrize(("text", "length"), [("é" * 250, 250), ("x" * 250, 250)])
def test_lengths_are_counted_in_characters(text, length):
    """A name of 250 characters fits, however many bytes it takes."""
    assert len(account().post(**meter(display_name=text)).json["display_name"]) == length


def test_a_second_active_meter_of_a_name_is_refused_in_stripes_words():
    """400 without a code; an inactive one does not occupy its name."""
    emulated = account()
    first = emulated.post(**meter("searches")).json["id"]
    said = emulated.post(**meter("searches"))
    assert said.status == 400
    assert said.error == {
        "type": "invalid_request_error",
        "message": "An active meter already exists for event name 'searches'. To create a new "
        "meter with the same event name, first deactivate the currently active meter.",
    }
    emulated.post(f"{METERS}/{first}/deactivate")
    assert emulated.post(**meter("searches")).status == 200


def test_under_name_scope_all_an_inactive_meter_occupies_its_name():
    """The switch for the other reading of the sources."""
    emulated = account(name_scope="all")
    first = emulated.post(**meter("searches")).json["id"]
    emulated.post(f"{METERS}/{first}/deactivate")
    assert emulated.post(**meter("searches")).status == 400
    assert emulated.post(f"{METERS}/{first}/reactivate").status == 200


def test_only_the_display_name_can_be_updated():
    """And it moves `updated`; the same name again changes nothing and is no event."""
    emulated = account()
    path = f"{METERS}/{emulated.post(**meter()).json['id']}"
    emulated.now += 10
    renamed = emulated.post(path, display_name="Other").json
    assert (renamed["display_name"], renamed["updated"]) == ("Other", NOW + 10)
    assert emulated.post(path, event_name="other").error["code"] == "parameter_unknown"
    emulated.now += 10
    assert emulated.post(path, display_name="Other").json == renamed
    assert [event["type"] for event in emulated.events] == [
        "billing.meter.created",
        "billing.meter.updated",
    ]


def test_a_meter_stops_and_starts():
    """Status, `deactivated_at` and `updated` move together; nothing else does."""
    emulated = account()
    made = emulated.post(**meter()).json
    path = f"{METERS}/{made['id']}"
    emulated.now += 60
    stopped = emulated.post(f"{path}/deactivate").json
    assert stopped == made | {
        "status": "inactive",
        "status_transitions": {"deactivated_at": NOW + 60},
        "updated": NOW + 60,
    }
    assert emulated.get(path).json == stopped
    emulated.now += 60
    assert emulated.post(f"{path}/reactivate").json == made | {"updated": NOW + 120}


def test_updated_may_stand_still_when_the_status_moves():
    """The switch `updated_moves: off`."""
    emulated = account(updated_moves="off")
    made = emulated.post(**meter()).json
    emulated.now += 60
    stopped = emulated.post(f"{METERS}/{made['id']}/deactivate").json
    assert stopped["updated"] == NOW
    assert stopped["status_transitions"]["deactivated_at"] == NOW + 60


@pytest.mark.parametrize(
    ("verb", "switch"),
    [("deactivate", "deactivate_inactive"), ("reactivate", "reactivate_active")],
)
@pytest.mark.parametrize(("repeat", "status"), [("noop", 200), ("error", 400)])
def test_asking_for_what_is_so_is_a_noop_or_an_error(verb, switch, repeat, status):
    """Either way there is no effect: the meter and the events stay as they are."""
    emulated = account(**{switch: repeat})
    path = f"{METERS}/{emulated.post(**meter()).json['id']}"
    if verb == "deactivate":
        emulated.post(f"{path}/deactivate")
    before, events = emulated.meters, len(emulated.events)
    emulated.now += 5
    assert emulated.post(f"{path}/{verb}").status == status
    assert emulated.meters == before
    assert len(emulated.events) == events


def test_a_meter_cannot_start_again_while_its_name_is_taken():
    """400 with the text of a create."""
    emulated = account()
    first = emulated.post(**meter("a")).json["id"]
    emulated.post(f"{METERS}/{first}/deactivate")
    emulated.post(**meter("a"))
    said = emulated.post(f"{METERS}/{first}/reactivate")
    assert said.status == 400
    assert "already exists for event name 'a'" in said.error["message"]


@pytest.mark.parametrize(("renaming", "status"), [("allow", 200), ("error", 400)])
def test_an_inactive_meter_may_be_renamed_or_not(renaming, status):
    """The switch `update_inactive`."""
    emulated = account(update_inactive=renaming)
    path = f"{METERS}/{emulated.post(**meter()).json['id']}"
    emulated.post(f"{path}/deactivate")
    assert emulated.post(path, display_name="Other").status == status


@pytest.mark.parametrize(("scope", "count"), [("both", 2), ("active", 1)])
def test_a_list_without_status_holds_both_or_the_active(scope, count):
    """The switch `list_scope`; a status that is asked for is always heeded."""
    emulated = account(list_scope=scope)
    gone = emulated.post(**meter("a")).json["id"]
    here = emulated.post(**meter("b")).json["id"]
    emulated.post(f"{METERS}/{gone}/deactivate")
    assert len(emulated.get().ids) == count
    assert emulated.get(status="active").ids == [here]
    assert emulated.get(status="inactive").ids == [gone]
    assert emulated.get(status="archived").status == 400


@pytest.mark.parametrize("verb", ["", "/deactivate", "/reactivate"])
def test_an_unknown_meter_is_a_404(verb):
    """With code and param, on every call that names one."""
    said = account().post(f"{METERS}/mtr_nope{verb}")
    assert said.status == 404
    assert (said.error["code"], said.error["param"]) == ("resource_missing", "id")
    assert "mtr_nope" in said.error["message"]


@pytest.mark.parametrize("verb", ["deactivate", "reactivate"])
def test_a_change_of_status_takes_no_parameters(verb):
    """Except `expand`."""
    emulated = account()
    path = f"{METERS}/{emulated.post(**meter()).json['id']}/{verb}"
    assert emulated.post(path, reason="x").error["code"] == "parameter_unknown"
    assert emulated.post(path, expand=["value_settings"]).status == 200
