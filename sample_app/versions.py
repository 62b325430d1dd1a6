"""The versions of the payments API, and the fault of each. A tag alone says which version it is.

Behind the kind of fault a tag may have the value of its parameter, and the only path that has the fault:
`1.2-5xx-2.5` fails 2.5% of all requests, `1.2-slow-800-at_orders_new` makes `/orders/new` 800 ms slower.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from urllib.parse import unquote

from fixtures.core.errors import FiredampError
from fixtures.core.text import quoted

IMAGE = "firedamp.dev/payments"


@dataclass(frozen=True)
class Version:
    """One version of the API.

    Attributes:
        tag: The image's tag.
        kind: The kind of fault, as in version.json; "none" for a good version.
        parameter: Name of the fault's parameter: rate (0 to 1), ms, per_second, kib or schema; "" if none.
        value: The value of the parameter.
        path: The only path that has the fault, with all paths below it; "" if every request has it.
        effect: The effect that a client or an operator sees.
    """

    tag: str
    kind: str = "none"
    parameter: str = ""
    value: float = 0.0
    path: str = ""
    effect: str = "works"

    @property
    def image(self) -> str:
        """The full image reference."""
        return f"{IMAGE}:{self.tag}"

    def version_json(self) -> str:
        """The content of /app/version.json in the image of this version."""
        fault: dict[str, str | float] = {"kind": self.kind}
        if self.parameter:
            fault[self.parameter] = self.value
        if self.path:
            fault["path"] = self.path
        return json.dumps({"version": self.tag, "fault": fault})


VERSIONS = (
    Version("1.0"),
    Version("1.1"),
    Version(
        "1.2-crash", "crash", effect="exits at boot: the environment variable PAYMENTS_LEDGER_URL is not set"
    ),
    Version("1.2-5xx", "errors", "rate", 1.0, effect="answers 500 to payment requests (-20: to 20% of them)"),
    Version("1.2-slow", "slow", "ms", 800, effect="takes 800 ms longer per payment request (-1500: 1500 ms)"),
    Version("1.2-neverready", "neverready", effect="serves payments but is never ready"),
    Version(
        "1.2-firstfails", "firstfails", effect="answers 500 to the first payment request of each process"
    ),
    Version(
        "1.2-overload",
        "overload",
        "per_second",
        40,
        effect="answers 500 beyond 40 payment requests/s per pod (-80: 80/s)",
    ),
    Version("1.2-leak", "leak", "kib", 256, effect="keeps 256 KiB per payment request (-512: 512 KiB)"),
    Version(
        "1.3-ledger",
        "ledger",
        "schema",
        1,
        effect="needs the ledger at PAYMENTS_LEDGER_URL, with rows of its schema at most "
        "(-2: migrates to schema 2)",
    ),
)
_BY_TAG = {version.tag: version for version in VERSIONS}
# The faults of single requests; the others are faults of the whole process.
_OF_REQUESTS = frozenset({"errors", "slow", "firstfails", "overload", "leak"})
_NUMBER = r"\d{1,6}(?:\.\d{1,3})?"
_TAG = re.compile(rf"(?P<base>.+?)(?:-(?P<number>{_NUMBER}))?(?:-at(?P<path>_.*))?")
# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
_LONGEST_TAG = 128


def of(tag: str) -> Version:
    """Return the version with this tag: one of `VERSIONS`, with another parameter value, or with one path.

    The value follows a dash: percent for 5xx (`1.2-5xx-20`), ms for slow, requests/s for overload, KiB for
    leak, the number of the schema for ledger. The path follows `-at`; see `at_path`.

    Raises:
        FiredampError: There is no such version; the error names those that exist.
    """
    if tag in _BY_TAG:
        return _BY_TAG[tag]
    match = _TAG.fullmatch(tag) if len(tag) <= _LONGEST_TAG else None
    base = _BY_TAG.get(match["base"]) if match else None
    if match is None or base is None or not _is_possible(base, match["number"], match["path"]):
        raise FiredampError(f"the payments API has no version {tag!r}", hint=_known())
    value = _value(base, match["number"], tag) if match["number"] else base.value
    return replace(base, tag=tag, value=value, path=_decoded(match["path"], tag) if match["path"] else "")


def at_path(tag: str, path: str) -> str:
    """Return the tag of the version that has the fault of `tag` at one path, and at all paths below it.

    A tag cannot hold every character. So `/` is written `_`. A character other than letters, digits and `-`
    is written as a dot and two hexadecimal digits for each byte: `/v1/orders.json` is `_v1_orders.2Ejson`.

    Args:
        tag: A version whose fault is one of single requests: 5xx, slow, firstfails, overload or leak.
        path: The path: `/orders`. The fault is then in `/orders/7` as well, and not in `/orders-old`.

    Raises:
        FiredampError: The version has no such fault or has a path already, or no tag can hold the path.
    """
    if not path.startswith("/") or path.endswith("/") or "?" in path:
        raise FiredampError(
            f"path {quoted(path)}: it has to begin with / and not to end with it, and has no query"
        )
    encoded = f"{tag}-at{''.join(map(_encoded, path))}"
    if len(encoded) > _LONGEST_TAG:
        raise FiredampError(f"path {quoted(path)}: it is too long for a tag of {_LONGEST_TAG} characters")
    if of(tag).path or of(encoded).path != path:
        raise FiredampError(f"version {tag!r} has a path already, so {quoted(path)} cannot be its only one")
    return encoded


def _is_possible(base: Version, number: str | None, path: str | None) -> bool:
    return (not number or bool(base.parameter)) and (not path or base.kind in _OF_REQUESTS)


def _value(base: Version, number: str, tag: str) -> float:
    highest = 100 if base.parameter == "rate" else 100_000
    if not 0 < float(number) <= highest:
        raise FiredampError(f"version {tag!r}: {number} is not above 0 and at most {highest}", hint=_known())
    return float(number) / 100 if base.parameter == "rate" else float(number)


def _encoded(character: str) -> str:
    if character == "/":
        return "_"
    if character == "-" or (character.isascii() and character.isalnum()):
        return character
    return "".join(f".{byte:02X}" for byte in character.encode())


def _decoded(text: str, tag: str) -> str:
    """The path that a tag has; only the form that `at_path` writes is taken."""
    hexadecimal = re.sub(r"\.([0-9A-F]{2})", r"%\1", text.replace("_", "/"))
    path = unquote(hexadecimal, errors="replace")
    if "".join(map(_encoded, path)) != text or path.endswith("/") or "?" in path:
        raise FiredampError(
            f"version {tag!r}: {text!r} is not a path as tags have it",
            hint="/ is written _, and other characters than letters, digits and - as .2E: -at_v1_orders",
        )
    return path


def _known() -> str:
    tags = (
        f"{v.tag}{'[-N]' if v.parameter else ''}{'[-at_PATH]' if v.kind in _OF_REQUESTS else ''}"
        for v in VERSIONS
    )
    return f"known versions: {', '.join(tags)}"


# The images that every cluster has from its start, and that a user gives to an existing cluster. Other
# versions get an image when they are deployed. Each takes only a few kilobytes.
IMAGES = (*VERSIONS, *map(of, ("1.2-5xx-20", "1.2-5xx-5", "1.2-5xx-1", "1.3-ledger-2")))
