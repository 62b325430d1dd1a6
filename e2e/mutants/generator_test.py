"""The generator plants what it says, and changes no line's number."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from e2e.mutants.build import _GENERATOR, Mutant
from fixtures.artifacts import golang

SOURCE = """\
package shop

import "log"

// A comment stays.
func price(items []int, member bool) (int, error) {
	total := 0
	for i := 0; i < len(items); i++ {
		total += items[i]
	}
	if member && total > 100 {
		total = total - 10
	}
	if err := check(total); err != nil {
		return 0, err
	}
	log.Printf("total %d", total)
	notify(total)
	return total, nil
}
"""


def generated(tmp_path: Path, without: list[int]) -> tuple[list[Mutant], str]:
    (tmp_path / "shop").mkdir(exist_ok=True)
    file = tmp_path / "shop" / "shop.go"
    file.write_text(SOURCE)
    (tmp_path / "shop" / "shop_test.go").write_text("package shop\n")
    task = json.dumps({"packages": ["shop"], "without": without})
    printed = golang.ask(
        "run", str(_GENERATOR), str(tmp_path), "x/mutants", task, folder=tmp_path, within=120
    )
    return msgspec.json.decode(printed, type=list[Mutant]), file.read_text()


def test_each_rule_is_applied_where_it_fits(tmp_path: Path) -> None:
    mutants, text = generated(tmp_path, [])
    assert {(each.kind, each.line, each.original) for each in mutants} == {
        ("number increased", 7, "0"),
        ("number increased", 8, "0"),
        ("condition negated", 11, "member && total > 100"),
        ("operand negated", 11, "member"),
        ("operand negated", 11, "total > 100"),
        ("boundary moved", 11, "total > 100"),
        ("operator changed", 12, "total - 10"),
        ("number increased", 12, "10"),
        ("number increased", 15, "0"),
        ("call dropped", 18, "notify(total)"),
    }
    assert {each.function for each in mutants} == {"price"}
    ids = {each.kind + each.original: each.id for each in mutants}
    both, member = ids["condition negatedmember && total > 100"], ids["operand negatedmember"]
    over, moved = ids["operand negatedtotal > 100"], ids["boundary movedtotal > 100"]
    comparison = f"mutants.Not({over}, mutants.Greater({moved}, total , 100))"
    assert f"if mutants.Not({both}, mutants.Not({member}, member) && {comparison}) {{" in text
    assert f"if mutants.Keep({ids['call droppednotify(total)']}) {{ notify(total) }}" in text


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    _, text = generated(tmp_path, [])
    assert len(text.splitlines()) == len(SOURCE.splitlines())
    assert text.startswith('package shop; import mutants "x/mutants"\n')


def test_what_is_left_out_leaves_the_numbers_of_others_alone(tmp_path: Path) -> None:
    all_of_them, _ = generated(tmp_path, [])
    first = all_of_them[0].id
    others, text = generated(tmp_path, [first])
    assert others == [each for each in all_of_them if each.id != first]
    assert f"({first}, " not in text
