from __future__ import annotations

import pytest

from e2e.analysis.providers.saas import cbor


@pytest.mark.parametrize(
    "value",
    [{"a": [1, 23, 24, 300], "b": {"c": "ü" * 40}}, [], {}, 0.97, "", 1 << 40],
)
def test_what_is_encoded_is_decoded(value: object) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        # Appendix A of RFC 8949.
        ("c11a514b67b0", 1363896240),
        ("f93e00", 1.5),
        ("fa47c35000", 100000.0),
        ("f5", True),
        ("f6", None),
        ("20", -1),
        ("9f018202039fffff", [1, [2, 3], []]),
        ("bf6161016162f5ff", {"a": 1, "b": True}),
    ],
)
def test_examples_of_the_standard(data: str, value: object) -> None:
    assert cbor.decode(bytes.fromhex(data)) == value


def test_a_rest_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 bytes follow"):
        cbor.decode(b"\x01\x01")
