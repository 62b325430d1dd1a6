from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from loadgen.collecting import MOST_BYTES, Collecting

TOKEN = "secret"


class Asked:
    """Asks a service as a WSGI server does, and keeps what it answers."""

    def __init__(self, service: Collecting) -> None:
        self._service = service
        self.status = ""

    def __call__(self, method: str, path: str, *, token: str = TOKEN, body: bytes = b"") -> bytes:
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "HTTP_AUTHORIZATION": f"Bearer {token}",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
        }
        return b"".join(self._service.answer(environ, self._start))

    def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
        self.status = status
        del headers


@pytest.fixture
def served(tmp_path: Path) -> Asked:
    (tmp_path / "requests-active.jsonl").write_bytes(b"0123456789")
    (tmp_path / "other").write_bytes(b"not of the load")
    files = [tmp_path / "requests-active.jsonl", tmp_path / "load-active.jsonl"]
    return Asked(Collecting(TOKEN, files, lambda: {"is_over": False}))


def test_a_file_is_read_from_an_offset_on(served: Asked, tmp_path: Path) -> None:
    assert served("GET", "/files/requests-active.jsonl/4") == b"456789"
    assert served("GET", "/files/requests-active.jsonl/10") == b""
    (tmp_path / "requests-active.jsonl").write_bytes(bytes(MOST_BYTES + 5))
    assert len(served("GET", "/files/requests-active.jsonl/0")) == MOST_BYTES
    assert served("GET", "/files/load-active.jsonl/0") == b""
    assert served.status == "200 OK"


def test_the_state_has_the_sizes_of_the_files_that_there_are(served: Asked) -> None:
    assert served("GET", "/state") == b'{"is_over": false, "sizes": {"requests-active.jsonl": 10}}'


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/files/other/0"),
        ("GET", "/files/../other/0"),
        ("GET", "/files/requests-active.jsonl/-1"),
        ("GET", "/files/requests-active.jsonl"),
        ("POST", "/state"),
        ("POST", "/end"),
        ("GET", "/"),
    ],
)
def test_nothing_else_is_there(method: str, path: str, served: Asked) -> None:
    assert served(method, path) == b""
    assert served.status == "404 Not Found"


@pytest.mark.parametrize("token", ["", "guessed", "sécret"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/files/requests-active.jsonl/0"), ("POST", "/end")])
def test_who_does_not_have_the_token_gets_nothing(method: str, path: str, token: str, tmp_path: Path) -> None:
    service = Collecting(TOKEN, [tmp_path / "requests-active.jsonl"], dict)
    service.on("end", lambda _: pytest.fail("it was obeyed"))
    served = Asked(service)
    assert served(method, path, token=token) == b""
    assert served.status == "401 Unauthorized"


def test_a_word_is_passed_on(tmp_path: Path) -> None:
    said: list[object] = []
    service = Collecting(TOKEN, [tmp_path / "requests-active.jsonl"], dict)
    service.on("begin", said.append)
    Asked(service)("POST", "/begin", body=b'{"correction": 0.5}')
    Asked(service)("POST", "/begin")
    assert said == [{"correction": 0.5}, {}]
