"""The types of the fixtures that scenarios ask for."""

from __future__ import annotations

from collections.abc import Callable

from fixtures.trial.gitops import GitOpsTrial
from fixtures.trial.trial import Trial

StartTrial = Callable[..., Trial]
StartGitOpsTrial = Callable[..., GitOpsTrial]
Report = Callable[..., None]
EnterClaim = Callable[..., None]
