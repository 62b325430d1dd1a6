"""Which version this is and what is wrong with it, as baked into the image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEDGER_URL = "PAYMENTS_LEDGER_URL"


class NotBootableError(Exception):
    """The version cannot start; the text says why."""


@dataclass(frozen=True)
class Release:
    """The content of version.json: the image's tag and its fault (`{"kind": "none"}` when good)."""

    version: str
    fault: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> Release:
        """Read version.json.

        Raises:
            NotBootableError: It is missing or says something else than a version and a fault.
        """
        try:
            content = json.loads(file.read_text())
            return cls(
                version=content["version"], fault={**content["fault"], "kind": content["fault"]["kind"]}
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotBootableError(f"{file}: {type(error).__name__}: {error}") from error


def require_environment(release: Release, environment: Mapping[str, str]) -> None:
    """Refuse to start the version that needs a variable which nobody has set.

    Raises:
        NotBootableError: The variable is missing; the text names it.
    """
    if release.fault["kind"] == "crash" and not environment.get(LEDGER_URL):
        raise NotBootableError(f"version {release.version} needs the environment variable {LEDGER_URL}")
