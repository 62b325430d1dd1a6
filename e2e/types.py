"""The types of the fixtures that scenarios ask for."""

from __future__ import annotations

from fixtures.plugin.factories import (
    EnterClaim,
    Report,
    StartAppTrial,
    StartGitOpsTrial,
    StartTrial,
    Variant,
)

__all__ = ["EnterClaim", "Report", "StartAppTrial", "StartGitOpsTrial", "StartTrial", "Variant"]
