from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadgen.messages import Lines
from loadgen.outbox import MOST_BYTES, MOST_UNDER_WAY, Outbox

LINES = st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\n", b".") + b"\n"), min_size=1)


@given(st.lists(st.tuples(st.sampled_from(["active", "preview"]), LINES), max_size=30))
def test_each_stream_arrives_whole_and_in_order(written: list[tuple[str, list[bytes]]]) -> None:
    sent: list[Lines] = []
    outbox = Outbox(sent.append)
    for stream, lines in written:
        outbox.of(stream).write(b"".join(lines))
    for stream in ("active", "preview"):
        expected = b"".join(b"".join(lines) for name, lines in written if name == stream)
        assert b"".join(each.data for each in sent if each.stream == stream) == expected
    assert [each.number for each in sent] == list(range(1, len(sent) + 1))


def test_messages_are_bounded_and_have_whole_lines() -> None:
    sent: list[Lines] = []
    line = b"x" * 999 + b"\n"
    Outbox(sent.append).of("active").write(line * 1000)
    assert b"".join(each.data for each in sent) == line * 1000
    assert len(sent) == 4
    assert all(len(each.data) <= MOST_BYTES and each.data.endswith(b"\n") for each in sent)


def test_a_line_that_is_larger_than_a_message_is_sent_all_the_same() -> None:
    sent: list[Lines] = []
    large = b"y" * (MOST_BYTES + 5) + b"\n"
    Outbox(sent.append).of("active").write(b"a\n" + large + b"b\n")
    assert [each.data for each in sent] == [b"a\n", large, b"b\n"]


def test_no_more_is_sent_than_the_master_keeps_up_with_and_nothing_is_lost() -> None:
    sent: list[Lines] = []
    outbox = Outbox(sent.append)
    lines = [f"{number}\n".encode() for number in range(3 * MOST_UNDER_WAY)]
    for line in lines:
        outbox.of("active").write(line)
    assert len(sent) == MOST_UNDER_WAY
    outbox.known(10)
    assert len(sent) == MOST_UNDER_WAY + 10
    assert not outbox.is_empty
    while len(sent) < len(lines):
        outbox.known(len(sent))
    assert not outbox.is_empty
    outbox.known(len(sent))
    assert outbox.is_empty
    assert [each.data for each in sent] == lines
