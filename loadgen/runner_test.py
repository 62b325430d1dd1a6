from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.core.clock import ClockError, Epoch
from fixtures.core.errors import FiredampError
from fixtures.core.retry import PendingError, until
from loadgen import report, runner
from loadgen.conftest import TinyServer
from loadgen.plan import Call, LoadPlan, Stream
from loadgen.queries import late, share_of
from loadgen.report import InvalidLoadError
from loadgen.runner import Traffic
from loadgen.shapes import Constant
from loadgen.status import Status, read_statuses

pytestmark = pytest.mark.usefixtures("unhurried")

EPOCH = Epoch.take()
# What a killed load generator had sent, and not yet recorded, is named first.
_KILLED = "ended with -9|were sent but not recorded"


@pytest.fixture
def usual_schedule(monkeypatch: pytest.MonkeyPatch, unhurried: None) -> None:
    """For tests of loads that were behind their schedule."""
    del unhurried
    monkeypatch.setattr(report, "_STALL_S", (0.5, 1.0))


def pass_time(seconds: float) -> None:
    """Let load flow, or not flow: the passing of time is what is tested."""
    time.sleep(seconds)


def test_the_rate_is_kept_and_each_request_is_recorded(server: TinyServer, tmp_path: Path) -> None:
    streams = [
        Stream("active", "payments.ns", (Call(weight=4), Call("/fail"))),
        Stream(
            "preview", "preview.payments.ns", (Call("/payments", "POST", body="{}", headers={"x-test": "1"}),)
        ),
    ]
    with Traffic(server.url, streams, Constant(100, 1), tmp_path, epoch=EPOCH) as traffic:
        traffic.require_flowing()
        traffic.wait_for_end()
        with pytest.raises(InvalidLoadError, match="its schedule has ended"):
            traffic.require_flowing()
    sent = traffic.requests()
    assert (len(sent), traffic.report.due, traffic.report.sent) == (200, 200, 200)
    assert traffic.report.rate == pytest.approx(200)
    assert 0 < traffic.report.cpu < 2
    hosts = Counter((row.stream, row.host) for row in sent)
    assert hosts == {("active", "payments.ns"): 100, ("preview", "preview.payments.ns"): 100}
    assert share_of("1.0", sent).n == 200
    failed = sum(row.path == "/fail" for row in sent)
    assert failed > 0
    assert traffic.report.errors == {"500 from 1.0": failed}
    assert all(row.intended <= row.t <= row.received for row in sent)
    assert Counter(request for request, _ in server.seen)["POST /payments HTTP/1.1"] == 100
    assert all(
        headers["x-test"] == "1" for _, headers in server.seen if headers["host"].startswith("preview")
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("load-active-preview.jsonl", "load-active-preview.log"),
        *("requests-active.jsonl", "requests-preview.jsonl"),
    ]


def test_a_stall_makes_requests_late_and_loses_none(server: TinyServer, tmp_path: Path) -> None:
    with Traffic(
        server.url, [Stream("active", "x", users=5)], Constant(50, 1.2), tmp_path, epoch=EPOCH
    ) as traffic:
        server.stall()
        pass_time(0.5)
        server.go_on()
        traffic.wait_for_end()
    sent = traffic.requests()
    assert len(sent) == 60
    assert len(late(sent)) >= 10
    assert not any("cookie" in headers for _, headers in server.seen)
    # Five clients for 60 requests: connections are used again.
    assert sum(not row.reused for row in sent) == 5
    assert traffic.report.late.k == len(late(sent))
    # The time that they waited for a free client counts, too.
    waited = [row for row in sent if row.latency_ms - row.service_ms > 100]
    assert len(waited) >= 5
    # And it is the server's fault, not the load's.
    assert sum(row.free is False for row in late(sent)) >= 5
    assert traffic.report.starved == sum(row.free is True for row in sent)


@pytest.mark.usefixtures("usual_schedule")
def test_requests_that_are_late_because_the_load_generator_was_stopped_are_its_own_fault(
    server: TinyServer, tmp_path: Path
) -> None:
    traffic = Traffic(server.url, [Stream("active", "x")], Constant(50, 2.4), tmp_path, epoch=EPOCH)

    def stopped_for_a_second() -> None:
        with traffic:
            send(traffic, signal.SIGSTOP)
            pass_time(1.2)
            send(traffic, signal.SIGCONT)
            traffic.wait_for_end()

    with pytest.raises(InvalidLoadError, match="were sent late although a client was free"):
        stopped_for_a_second()
    assert traffic.report.sent == traffic.report.due == 120
    assert traffic.report.starved >= 40


@pytest.mark.parametrize("offset", [-3.0, 3.0])
def test_a_load_generator_with_another_clock_is_noticed(
    offset: float, server: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_json = LoadPlan.to_json

    def shifted(plan: LoadPlan) -> str:
        return to_json(replace(plan, epoch=plan.epoch._replace(wall=plan.epoch.wall + offset)))

    monkeypatch.setattr(LoadPlan, "to_json", shifted)
    traffic = Traffic(server.url, [Stream("active", "x")], Constant(50), tmp_path, epoch=EPOCH)
    with pytest.raises(ClockError, match="clocks of harness and load generator differ"):
        traffic.__enter__()
    assert traffic._generator.poll() is not None


@pytest.mark.usefixtures("usual_schedule")
def test_a_run_that_could_not_send_is_refused_even_if_an_assertion_failed(
    server: TinyServer, tmp_path: Path
) -> None:
    traffic = Traffic(
        server.url, [Stream("active", "x", users=2)], Constant(50), tmp_path, epoch=EPOCH, timeout=0.6
    )

    refusals: list[str] = []

    def failing_scenario() -> None:
        with traffic:
            server.stall()
            pass_time(1.7)
            refusals.append(refusal(traffic))
            raise AssertionError("clients saw errors")

    with pytest.raises(InvalidLoadError, match=r"only \d+ of \d+ requests were sent") as refused:
        failing_scenario()
    assert "into the run" in refusals[0]
    assert isinstance(refused.value.__cause__, AssertionError)
    # The answers under way at the end were waited for until they timed out, and recorded.
    assert traffic.report.unrecorded == 0
    assert set(traffic.report.errors) == {"timed out"}


def test_a_failed_assertion_under_valid_load_is_its_own(server: TinyServer, tmp_path: Path) -> None:
    failure = pytest.raises(AssertionError, match="clients saw errors")
    with failure, Traffic(server.url, [Stream("active", "x")], Constant(50), tmp_path, epoch=EPOCH):
        raise AssertionError("clients saw errors")


def test_broken_answers_are_recorded_and_never_sent_again(server: TinyServer, tmp_path: Path) -> None:
    calls = (Call("/drop"), Call("/short"), Call("/moved"), Call("/payments"))
    with Traffic(
        server.url, [Stream("active", "x", calls)], Constant(100, 0.6), tmp_path, epoch=EPOCH
    ) as traffic:
        traffic.wait_for_end()
    assert len(server.seen) == len(traffic.requests()) == 60
    outcomes = {(row.path, row.status, row.version, row.error) for row in traffic.requests()}
    assert ("/payments", 200, "1.0", None) in outcomes
    assert ("/moved", 302, "1.0", None) in outcomes
    assert ("/drop", 0, None, "connection closed without an answer") in outcomes
    [short] = [outcome for outcome in outcomes if outcome[0] == "/short"]
    assert short[1:3] == (200, "1.0")
    assert short[3]
    broken = sum(row.path in {"/drop", "/short"} for row in traffic.requests())
    assert traffic.report.errors.total() == broken


def test_an_answer_that_never_ends_is_given_up_and_recorded(server: TinyServer, tmp_path: Path) -> None:
    stream = Stream("active", "x", (Call("/payments"), Call("/endless")))
    with Traffic(server.url, [stream], Constant(50), tmp_path, epoch=EPOCH, timeout=0.25) as traffic:
        pass_time(0.2)
    assert traffic.report.unrecorded == 0
    endless = [row for row in traffic.requests() if row.path == "/endless"]
    assert {row.error for row in endless} == {"timed out"}
    # A request has its time as a whole, however often something comes.
    assert all(row.service_ms > 200 for row in endless)


def test_without_a_server_the_run_does_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Traffic._begun

    def begun_with_a_request(traffic: Traffic) -> Status:
        if not len(traffic.requests()):
            raise PendingError("no request was recorded")
        return begun(traffic)

    # So the time within which an answer has to come begins after the first request was refused.
    monkeypatch.setattr(Traffic, "_begun", begun_with_a_request)
    monkeypatch.setattr(runner, "ANSWER_S", 0.1)
    traffic = Traffic("http://127.0.0.1:9", [Stream("active", "x")], Constant(20), tmp_path, epoch=EPOCH)
    with pytest.raises(
        InvalidLoadError, match=r"http://127\.0\.0\.1:9: first answer: not after 0\.1 s"
    ) as refused:
        traffic.__enter__()
    assert "Connection refused" in str(refused.value)
    assert "Starting Locust" in str(refused.value)
    assert traffic._generator.poll() is not None


def test_a_load_generator_that_dies_or_hangs_is_noticed(
    server: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "SILENCE_S", 0.5)
    refusals: list[str] = []

    def scenario() -> None:
        with Traffic(server.url, [Stream("active", "x")], Constant(20), tmp_path, epoch=EPOCH) as traffic:
            until(lambda: has_begun(traffic), what="a status", timeout=30)
            send(traffic, signal.SIGSTOP)
            pass_time(0.7)
            refusals.append(refusal(traffic))
            traffic._generator.kill()
            traffic._generator.wait(10)
            refusals.append(refusal(traffic))

    with pytest.raises(InvalidLoadError, match=_KILLED):
        scenario()
    assert "silent for" in refusals[0]
    assert "not running" in refusals[1]


def test_a_stall_of_the_harness_itself_is_no_silence_of_its_load(
    server: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled: list[float] = []
    now = Epoch.now

    def stalls(path: Path) -> list[Status]:
        statuses = read_statuses(path)
        stalled.append(60.0)
        return statuses

    with Traffic(server.url, [Stream("active", "x")], Constant(20), tmp_path, epoch=EPOCH) as traffic:
        until(lambda: has_begun(traffic), what="a status", timeout=30)
        with monkeypatch.context() as patch:
            patch.setattr(runner, "read_statuses", stalls)
            patch.setattr(Epoch, "now", lambda self: now(self) + sum(stalled))
            traffic.require_flowing()
    assert stalled


@pytest.mark.parametrize("step", [-600.0, 600.0])
def test_a_step_of_the_wall_clock_neither_hides_a_silence_nor_makes_one(
    step: float, server: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = time.time
    refusals: list[str] = []

    def scenario() -> None:
        with Traffic(server.url, [Stream("active", "x")], Constant(20), tmp_path, epoch=EPOCH) as traffic:
            until(lambda: has_begun(traffic), what="a status", timeout=30)
            monkeypatch.setattr(time, "time", lambda: wall() + step)
            refusals.append(refusal(traffic))
            send(traffic, signal.SIGSTOP)
            with monkeypatch.context() as patch:
                patch.setattr(report, "SILENCE_S", 0.3)
                pass_time(0.5)
                refusals.append(refusal(traffic))
            traffic._generator.kill()

    with pytest.raises(InvalidLoadError, match=_KILLED):
        scenario()
    assert refusals[0] == ""
    assert "silent for" in refusals[1]


def test_records_of_an_earlier_run_are_kept(tmp_path: Path) -> None:
    (tmp_path / "requests-active.jsonl").touch()
    with pytest.raises(FiredampError, match="exists already"):
        Traffic(
            "http://127.0.0.1:9", [Stream("active", "x")], Constant(20), tmp_path, epoch=EPOCH
        ).__enter__()


def test_there_is_no_report_before_the_end(tmp_path: Path) -> None:
    traffic = Traffic("http://127.0.0.1:9", [Stream("active", "x")], Constant(20), tmp_path, epoch=EPOCH)
    with pytest.raises(FiredampError, match="not ended"):
        _ = traffic.report


PARENT = """
import sys, time
from pathlib import Path
from fixtures.core.clock import Epoch
from loadgen.plan import Stream
from loadgen.runner import Traffic
from loadgen.shapes import Constant
folder, epoch = Path(sys.argv[2]), Epoch.take()
with Traffic(sys.argv[1], [Stream("active", "x")], Constant(20), folder, epoch=epoch) as traffic:
    print(traffic.pid, flush=True)
    sys.stdin.read()
"""


def test_locust_dies_with_its_parent(server: TinyServer, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, server.url, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        locust = int(parent.stdout.readline())
        assert is_alive(locust)
        os.kill(parent.pid, signal.SIGKILL)
    try:
        until(lambda: require_gone(locust), what="Locust's end", timeout=30)
    finally:
        if is_alive(locust):
            os.kill(locust, signal.SIGKILL)


def send(traffic: Traffic, which: signal.Signals) -> None:
    assert traffic.pid is not None
    os.kill(traffic.pid, which)


def refusal(traffic: Traffic) -> str:
    """Why the load is not accepted; kept, because an invalid run supersedes what is raised inside it."""
    try:
        traffic.require_flowing()
    except InvalidLoadError as error:
        return str(error)
    return ""


def has_begun(traffic: Traffic) -> None:
    """Raises PendingError until a status says that requests have been due for a while."""
    statuses = read_statuses(traffic._status)
    if not statuses or statuses[-1].until - statuses[-1].began < 0.2:
        raise PendingError(f"{len(statuses)} statuses")


def require_gone(pid: int) -> None:
    if is_alive(pid):
        raise PendingError(f"process {pid} lives")


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    # A zombie has ended; who reaps it is up to the machine's init.
    return stat.exists() and not re.search(r"\) [ZX] ", stat.read_text())
