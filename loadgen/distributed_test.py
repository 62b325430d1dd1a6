"""Loads of a master and workers, as processes of this machine."""

from __future__ import annotations

import re
import signal
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.core.clock import Epoch
from fixtures.core.retry import PendingError, until
from loadgen import report
from loadgen.conftest import TinyServer
from loadgen.distribution import Role
from loadgen.generators import Processes
from loadgen.plan import Call, Stream
from loadgen.report import InvalidLoadError
from loadgen.requests import Requests
from loadgen.runner import Traffic
from loadgen.shapes import Constant
from loadgen.status import Status, read_statuses

pytestmark = pytest.mark.usefixtures("unhurried")

EPOCH = Epoch.take()
CALLS = (Call("/a", weight=3), Call("/b"), Call("/fail"))
STREAMS = [Stream("active", "payments.ns", CALLS), Stream("preview", "preview.payments.ns")]


def test_workers_send_the_schedule_of_one_process_and_all_their_records_are_collected(
    server: TinyServer, tmp_path: Path
) -> None:
    alone = run(server, tmp_path / "alone", workers=0)
    together = run(server, tmp_path / "together", workers=3)
    assert schedule(together) == schedule(alone)
    assert len(together) == 300
    assert all(request.status for request in together)
    assert list(together.t) == sorted(together.t)
    [*_, last] = statuses(tmp_path / "together")
    assert {name: worker.state for name, worker in last.workers.items()} == {
        "worker-0": "ended", "worker-1": "ended", "worker-2": "ended",
    }  # fmt: skip
    assert sum(worker.sent for worker in last.workers.values()) == 300
    # Processes of one machine have one clock, and it is compared all the same.
    for worker in last.workers.values():
        assert len(worker.offsets) == 2
        assert all(abs(offset.seconds) <= offset.within < 0.05 for offset in worker.offsets)


def test_a_load_that_is_stopped_early_loses_no_record(server: TinyServer, tmp_path: Path) -> None:
    load = traffic(server, tmp_path, workers=2, shape=Constant(100))
    with load:
        until(lambda: has_sent(load, 50), what="requests", timeout=30)
    assert load.report.unrecorded == 0
    assert load.report.sent >= 50
    assert len(server.seen) == load.report.sent


def test_a_worker_that_dies_makes_the_run_invalid_and_is_named(server: TinyServer, tmp_path: Path) -> None:
    generator = Processes(2)
    load = traffic(server, tmp_path, generator=generator, shape=Constant(50))

    def scenario() -> None:
        with load:
            until(lambda: has_sent(load, 20), what="requests", timeout=30)
            generator.processes["worker-1"].kill()
            until(lambda: require_refused(load), what="a refusal", timeout=30)
            raise AssertionError("clients saw errors")

    with pytest.raises(InvalidLoadError, match=r"worker-1 was lost after \d+ requests") as refused:
        scenario()
    assert isinstance(refused.value.__cause__, AssertionError)
    assert "worker-0" not in refused.value.message


def test_a_worker_that_hangs_is_noticed_and_named(
    server: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "SILENCE_S", 1.5)
    generator = Processes(2)
    load = traffic(server, tmp_path, generator=generator, shape=Constant(50))
    refusals: list[str] = []

    def scenario() -> None:
        with load:
            generator.processes["worker-0"].send_signal(signal.SIGSTOP)
            time.sleep(2.0)  # the silence is what is tested
            refusals.append(refusal(load))

    with pytest.raises(InvalidLoadError, match=r"worker-0 was (silent|lost)"):
        scenario()
    assert "worker-0 was silent for" in refusals[0]


@pytest.mark.parametrize("offset", [-0.2, 0.2])
def test_a_worker_with_another_clock_is_refused_before_anything_is_sent(
    offset: float, server: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role_of = Processes._role_of

    def shifted(self: Processes, name: str, role: Role) -> Role:
        role = role_of(self, name, role)
        epoch = role.plan.epoch
        return role if name == "worker-0" else replace(
            role, plan=replace(role.plan, epoch=epoch._replace(wall=epoch.wall + offset))
        )  # fmt: skip

    monkeypatch.setattr(Processes, "_role_of", shifted)
    load = traffic(server, tmp_path, workers=2)
    with pytest.raises(InvalidLoadError, match=r"the clock of worker-1 differs") as refused:
        load.__enter__()
    [by] = re.findall(r"by ([+-]\d+\.\d) ms", refused.value.message)
    assert float(by) == pytest.approx(1000 * offset, abs=50)
    assert server.seen == []
    assert load._generator.poll() is not None


def test_a_clock_that_differs_a_little_is_corrected(
    server: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role_of = Processes._role_of

    def shifted(self: Processes, name: str, role: Role) -> Role:
        role = role_of(self, name, role)
        epoch = role.plan.epoch._replace(wall=role.plan.epoch.wall + 0.03)
        return replace(role, plan=replace(role.plan, epoch=epoch))

    monkeypatch.setattr(Processes, "_role_of", shifted)
    requests = run(server, tmp_path, workers=1)
    [*_, last] = statuses(tmp_path)
    begin, end = last.workers["worker-0"].offsets
    assert begin.seconds == pytest.approx(0.03, abs=begin.within)
    assert abs(end.seconds) <= begin.within + end.within
    assert requests.first is not None
    assert requests.first == pytest.approx(last.began + 0.005, abs=begin.within)


def test_a_worker_that_this_run_has_not_started_is_refused(
    server: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role_of = Processes._role_of

    def stranger(self: Processes, name: str, role: Role) -> Role:
        return replace(role_of(self, name, role), token="guessed" if name == "worker-1" else role.token)

    monkeypatch.setattr(Processes, "_role_of", stranger)
    with pytest.raises(InvalidLoadError, match="is a worker that this run has not started"):
        traffic(server, tmp_path, workers=2).__enter__()
    assert server.seen == []


def test_locust_and_its_workers_listen_on_loopback_only(server: TinyServer, tmp_path: Path) -> None:
    generator = Processes(1)
    with traffic(server, tmp_path, generator=generator, shape=Constant(20)) as load:
        pids = [load.pid, generator.processes["worker-0"].pid]
        addresses = [address for pid in pids for address in listening(pid)]
    assert addresses
    assert set(addresses) == {"0100007F"}  # 127.0.0.1, as in proc(5)


def traffic(
    server: TinyServer,
    folder: Path,
    *,
    workers: int = 0,
    generator: Processes | None = None,
    shape: Constant = Constant(100, 1.5),  # noqa: B008 - immutable
) -> Traffic:
    used = generator or (Processes(workers) if workers else None)
    return Traffic(server.url, STREAMS, shape, folder, epoch=EPOCH, generator=used)


def run(server: TinyServer, folder: Path, *, workers: int) -> Requests:
    with traffic(server, folder, workers=workers) as load:
        load.wait_for_end()
    return load.requests()


def schedule(requests: Requests) -> Counter[tuple[str, str, float]]:
    """What was sent, and when after the first request of all it was due, in milliseconds."""
    begin = requests.intended.min()
    return Counter(
        (request.stream, request.path, round(1000 * (request.intended - begin), 1)) for request in requests
    )


def statuses(folder: Path) -> list[Status]:
    return read_statuses(folder / "load-active-preview.jsonl")


def refusal(load: Traffic) -> str:
    try:
        load.require_flowing()
    except InvalidLoadError as error:
        return str(error)
    return ""


def require_refused(load: Traffic) -> None:
    if not refusal(load):
        raise PendingError("the load is accepted")


def has_sent(load: Traffic, most: int) -> None:
    if len(load.requests()) < most:
        raise PendingError(f"{len(load.requests())} requests")


def listening(pid: int | None) -> list[str]:
    """The addresses on which a process listens for TCP connections, as proc(5) writes them."""
    process = Path(f"/proc/{pid}")
    opened = {str(link.readlink()) for link in (process / "fd").iterdir() if link.is_symlink()}
    lines = [line for name in ("tcp", "tcp6") for line in (process / "net" / name).read_text().splitlines()]
    rows = [line.split() for line in lines]
    return [row[1].partition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in opened]
