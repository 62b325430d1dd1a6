"""The list of faults fits the controller's sources and the rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.collected import collected
from e2e.mutations.controller import Edit, StaleEditError, changed_files
from e2e.mutations.faults import FAULTS, by_name, edits
from fixtures.addons.components import all_recipes
from fixtures.artifacts.golang import module_folder


# It reads the module of Argo Rollouts, which has to be downloaded.
@pytest.mark.e2e
def test_every_edit_fits_the_pinned_sources() -> None:
    changed = changed_files(edits(), module_folder(all_recipes().pins["rollouts"]))
    assert set(changed) > {edit.file for edit in edits()}


def test_every_edit_asks_for_its_own_fault() -> None:
    for fault in FAULTS:
        for edit in fault.edits:
            assert f'planted("{fault.name}")' in edit.new


def test_names_are_given_once_and_each_fault_is_somewhere() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names) >= 20
    for name in names:
        fault = by_name(name)
        assert fault.rows
        assert sum(map(bool, (fault.edits, fault.manifests, fault.harness))) == 1


@pytest.mark.xdist_group("collected")
def test_every_row_is_there() -> None:
    rows = {row for fault in FAULTS for row in fault.rows}
    assert rows <= {each.test for each in collected()}


def test_the_changed_files_come_in_the_same_order_in_each_process(tmp_path: Path) -> None:
    """Else each process would build a controller of its own."""
    files = [f"{letter}/x.go" for letter in "hgfedcba"]
    for file in files:
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_text("x")
    added = list(changed_files([Edit(file, "x", "y") for file in files], tmp_path))[len(files) :]
    assert added == sorted(added)


def test_an_edit_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.go").write_text("x x")
    with pytest.raises(StaleEditError, match=r"a\.go has 2 times, not once"):
        changed_files([Edit("a.go", "x", "y")], tmp_path)
    with pytest.raises(StaleEditError, match=r"a\.go has 0 times, not once"):
        changed_files([Edit("a.go", "z", "y")], tmp_path)
