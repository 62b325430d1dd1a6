from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from e2e.cluster import leaks


@pytest.fixture
def key() -> bytes:
    made = ec.generate_private_key(ec.SECP256R1())
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def state(tmp_path: Path, key: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cluster's folder."""
    folder = tmp_path / "state"
    (folder / "pki").mkdir(parents=True)
    (folder / "pki" / "client.key").write_bytes(key)
    (folder / "argocd-password").write_text("a-generated-password\n")
    (folder / "kubeconfig").write_text("users:\n- user:\n    token: eyJhbGciOiJSUzI1NiJ9\n")
    (folder / "cluster.json").write_text('{"name": "one"}')
    monkeypatch.setattr(leaks, "_PLACES", (str(tmp_path / "places"),))
    (tmp_path / "places").mkdir()
    return folder


def test_keys_passwords_and_tokens_are_secrets_and_nothing_else_is(state: Path, key: bytes) -> None:
    secrets = leaks.secrets_in(state)
    assert {b"a-generated-password", b"eyJhbGciOiJSUzI1NiJ9"} < secrets
    assert all(
        each in key or each in base64.b64encode(key) or b"-" in each or b"ey" in each for each in secrets
    )
    assert len(secrets) == 4
    assert leaks.secrets_in(state / "nowhere") == frozenset()


@pytest.mark.parametrize("encode", [bytes, base64.b64encode])
def test_a_key_that_is_left_is_found_as_it_is_and_embedded(
    state: Path, tmp_path: Path, key: bytes, encode: type[bytes]
) -> None:
    secrets = leaks.secrets_in(state)
    place = tmp_path / "places" / "deep" / "tmpx1"
    place.parent.mkdir()
    place.write_bytes(b"client-key-data: " + encode(key))
    assert [trace.what for trace in leaks.left(secrets, 0.0)] == [str(place)]


def test_each_secret_is_found_in_each_folder(state: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    for secret in leaks.secrets_in(state):
        (output / "timeline.jsonl").write_bytes(b"x" * 5000 + secret)
        (trace,) = leaks.left([secret], 0.0, also=[output])
        assert trace.what == str(output / "timeline.jsonl")


def test_another_cluster_s_key_and_an_older_file_are_none_of_ours(
    state: Path, tmp_path: Path, key: bytes
) -> None:
    secrets = leaks.secrets_in(state)
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "places" / "theirs").write_bytes(pem + base64.b64encode(pem))
    assert leaks.left(secrets, 0.0) == []
    (tmp_path / "places" / "ours").write_bytes(key)
    assert leaks.left(secrets, time.time() + 60) == []
    assert len(leaks.left(secrets, time.time() - 60)) == 1


def test_pipes_links_and_what_vanishes_are_no_trouble(state: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "places" / "pipe")
    (tmp_path / "places" / "dangling").symlink_to("/nowhere")
    assert leaks.left(leaks.secrets_in(state), 0.0) == []
    assert leaks.left([], 0.0) == []


def test_a_secret_in_arguments_is_found() -> None:
    secret = secrets.token_hex(16)
    command = [sys.executable, "-c", "print(flush=True); input()", secret]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        # For a moment after it is started, the kernel knows no arguments of a program.
        assert process.stdout
        process.stdout.readline()
        (trace,) = leaks.exposed([secret.encode()])
        assert trace.what == f"{process.pid} arguments"
        process.kill()
    assert leaks.exposed([secret.encode()]) == []
