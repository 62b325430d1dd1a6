"""Each verdict on a claim is entered inside a trial, so that a changed verdict leaves a failure bundle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_OUTSIDE = """
def test_it(trial, claim):
    with trial("canary") as app:
        app.deploy("1.1")
    claim("it is said", expected="holds", found="holds", evidence={})
"""
_INSIDE = """
def test_it(trial, claim):
    with trial("canary") as app:
        with app.traffic():
            app.deploy("1.1")
        if app:
            claim("it is said", expected="holds", found="holds", evidence={})
"""


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.rglob("test_*.py")), ids=lambda path: path.stem)
def test_each_claim_is_entered_inside_a_trial(path: Path) -> None:
    outside = [*_outside(ast.parse(path.read_text()))]
    assert not outside, f"move the claims of lines {outside} into the block of the trial that they judge"


def test_a_claim_after_its_trial_is_found() -> None:
    assert [*_outside(ast.parse(_OUTSIDE))] == [5]
    assert not [*_outside(ast.parse(_INSIDE))]


def _outside(node: ast.AST, *, in_trial: bool = False) -> Iterator[int]:
    """The lines of all calls of `claim` below a node that are in no `with trial(...)` block."""
    if isinstance(node, ast.Call) and _name(node) == "claim" and not in_trial:
        yield node.lineno
    begins = isinstance(node, ast.With) and any(_name(each.context_expr) == "trial" for each in node.items)
    for child in ast.iter_child_nodes(node):
        yield from _outside(child, in_trial=in_trial or begins)


def _name(node: ast.AST) -> str:
    """The name of the function that an expression calls, or ""."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
