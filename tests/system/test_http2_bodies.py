# SPDX-License-Identifier: MIT
"""Bodies over HTTP/2: what test_http_bodies.py asks of HTTP/1, stream by stream."""

import pytest

import httpd as programs
from http2 import Http2Client, frames, request
from httpd import blob, go
from waiting import wait_until

NO_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, CANCEL = 0, 2, 3, 8


@pytest.fixture
def httpd(household):
    return lambda *settings: programs.start(household, *settings)


def connect(server, **kwargs):
    return Http2Client(server.address, **kwargs)


def send_body(client, number, body, piece=16000):
    """As far as the windows allow, which the server opens as it reads."""
    sent = 0
    while sent < len(body):
        room = min(client.send_window, client.stream_window(number), piece)
        if room <= 0:
            client.receive()
            continue
        end = sent + room >= len(body)
        client.data(number, body[sent:sent + room], end=end)
        client.spend(number, len(body[sent:sent + room]))
        sent += room


@pytest.mark.parametrize("size", [0, 1, 65536, 3000000])
def test_a_body_is_read_as_it_arrives(httpd, size):
    with connect(httpd()) as client:
        client.wait(lambda: client.settings)
        number = client.open(request("/received", "POST"), end=size == 0)
        send_body(client, number, blob(size))
        assert client.answer(number).body == f"{size} 0".encode()


def test_what_arrives_can_be_sent_back_before_the_next_arrives(httpd):
    with connect(httpd()) as client:
        number = client.open(request("/mirror", "POST"), end=False)
        said = b""
        for word in (b"one", b"two", b"three"):
            client.data(number, word)
            said += word
            client.wait(lambda: client.stream(number).body == said)  # noqa: B023
        client.data(number, end=True)
        assert client.answer(number).status == "200"


def test_a_client_waits_for_a_handler_that_does_not_read_and_for_no_other(httpd):
    server = httpd()
    with connect(server) as client:
        client.wait(lambda: client.settings)
        number = client.open(request("/paced", "POST"), end=False)
        while client.stream_window(number) > 0:
            room = min(client.send_window, client.stream_window(number), 16000)
            if room <= 0:
                client.receive()
                continue
            client.data(number, room * b"x")
            client.spend(number, room)
        assert client.ask(request("/any")).status == "200"
        assert client.stream_window(number) == 0, "it is not read"
        go(server)
        client.wait(lambda: client.stream_window(number) > 0)
        client.data(number, b"end", end=True)
        assert client.answer(number).status == "200"


def test_who_sends_more_than_its_window_is_stopped(httpd):
    """RFC 9113 section 6.9.1; the handler does not read, so that the window stays as it is."""
    server = httpd()
    with connect(server) as client:
        client.wait(lambda: client.settings)
        number = client.open(request("/paced", "POST"), end=False)
        for _ in range(2 * client.initial_window // 16000):
            client.data(number, 16000 * b"x")
        client.wait(lambda: client.stream(number).done or client.goaways or client.closed)
        codes = [code for _, code in client.goaways]
        assert client.stream(number).reset == FLOW_CONTROL_ERROR or codes == [FLOW_CONTROL_ERROR]
    go(server)


def test_a_body_that_is_not_read_ends_its_stream_only(httpd):
    with connect(httpd()) as client:
        number = client.open(request("/unread", "POST"), end=False)
        client.data(number, b"some")
        assert client.answer(number).ended
        client.wait(lambda: client.stream(number).reset is not None)
        assert client.stream(number).reset == NO_ERROR
        assert client.ask(request("/any")).status == "200"


def test_a_client_that_resets_in_the_middle_is_told_to_the_handler(httpd):
    server = httpd()
    with connect(server) as client:
        number = client.open(request("/received", "POST"), end=False)
        client.data(number, b"some")
        client.frame(frames.RstStreamFrame(number, CANCEL))
        wait_until(lambda: client.ask(request("/received-last")).body.startswith(b"4 -"), "it is told")


def test_a_deferred_response_and_one_in_pieces(httpd):
    server = httpd()
    with connect(server) as client:
        later = client.open(request("/later"))
        assert client.ask(request("/any")).status == "200"
        go(server)
        assert client.answer(later).status == "200"
        pieces = client.open(request("/later-stream"))
        go(server)
        assert client.answer(pieces).ended and client.stream(pieces).status == "200"


def test_a_stream_is_flushed_and_ends(httpd):
    server = httpd()
    with connect(server) as client:
        number = client.open(request("/flushed"))
        client.wait(lambda: client.stream(number).body == b"one\n")
        go(server)
        assert client.answer(number).body == b"one\ntwo\n"
        head = client.open(request("/flushed", "HEAD"))
        go(server)
        assert client.answer(head).body == b"" and client.stream(head).status == "200"


@pytest.mark.parametrize("path", ["/short", "/torn"])
def test_what_breaks_off_does_not_look_complete(httpd, path):
    with connect(httpd()) as client:
        stream = client.ask(request(path))
        assert (stream.ended, stream.reset) == (False, INTERNAL_ERROR)
        assert client.ask(request("/any")).status == "200"


def test_a_file_and_a_pipe(httpd, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(blob(300000))
    with connect(httpd()) as client:
        stream = client.ask(request(f"/file?path={path}&offset=5&length=200000"))
        assert stream.body == blob(300000)[5:200005]
        assert stream.headers["content-length"] == "200000"
        assert len(client.ask(request("/pipe?bytes=500000")).body) == 500000


def test_trailers_in_both_directions(httpd):
    with connect(httpd()) as client:
        stream = client.ask(request("/trailers"))
        assert (stream.body, stream.trailers) == (b"body", {"digest": "abc", "count": "4"})
        number = client.open(request("/trailers", "POST"), end=False)
        client.frame(frames.HeadersFrame(number, client.encoder.encode([("digest", "xyz")])),
                     "END_HEADERS", "END_STREAM")
        assert client.answer(number).body == b"xyz"


def test_a_handler_that_never_answers_is_answered_for(httpd):
    server = httpd("handler_ms=200")
    with connect(server) as client:
        assert client.ask(request("/never")).status == "503"
        wait_until(lambda: client.ask(request("/cancelled")).body == b"1", "it is told")


def test_a_request_that_is_reset_is_cancelled(httpd):
    with connect(httpd()) as client:
        number = client.open(request("/never"))
        client.frame(frames.RstStreamFrame(number, CANCEL))
        wait_until(lambda: client.ask(request("/cancelled")).body == b"1", "it is told")
