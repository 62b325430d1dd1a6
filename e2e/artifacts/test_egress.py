"""A node reaches the host's network by its proxy alone, and only if it was asked for."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder
from fixtures.core.process import CommandError
from fixtures.core.serving_for_test import serving
from fixtures.providers.native.layout import EGRESS_PORT
from fixtures.providers.native.parts import NEEDS, node_parts
from fixtures.providers.native.provider import NativeCluster

pytestmark = pytest.mark.usefixtures("embedded_node")

# In the node's namespaces: what a server answers through the proxy, and without it.
_ASK = """
import http.client, sys

proxy, server, tunnel = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "tunnel"
connection = http.client.HTTPConnection("127.0.0.1", proxy if tunnel else server, timeout=20)
if tunnel:
    connection.set_tunnel("127.0.0.1", server)
connection.request("GET", "/")
print(connection.getresponse().status)
"""


@pytest.fixture
def server_on_the_host() -> Iterator[int]:
    class Teapot(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(418)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(HTTPServer(("127.0.0.1", 0), Teapot)) as server:
        yield server.server_port


@pytest.mark.parametrize("egress", [False, True])
def test_the_proxy_is_the_only_way_out(server_on_the_host: int, egress: bool, tmp_path: Path) -> None:
    recipes = all_recipes()
    made = Builder(recipes).get(*(name for name in NEEDS if name != "image-store"))
    whole = node_parts(recipes.pins, {**made, "image-store": tmp_path})
    parts = replace(whole, store=None, only=("etcd", "kube-apiserver"))
    cluster = NativeCluster(parts, name=f"reg-{secrets.token_hex(3)}", egress=egress)

    def ask(how: str) -> str:
        command = [sys.executable, "-c", _ASK, str(EGRESS_PORT), str(server_on_the_host), how]
        return cluster.inside([*command], timeout=60).strip()

    try:
        cluster.start()
        with pytest.raises(CommandError, match="ConnectionRefusedError"):
            ask("direct")
        if egress:
            assert ask("tunnel") == "418"
        else:
            with pytest.raises(CommandError, match="ConnectionRefusedError"):
                ask("tunnel")
    finally:
        cluster.stop()
