"""What a reload of nginx does to connections that clients keep: `python -m e2e.routers.reloads [--times N]`.

The nginx of the image made here answers by itself, without a cluster, a relay and an app: what is lost, nginx
has lost. It prints a line for clients that keep connections, and one where nginx lets them keep none.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder
from fixtures.core.arguments import Arguments, whole_number
from fixtures.core.boundary import run_command_line
from fixtures.core.clock import Epoch
from fixtures.core.process import spawn
from fixtures.core.retry import PendingError, until
from fixtures.core.terminal import say
from loadgen.plan import Stream
from loadgen.report import InvalidLoadError
from loadgen.requests import Requests
from loadgen.runner import Traffic
from loadgen.shapes import Constant

_RATE = 200.0
# The controller reloads nginx at most that often.
_EVERY_S = 3.3
_KEPT_S = 75
# `worker_shutdown_timeout` as the controller sets it; the number of workers as on two processors.
_CONFIGURATION = """
worker_processes 2;
worker_shutdown_timeout 240s;
daemon off;
pid nginx.pid;
error_log error.log notice;
events {{ worker_connections 1024; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_timeout {kept}s;
  server {{ listen 127.0.0.1:{port} reuseport; location / {{ return 200 "ok"; }} }}
}}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Reload nginx under load, and return 0, also if a load was late, which it says."""
    parser = Arguments(prog="python -m e2e.routers.reloads", description=__doc__)
    parser.add_argument("--times", type=whole_number(1, 100), default=20, help="reloads of each nginx")
    options = parser.parse_args(arguments)
    for kept in (_KEPT_S, 0):
        with TemporaryDirectory() as folder, _nginx(Path(folder), kept) as (url, process):
            sent = _reload_under_load(url, process, options.times, Path(folder) / "load")
        lost = [each for each in sent if not each.status]
        costly = len({round(each.t / _EVERY_S) for each in lost})
        on_kept = sum(each.reused for each in lost)
        say(
            f"| keepalive_timeout {kept} s | {options.times}, of which {costly} cost some "
            f"| {len(lost):,} of {len(sent):,} | {on_kept:,} |"
        )
    return 0


def _reload_under_load(url: str, process: subprocess.Popen[bytes], times: int, folder: Path) -> Requests:
    load = Traffic(url, [Stream("active", "shop.example")], Constant(_RATE, 600), folder, epoch=Epoch.take())
    try:
        with load:
            for _ in range(times):
                time.sleep(_EVERY_S)  # what is tested are reloads as far apart as the controller's
                os.kill(process.pid, signal.SIGHUP)
            time.sleep(_EVERY_S)
    except InvalidLoadError as error:
        # A late request is lost or not, as any other: nothing here is judged by when it was sent.
        say(f"the load was not what was asked for: {error.message}")
    return load.requests()


@contextmanager
def _nginx(folder: Path, kept: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run nginx, and yield its URL and its master."""
    packages = Builder(all_recipes()).get("nginx-packages")["nginx-packages"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(_CONFIGURATION.format(kept=kept, port=port))
    libraries = [str(each) for each in (*packages.glob("usr/lib/*-gnu"), *packages.glob("lib/*-gnu"))]
    program = packages / "usr" / "sbin" / "nginx"
    process = spawn(
        [program, "-p", f"{folder}/", "-c", f"{folder}/nginx.conf"],
        log=folder / "nginx.log",
        env={"LD_LIBRARY_PATH": os.pathsep.join(libraries)},
    )

    def answers() -> None:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError as error:
            raise PendingError(str(error)) from error

    try:
        until(answers, what="nginx", timeout=30)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    run_command_line(lambda: sys.exit(main()))
