# SPDX-License-Identifier: MIT
"""HTTP/2, WebSockets and streams of events: each fault has one class, and what is merely a reconnect is one."""
import pytest

from loadrun import failed, reconnects, run
from speakers import DEPTH, Speaker, events, http2, websocket

BATCHES = 3
MESSAGES = BATCHES * DEPTH
# A stream that is opened is one record, each of its events is one.
STREAMS, EVENTS = 3, 4

HTTP2 = [
    # mode, failed requests, unserved, reconnects
    ("good", {}, 0, {}),
    ("backwards", {}, 0, {}),
    ("goaway", {}, MESSAGES // 2, {"goaway": BATCHES}),
    ("goaway-after", {}, 0, {"goaway": BATCHES}),
    ("promised", {"cut": MESSAGES - BATCHES}, 0, {"goaway": BATCHES}),
    ("silent", {"reset": MESSAGES}, 0, {"other": BATCHES}),
    ("close-after", {}, 0, {"idle": BATCHES}),
    ("cut", {"cut": BATCHES}, 0, {"other": BATCHES}),
    ("refuse", {"reset": 1, "keepalive_race": BATCHES - 1}, 0, {}),
    ("status", {"wrong_status": MESSAGES}, 0, {}),
]

WEBSOCKET = [
    ("good", {}, {}),
    ("greeting", {}, {}),
    ("ping", {}, {}),
    ("gap", {"gap": BATCHES}, {}),
    ("twice", {"duplicate": BATCHES}, {}),
    ("wrong", {"wrong_bytes": BATCHES}, {}),
    ("close", {}, {"close_frame": BATCHES}),
    ("last-lost", {"keepalive_race": BATCHES}, {"close_frame": BATCHES}),
    ("eof", {}, {"idle": BATCHES}),
    ("no", {"wrong_status": MESSAGES}, {"other": BATCHES}),
    ("wrong-key", {"malformed": MESSAGES}, {"other": BATCHES}),
]


def sent(summary):
    return summary["requests"]["sent"]


def check_reconnects(summary, expected):
    """The last close may come when the client has already finished."""
    kinds = reconnects(summary)
    assert set(kinds) <= set(expected)
    assert all(n - 1 <= kinds.get(kind, 0) <= n for kind, n in expected.items()), kinds


@pytest.mark.parametrize("mode,expected,unserved,reconnected", HTTP2, ids=[row[0] for row in HTTP2])
def test_http2(mode, expected, unserved, reconnected):
    with Speaker(http2, mode) as target:
        summary = run(target, "--profile", f"http2:requests={MESSAGES},think=1-2")
    assert failed(summary) == expected
    assert sent(summary) == MESSAGES
    assert summary["requests"]["unserved"] == unserved
    check_reconnects(summary, reconnected)


def test_what_is_no_http2_is_malformed_or_never_answered():
    with Speaker(http2, "garbage") as target:
        summary = run(target, "--profile", f"http2:requests={DEPTH}")
    assert set(failed(summary)) <= {"malformed", "reset", "cut"}
    assert summary["requests"]["ok"] == 0


@pytest.mark.parametrize("mode,expected,reconnected", WEBSOCKET, ids=[row[0] for row in WEBSOCKET])
def test_websocket(mode, expected, reconnected):
    with Speaker(websocket, mode) as target:
        summary = run(target, "--profile", f"websocket:requests={MESSAGES},think=20-20")
    assert failed(summary) == expected
    assert sent(summary) == MESSAGES + expected.get("duplicate", 0)
    check_reconnects(summary, reconnected)


def test_messages_under_a_reset_are_lost_in_the_race():
    """They were on their way when the server had had enough."""
    with Speaker(websocket, "reset") as target:
        summary = run(target, "--profile", f"websocket:requests={2 * DEPTH},think=1-2")
    assert failed(summary) == {"keepalive_race": DEPTH}
    assert reconnects(summary) == {"other": 1}


def of_events(requests):
    return f"events:requests={requests}"


def test_events_are_counted_and_their_orderly_end_is_a_reconnect():
    with Speaker(events, "good") as target:
        summary = run(target, "--profile", of_events(STREAMS * (1 + EVENTS)))
    assert failed(summary) == {}
    assert summary["requests"]["ok"] == STREAMS * (1 + EVENTS)
    assert reconnects(summary) == {"stream_end": STREAMS - 1}


@pytest.mark.parametrize("mode,expected", [
    ("gap", "gap"),
    ("twice", "duplicate"),
    ("eof", "cut"),
    ("inside", "cut"),
])
def test_what_is_wrong_with_a_stream_has_its_class(mode, expected):
    with Speaker(events, mode) as target:
        summary = run(target, "--profile", of_events(STREAMS * (1 + EVENTS)))
    assert set(failed(summary)) == {expected}


def test_numbers_that_begin_again_with_each_connection_are_no_fault():
    with Speaker(events, "per-connection") as target:
        summary = run(target, "--profile", of_events(STREAMS * (1 + EVENTS)))
    assert failed(summary) == {}


def test_what_is_no_stream_is_a_wrong_status():
    with Speaker(events, "no") as target:
        summary = run(target, "--profile", of_events(2))
    assert failed(summary) == {"wrong_status": 2}


def test_a_stream_that_goes_on_is_left_when_the_load_stops():
    """Nothing is under way on it that would have to be waited for."""
    with Speaker(events, "open") as target:
        summary = run(target, "--duration", "0.2", "--profile", "events:clients=2")
    assert failed(summary) == {}
    assert summary["requests"]["ok"] >= 2 * (1 + EVENTS)
