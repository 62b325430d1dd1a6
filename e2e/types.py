"""The types of the fixtures that scenarios ask for."""

from __future__ import annotations

from collections.abc import Callable

from fixtures.trial import Trial

StartTrial = Callable[..., Trial]
Report = Callable[..., None]
