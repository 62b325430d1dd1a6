from __future__ import annotations

from pathlib import Path

import pytest

from e2e.tutorial.page import steps

_STEP = """
```python
# my_tests/test_a.py
x = 1
```

```sh
.venv/bin/python -m pytest my_tests/test_a.py
```

```text
1 passed
```
"""


def test_the_tutorial_has_steps() -> None:
    assert len({step.file for step in steps()}) > 2
    assert all(step.shown for step in steps())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("pytest my_tests/test_a.py", "pytest my_tests/test_b.py"),
        ("# my_tests/test_a.py\n", ""),
        ("```text\n1 passed\n```\n", ""),
        ("```sh\n.venv/bin/python -m pytest my_tests/test_a.py\n```\n", ""),
    ],
)
def test_a_step_that_is_not_whole_is_an_error(tmp_path: Path, old: str, new: str) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\nmake setup\n```\n" + _STEP)
    (step,) = steps(page)
    assert (step.source, step.shown) == ("# my_tests/test_a.py\nx = 1\n", ("1 passed",))
    page.write_text(_STEP.replace(old, new))
    with pytest.raises(ValueError, match=r"the tutorial has to have|does not run"):
        list(steps(page))
