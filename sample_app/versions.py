"""The versions of the payments API, and the fault of each."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from fixtures.core.errors import FiredampError

IMAGE = "firedamp.dev/payments"


@dataclass(frozen=True)
class Version:
    """One version of the API.

    Attributes:
        tag: The image's tag.
        kind: The kind of fault, as in version.json; "none" for a good version.
        parameter: Name of the fault's parameter: rate (0 to 1), ms, per_second, kib or schema; "" if none.
        value: The value of the parameter.
        effect: The effect that a client or an operator sees.
    """

    tag: str
    kind: str = "none"
    parameter: str = ""
    value: float = 0.0
    effect: str = "works"

    @property
    def image(self) -> str:
        """The full image reference."""
        return f"{IMAGE}:{self.tag}"

    def version_json(self) -> str:
        """The content of /app/version.json in the image of this version."""
        fault = {"kind": self.kind} | ({self.parameter: self.value} if self.parameter else {})
        return json.dumps({"version": self.tag, "fault": fault})


VERSIONS = (
    Version("1.0"),
    Version("1.1"),
    Version(
        "1.2-crash", "crash", effect="exits at boot: the environment variable PAYMENTS_LEDGER_URL is not set"
    ),
    Version("1.2-5xx", "errors", "rate", 1.0, "answers 500 to payment requests (-20: to 20% of them)"),
    Version("1.2-slow", "slow", "ms", 800, "takes 800 ms longer per payment request (-1500: 1500 ms)"),
    Version("1.2-neverready", "neverready", effect="serves payments but is never ready"),
    Version(
        "1.2-firstfails", "firstfails", effect="answers 500 to the first payment request of each process"
    ),
    Version(
        "1.2-overload",
        "overload",
        "per_second",
        40,
        "answers 500 beyond 40 payment requests/s per pod (-80: 80/s)",
    ),
    Version("1.2-leak", "leak", "kib", 256, "keeps 256 KiB per payment request (-512: 512 KiB)"),
    Version(
        "1.3-ledger",
        "ledger",
        "schema",
        1,
        "needs the ledger at PAYMENTS_LEDGER_URL, with rows of its schema at most (-2: migrates to schema 2)",
    ),
)
_BY_TAG = {version.tag: version for version in VERSIONS}


def of(tag: str) -> Version:
    """Return the version with this tag: one of `VERSIONS`, or one of them with another parameter value.

    The value follows a dash: percent for 5xx (`1.2-5xx-20`), ms for slow, requests/s for overload, KiB for
    leak, the number of the schema for ledger.

    Raises:
        FiredampError: There is no such version; the error names those that exist.
    """
    if tag in _BY_TAG:
        return _BY_TAG[tag]
    match = re.fullmatch(r"(?P<base>.+)-(?P<number>\d{1,6}(\.\d{1,3})?)", tag)
    base = _BY_TAG.get(match["base"]) if match else None
    if match is None or base is None or not base.parameter:
        raise FiredampError(f"the payments API has no version {tag!r}", hint=_known())
    number = float(match["number"])
    highest = 100 if base.parameter == "rate" else 100_000
    if not 0 < number <= highest:
        raise FiredampError(
            f"version {tag!r}: {match['number']} is not above 0 and at most {highest}", hint=_known()
        )
    return replace(base, tag=tag, value=number / 100 if base.parameter == "rate" else number)


def _known() -> str:
    return "known versions: " + ", ".join(f"{v.tag}[-N]" if v.parameter else v.tag for v in VERSIONS)


# The versions of which images are built; each image takes only a few kilobytes.
IMAGES = (*VERSIONS, of("1.2-5xx-20"), of("1.3-ledger-2"))


def require_image(tag: str) -> None:
    """Refuse a version of which no image is built.

    Raises:
        FiredampError: There is no such image; the error names those that exist.
    """
    tags = [version.tag for version in IMAGES]
    if tag not in tags:
        raise FiredampError(f"the payments API has no version {tag!r}", hint=f"images: {', '.join(tags)}")
