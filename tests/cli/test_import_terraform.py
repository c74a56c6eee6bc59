"""`import --from-terraform`: a state becomes the same YAML, without a key or a request."""

from __future__ import annotations

import json

import pytest
from cli.world import SEATS, existing
from published import held

CALLS = {
    "id": "mtr_1",
    "event_name": "calls",
    "display_name": "API: calls",
    "default_aggregation": [{"formula": "sum"}],
    "customer_mapping": [{"event_payload_key": "customer", "type": "by_id"}],
    "value_settings": [{"event_payload_key": "value"}],
    "event_time_window": "",
    "status": "active",
    "status_transitions": [{"deactivated_at": 0}],
    "created": 1_700_000_000,
    "updated": 1_700_000_000,
    "livemode": False,
}
OLD = {
    "id": "mtr_2",
    "event_name": "old",
    "display_name": "Old",
    "default_aggregation": {"formula": "count"},
    "customer_mapping": None,
    "event_time_window": "day",
    "status": "inactive",
}
KIND = {"mode": "managed", "type": "stripe_billing_meter", "name": "this"}
STORED = {
    "version": 4,
    "resources": [
        {**KIND, "mode": "data", "instances": [{"attributes": {}}]},
        {**KIND, "type": "stripe_price", "instances": [{"attributes": {"id": "price_1"}}]},
        {
            **KIND,
            "module": "module.billing",
            "instances": [
                {"index_key": "a\n", "attributes": CALLS},
                {"index_key": "b", "deposed": "1", "attributes": {**CALLS, "id": "mtr_0"}},
            ],
        },
        {**KIND, "type": "stripe_meter", "name": "old", "instances": [{"attributes": OLD}]},
    ],
}
SHOWN = {
    "format_version": "1.0",
    "values": {
        "root_module": {
            "resources": [
                {**KIND, "type": "stripe_meter", "address": "stripe_meter.old", "values": OLD}
            ],
            "child_modules": [
                {
                    "resources": [
                        {
                            **KIND,
                            "address": 'module.billing.stripe_billing_meter.this["a\\n"]',
                            "values": CALLS,
                        }
                    ]
                }
            ],
        }
    },
}
YAML = r"""version: 1
meters:
  # mtr_1, active; Terraform: module.billing.stripe_billing_meter.this["a\n"]
  - event_name: calls
    display_name: "API: calls"
    default_aggregation: {formula: sum}
    customer_mapping: {event_payload_key: customer}
  # mtr_2, inactive; Terraform: stripe_meter.old
  - event_name: old
    display_name: Old
    default_aggregation: {formula: count}
    event_time_window: day
    status: inactive
"""


@pytest.mark.parametrize(
    "state", [STORED, SHOWN, {**SHOWN, "prior_state": {"values": SHOWN["values"]}, "values": None}]
)
def test_a_state_becomes_yaml_without_a_request(state, world, run, monkeypatch):
    made = world(SEATS)
    monkeypatch.delenv("SANDBOX_KEY")
    file = made.file("terraform.tfstate", json.dumps(state))
    ran = run("import", made.folder, "--from-terraform", file, "--include-inactive")
    assert (ran.code, ran.out, ran.err) == (0, YAML, "")
    assert list(made.server.log) == []


def test_the_next_plan_is_empty(world, run):
    """With --into as well; what is declared already is left out."""
    blocks = {name: value[0] for name, value in CALLS.items() if isinstance(value, list)}
    seed = [existing("seats", "Seats"), {**CALLS, **blocks, "event_time_window": None}]
    seed[1]["status_transitions"] = {"deactivated_at": None}
    made = world(SEATS, {"meters": seed})
    twice = {**CALLS, "event_name": "seats", "id": "mtr_9"}
    resources = [{**KIND, "instances": [{"attributes": CALLS}, {"attributes": twice}]}]
    state = made.file("state.json", json.dumps({"version": 4, "resources": resources}))
    file = made.folder / "meters.yaml"
    ran = run("import", made.folder, "--from-terraform", state, "--into", file, "--format", "json")
    assert [meter["id"] for meter in held(ran.out)["meters"]] == ["mtr_1"]
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


def meter(**changes):
    return json.dumps(
        {"version": 4, "resources": [{**KIND, "instances": [{"attributes": {**CALLS, **changes}}]}]}
    )


WRONG = {
    "not JSON": ("{", "not JSON: Expecting property name"),
    "deep": ("[" * 100_000, "not JSON"),
    "a list": ("[]", "not a Terraform state"),
    "old": ('{"version": 3}', "neither a state file of version 4"),
    "encrypted": ('{"encrypted_data": "x"}', "the state is encrypted"),
    "no meters": ('{"version": 4, "resources": []}', "no resource of the type"),
    "nothing shown": ('{"format_version": "1.0"}', "no resource of the type"),
    "no name": (meter(event_name=None), "stripe_billing_meter.this: event_name is missing"),
    "no formula": (meter(default_aggregation=[]), "this: formula is missing"),
    "strange id": (meter(id="mtr\n1"), "this: id contains characters that ids do not have"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_state_is_one_error(text, message, world, run):
    made = world()
    file = made.file("state.json", text)
    ran = run("import", made.folder, "--from-terraform", file)
    said = " ".join(ran.err.split())
    assert (ran.code, ran.out) == (1, "")
    assert f"{file}: error C044: " in said
    assert message in said


def test_a_state_that_cannot_be_read(world, run):
    made = world()
    ran = run("import", made.folder, "--from-terraform", made.folder / "missing")
    assert ran.code == 1
    assert "error E003" in " ".join(ran.err.split())
