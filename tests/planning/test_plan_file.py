"""Plans are written to JSON and read back; any other file is refused."""

from __future__ import annotations

import copy
import json
import re

import pytest
from builders.meters import active_prices, decide_all, declare, existing, inactive, plan_of, retire
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from planning.test_plan import EVERY_CHANGE

from reconciler.diagnostics.errors import ConfigError
from reconciler.model.project import AccountRef
from reconciler.planning.plan import seal
from reconciler.planning.plan_file import dump_plan, load_plan

PRICED = decide_all(
    [declare(accepts=("p",), retires=("mtr_x",), protect=True), retire("gone", accepts=("q",))],
    [inactive("mtr_1"), inactive("mtr_2", formula="last"), existing("mtr_g", "gone", window="day")],
    active_prices("p@mtr_1", "q@mtr_g"),
)
PLAN = plan_of(*EVERY_CHANGE, commit="a" * 40, created_at=1_790_000_000)


@pytest.mark.parametrize(
    "plan",
    [
        PLAN,
        plan_of(*PRICED, complete=False),
        plan_of(account=AccountRef("empty")),
        plan_of(*decide_all([declare(display='Zoë "\\\n\u2028 \U0001f4a1')], [existing()])),
        plan_of(*decide_all([declare()], [existing(), existing("mtr_b"), inactive()])),
    ],
    ids=["every action", "prices and consent", "no changes", "odd characters", "two active"],
)
def test_a_plan_is_read_back_as_it_was_written(plan):
    again = load_plan(dump_plan(plan), "p.json")
    assert again == plan
    assert seal(again) == plan
    assert dump_plan(again) == dump_plan(plan)


@pytest.mark.parametrize("text", ["later", "\ud800"])
def test_a_file_that_was_formatted_anew_is_the_same_plan(text):
    """With sorted keys, as by `jq -S`: also those of fields that the API adds."""
    newer = replace(existing(), extra={"z": text, "b": {"y": [], "a": None}})
    plan = plan_of(*decide_all([declare()], [newer]))
    anew = json.dumps(json.loads(dump_plan(plan)), sort_keys=True)
    assert load_plan(anew, "p.json") == plan


def test_the_version_comes_first_in_the_file():
    assert next(iter(json.loads(dump_plan(PLAN)))) == "plan_version"


def refusal(text):
    with pytest.raises(ConfigError) as caught:
        load_plan(text, "p.json")
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, str(diagnostic.location)) == ("A201", "p.json")
    return diagnostic.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"plan"',
        "{}",
        "7",
        "version: 1",
        '{"plan_version": 2}',
        '{"plan_version": 2, "account": 3, "changes": []}',
        '{"plan_version": 2, "account": {"name": "a"}, "changes": [{"action": "destroy"}]}',
        "[" * 100_000,
        "\x00",
    ],
)
def test_a_foreign_file_is_refused(text):
    """With one error that names the file."""
    assert re.fullmatch(r"not a saved plan( \(.+\))?", refusal(text), re.DOTALL)


@pytest.mark.parametrize("at", [1, 40, len(dump_plan(PLAN)) // 2, len(dump_plan(PLAN)) - 3])
def test_a_truncated_file_is_refused(at):
    assert "not a saved plan" in refusal(dump_plan(PLAN)[:at])


@pytest.mark.parametrize("version", [0, 1, "2", None, [2]])
def test_another_version_is_named(version):
    text = json.dumps({**json.loads(dump_plan(PLAN)), "plan_version": version})
    assert f"plan_version {version!r} is not supported; this version reads 2" in refusal(text)


def spots(value, path=()):
    """Yield the path of every value in JSON data."""
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    yield path
    for key, inner in items:
        yield from spots(inner, (*path, key))


DATA = json.loads(dump_plan(plan_of(*EVERY_CHANGE[:5], *PRICED[:1])))
SPOTS = [path for path in spots(DATA) if path and path != ("plan_version",)]
DEEP = json.loads("[" * 900 + "]" * 900)
ODD = [None, True, 0, -1, 10**30, 1e999, float("nan"), "", "x", "\ud800", [], {}, [[]], DEEP]


@example(("created_at",), ODD.index(1e999))
@example(("changes", 0, "fields"), ODD.index(DEEP))
@example(("changes", 2, "fields", 0, "before"), ODD.index(DEEP))
@given(st.sampled_from(SPOTS), st.sampled_from(range(len(ODD) + 2)))
def test_an_edit_anywhere_is_refused(path, how):
    """An edited plan is an error, or the same plan if the edit has no effect."""
    data = copy.deepcopy(DATA)
    spot = data
    for key in path[:-1]:
        spot = spot[key]
    if how < len(ODD):
        spot[path[-1]] = ODD[how]
    elif how == len(ODD):
        del spot[path[-1]]
    elif isinstance(spot, dict):
        spot["extra"] = 1
    else:
        spot.append(spot[path[-1]])
    assert read(data) in (["A201"], read(DATA))


def read(data):
    """Return the plan of a file with these data, or the codes of its errors."""
    try:
        return load_plan(json.dumps(data), "p.json")
    except ConfigError as error:
        return [diagnostic.code for diagnostic in error.diagnostics]


@pytest.mark.parametrize("path", [(), ("account",), ("changes", 0), ("changes", 0, "desired")])
@pytest.mark.parametrize("how", ["unknown", "missing"])
def test_a_key_that_is_unknown_or_missing_is_named(path, how):
    data = copy.deepcopy(DATA)
    spot = data
    for key in path:
        spot = spot[key]
    name = "extra" if how == "unknown" else [*spot][-1]
    if how == "unknown":
        spot[name] = None
    else:
        del spot[name]
    place = ".".join(map(str, [*path, name])).replace(".0", "[0]")
    assert refusal(json.dumps(data)) == f"not a saved plan ({how} key {place})"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("account",), []),
        (("account", "name"), {}),
        (("account", "name"), {"first": "a"}),
        (("changes",), {}),
        (("changes", 0), []),
        (("changes", 0, "action"), "destroy"),
    ],
)
def test_a_value_of_another_type_is_named(path, value):
    data = copy.deepcopy(DATA)
    spot = data
    for key in path[:-1]:
        spot = spot[key]
    spot[path[-1]] = value
    place = ".".join(map(str, path)).replace(".0", "[0]")
    assert refusal(json.dumps(data)) == f"not a saved plan ({place}: invalid value)"
