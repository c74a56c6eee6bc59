"""What people paste into files: each error says what to write instead."""

from __future__ import annotations

import json

import pytest
from cli.world import SEATS, existing

ACTIVE = {"meters": [existing("seats", "Seats")]}


@pytest.fixture
def validate(run, tmp_path):
    """`validate(text)`: what is reported about one meter file."""

    def check(text: str, name: str = "m.yaml") -> list[dict[str, object]]:
        (tmp_path / name).write_text(text, "utf-8")
        ran = run("validate", tmp_path / name, "--format", "json")
        return json.loads(ran.out)["diagnostics"]

    return check


@pytest.fixture
def entry(validate):
    """`entry(lines)`: what is reported about a meter with these further lines."""

    def check(*lines: str, formula: str | None = "{formula: sum}") -> list[dict[str, object]]:
        more = (*lines, f"default_aggregation: {formula}") if formula else lines
        head = "version: 1\nmeters:\n  - event_name: a\n    display_name: A\n"
        return validate(head + "".join(f"    {line}\n" for line in more))

    return check


def test_a_meter_of_the_api_is_one_error(world, run):
    """Pasted as the account returns it; without the lines that the error names, it is valid."""
    made = world(SEATS, ACTIVE)
    (meter,) = made.server.store.ledger.meters.values()
    lines = json.dumps({"version": 1, "meters": [meter]}, indent=1).splitlines()
    made.file("meters.yaml", "\n".join(lines))
    ran = run("plan", made.folder, "--format", "json")
    (found,) = json.loads(ran.out)["diagnostics"]
    assert (ran.code, found["code"]) == (1, "C031")
    for key in ("id", "object", "created", "livemode", "status_transitions", "updated"):
        assert f"`{key}`" in found["message"]
    unwanted = set()
    for span in found["hint"].removeprefix("remove these lines: ").split(", "):
        first, _, last = span.partition("-")
        unwanted |= set(range(int(first), int(last or first) + 1))
    kept = [line for number, line in enumerate(lines, 1) if number not in unwanted]
    made.file("meters.yaml", "\n".join(kept).replace(",\n  }", "\n  }"))
    assert run("plan", made.folder, "--detailed-exitcode").code == 0
    assert not made.posts()


def test_fields_of_the_api_on_one_line(entry):
    """No line can be removed there, and the error names the keys."""
    (found,) = entry(
        "value_settings: {}",
        formula="{formula: sum}\n  - {id: mtr_1, event_name: b, display_name: B, "
        "default_aggregation: {formula: sum}}",
    )
    assert found["code"] == "C031"
    assert found["message"] == "`id` is set by Stripe and cannot be declared"
    assert found["hint"] == "remove these keys"


SHAPES = {
    "default_aggregation: sum": "default_aggregation: {formula: sum}",
    "default_aggregation: [{formula: sum}]": "default_aggregation: {formula: sum}",
    "default_aggregation:\n      - formula: last": "default_aggregation: {formula: last}",
    "customer_mapping: by_id": "customer_mapping: {type: by_id}",
    "customer_mapping: cus": "customer_mapping: {event_payload_key: cus}",
    "customer_mapping: [{type: by_id, event_payload_key: cus}]": (
        "customer_mapping: {type: by_id, event_payload_key: cus}"
    ),
    "value_settings: tokens": "value_settings: {event_payload_key: tokens}",
    "retires: mtr_1": "retires: [mtr_1]",
    "accepts: [price_1]": "accepts: {prices: [price_1]}",
}


@pytest.mark.parametrize("written", SHAPES)
def test_a_block_of_the_wrong_shape(entry, written):
    """The hint is what to write; so written, the file is valid."""
    needs = None if written.startswith("default_aggregation") else "{formula: sum}"
    (found,) = entry(written, formula=needs)
    assert found["hint"] == f"write `{SHAPES[written]}`"
    assert entry(SHAPES[written], formula=needs) == []


def test_a_block_with_a_value_that_would_be_refused(entry):
    """The hint is the one for the value, not to write it in another shape."""
    (found,) = entry("default_aggregation: [{formula: max}]", formula=None)
    assert found["hint"].startswith("meters have no maximum")


def test_a_hint_repeats_nothing_long(entry):
    """A list of one long mapping has the general hint."""
    (found,) = entry(f"customer_mapping: [{{event_payload_key: {'x' * 100}}}]")
    assert found["hint"] == "write `key: value` lines, indented below the key"


FORMULAS = {
    "last_during_period": "`formula: last`",
    "last_ever": "meters have no `last_ever`",
    "max": "meters have no maximum",
    "MAX": "meters have no maximum",
    "min": "meters have no minimum",
    "avg": "meters have no average",
    "count_unique": "meters do not count distinct values",
}


@pytest.mark.parametrize("word", FORMULAS)
def test_a_formula_of_another_api(entry, word):
    """The hint leads out; accepting the value is not offered, since Stripe would refuse it."""
    for written in (f"{{formula: {word}}}", f"{{formula: '{word}'}}", word):
        (found,) = entry(formula=written)
        assert FORMULAS[word] in found["hint"]
        assert "allow_unknown_values" not in found["hint"]


def test_an_unknown_value_may_be_allowed_as_the_last_resort(entry):
    """After the suggestion and the known values."""
    (found,) = entry(formula="{formula: summ}")
    assert found["hint"] == (
        "did you mean `sum`? known values: sum, count, last; "
        "to accept other values of Stripe's API, set `allow_unknown_values: true`"
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("description: Calls", "put the text into `display_name`"),
        ("metadata: {team: search}", "a meter has no metadata"),
        ("name: Calls", "`event_name`"),
        ("aggregate_usage: max", "`default_aggregation: {formula: ...}`"),
        ("unit_label: calls", "units belong to products"),
    ],
)
def test_a_key_that_meters_do_not_have(entry, line, says):
    (found,) = entry(line)
    assert found["code"] == "C010"
    assert says in found["hint"]


@pytest.mark.parametrize("word", ["archived", "deactivated", "disabled", "deleted"])
def test_another_word_for_inactive_is_never_taken_for_active(entry, word):
    (found,) = entry(f"status: {word}")
    assert found["hint"] == "to deactivate the meter, write `status: inactive`"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"object": "list", "data": []}', "an answer of Stripe's API"),
        ('{"object": "billing.meter", "event_name": "a"}', "an answer of Stripe's API"),
        ("event_name: a\ndisplay_name: A\n", "`meters:`"),
    ],
)
def test_a_file_that_is_only_the_object(validate, text, says):
    (found,) = validate(text)
    assert found["code"] == "C025"
    assert says in found["hint"]


@pytest.mark.parametrize(
    "text",
    ['resource "stripe_billing_meter" "a" {\n}\n', 'version: 1\nmeters:\n  - event_name = "a"\n'],
)
def test_terraform_itself(validate, text):
    (found,) = validate(text)
    assert found["hint"] == "write `key: value`; `key = value` and `resource` blocks are HCL"


def test_meters_by_name(validate):
    """A mapping, as other tools have it."""
    (found,) = validate("version: 1\nmeters:\n  a: {display_name: A}\n")
    assert found["code"] == "C009"
    assert "`- event_name: NAME`" in found["hint"]


def names_hidden(ran):
    found = json.loads(ran.out)["diagnostics"]
    return [(one["level"], one["location"]["file"].rpartition("/")[2]) for one in found]


def test_hidden_meter_files_are_named(run, tmp_path):
    """And those of other tools are not: their keys are others."""
    text = "version: 1\nmeters: []\n"
    (tmp_path / "m.yaml").write_text(text)
    (tmp_path / ".n.yaml").write_text(text)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".o.yml").write_text('{"version": 1, "meters": []}')
    (tmp_path / ".pre-commit-config.yaml").write_text("repos: []\nversion: 1\n")
    (tmp_path / ".text").write_text(text)
    (tmp_path / ".broken.yaml").symlink_to("/nowhere")
    ran = run("validate", tmp_path, "--format", "json")
    assert ran.code == 0
    assert names_hidden(ran) == [("warning", ".n.yaml"), ("warning", ".o.yml")]


def test_a_hidden_meter_file_that_is_listed_is_read(run, tmp_path):
    (tmp_path / "reconciler.yaml").write_text('version: 1\nmeters: [".n.yaml"]\n')
    (tmp_path / ".n.yaml").write_text("version: 1\nmeters: []\n")
    assert names_hidden(run("validate", tmp_path, "--format", "json")) == []


def test_only_hidden_meter_files(run, tmp_path):
    """No meter file was found, and the hidden one is named beside that."""
    (tmp_path / ".n.yaml").write_text("version: 1\nmeters: []\n")
    ran = run("validate", tmp_path, "--format", "json")
    codes = [one["code"] for one in json.loads(ran.out)["diagnostics"]]
    assert (ran.code, sorted(codes)) == (1, ["C002", "C032"])


@pytest.mark.parametrize("name", [".reconciler.yaml", ".reconciler.yml"])
def test_a_hidden_project_file(run, tmp_path, name):
    """An error, also beside one with the right name: which of them counts is not clear."""
    (tmp_path / "m.yaml").write_text("version: 1\nmeters: []\n")
    (tmp_path / name).write_text("version: 1\n")
    ran = run("validate", tmp_path, "--format", "json")
    assert (ran.code, names_hidden(ran)) == (1, [("error", name)])
    (tmp_path / "reconciler.yaml").write_text("version: 1\nmeters: [m.yaml]\n")
    ran = run("validate", tmp_path, "--format", "json")
    assert (ran.code, names_hidden(ran)) == (1, [("error", name)])
