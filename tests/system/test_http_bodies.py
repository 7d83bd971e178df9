# SPDX-License-Identifier: MIT
"""Bodies on their way: read as they arrive, sent from files and pipes; responses completed later; what a
handler is told when nobody waits any more; hooks before and after."""

import os
import re
import select
import signal
import socket

import pytest

import httpd as programs
from httpd import (await_inside, blob, chunked, exchange, go, head, read_to_end, read_until, statuses)
from waiting import wait_until

CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture
def httpd(household):
    return lambda *settings: programs.start(household, *settings)


def fill_until_blocked(client, piece=b"x" * 65536, quiet=0.5):
    """Send until neither the server nor the kernel has taken more for so long; return how much that was."""
    client.socket.setblocking(False)
    count = 0
    while select.select([], [client.socket], [], quiet)[1]:
        try:
            count += client.socket.send(piece)
        except BlockingIOError:
            pass
    client.socket.setblocking(True)
    client.socket.settimeout(30)
    return count


# -- requests --


@pytest.mark.parametrize("size", [0, 1, 65536, 3000000])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_is_read_as_it_arrives(httpd, size, framing):
    server = httpd()
    with server.connect() as client:
        if framing == "length":
            client.request("/received", method="POST", body=blob(size))
        else:
            client.send(head("/received", CHUNKED, method="POST"))
            client.send(chunked(blob(size), 10000))
        assert client.answer().body == f"{size} 0".encode()
        assert client.get("/any").status == 200, "the connection goes on"


def test_what_arrives_can_be_sent_back_before_the_next_arrives(httpd):
    with httpd().connect() as client:
        client.send(head("/mirror", CHUNKED, method="POST"))
        for word in (b"one", b"two", b"three"):
            client.send(b"%x\r\n%s\r\n" % (len(word), word))
            read_until(client, b"%x\r\n%s\r\n" % (len(word), word))
        client.send(b"0\r\n\r\n")
        read_until(client, b"0\r\n\r\n")


def test_the_handler_begins_before_the_body(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(head("/paced", "Content-Length: 10", "Expect: 100-continue", method="POST"))
        assert client.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"1")
        await_inside(server, 1)
        client.send(b"234567890")
        go(server)
        assert client.answer().body == b"9 0"


def test_a_client_waits_for_a_handler_that_does_not_read(httpd):
    server = httpd()
    size = 100 << 20
    with server.connect() as client:
        client.send(head("/paced", f"Content-Length: {size}", method="POST"))
        client.send(b"x")
        await_inside(server, 1)
        sent = 1 + fill_until_blocked(client)
        assert sent < size // 2, "the rest waits with the client"
        go(server)
        while sent < size:
            sent += client.socket.send(b"x" * min(1 << 20, size - sent))
        assert client.answer().body == f"{size - 1} 0".encode()


def test_a_body_that_is_not_read_ends_the_connection(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(head("/unread", "Content-Length: 500000", method="POST") + "x" * 100)
        data = read_to_end(client)
        assert statuses(data) == [200] and b"\r\nConnection: close\r\n" in data
    with server.connect() as client:
        client.request("/unread", method="POST", body=b"")
        assert client.answer().body == b"not read"
        assert client.get("/any").status == 200


def last(server):
    return server.get("/received-last").body.decode()


@pytest.mark.parametrize("rest, status, error", [
    (b"5\r\nhelloX", 400, -71),
    (b"ffffffff\r\n", 413, -90),
    (b"0\r\nHost: a\r\n\r\n", 400, -71),
], ids=["nonsense", "too much", "trailer"])
def test_a_body_that_turns_bad_is_refused_and_its_handler_told(httpd, rest, status, error):
    server = httpd()
    with server.connect() as client:
        client.send(head("/received", CHUNKED, method="POST") + "3\r\nabc\r\n")
        client.send(rest)
        assert statuses(read_to_end(client)) == [status]
    wait_until(lambda: last(server).endswith(f" {error}"), lambda: last(server))


def test_a_client_that_leaves_in_the_middle_is_told_to_the_handler(httpd):
    server = httpd()
    assert statuses(exchange(server, head("/received", "Content-Length: 10", method="POST") + "abc")) == [400]
    wait_until(lambda: last(server) == "3 -104", lambda: last(server))
    with server.connect() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.send(head("/received", "Content-Length: 10", method="POST") + "abcd")
        wait_until(lambda: len(server.current.threads()) > 1, "the handler runs")
    wait_until(lambda: re.fullmatch("[34] -104", last(server)), lambda: last(server))


def test_limits_of_a_body_that_is_read_as_it_arrives(httpd):
    server = httpd("body_size=10", "stream_size=1000")
    with server.connect() as client:
        client.request("/received", method="POST", body=b"x" * 1000)
        assert client.answer().body == b"1000 0"
    assert statuses(exchange(server, head("/received", "Content-Length: 1001", method="POST"))) == [413]


def test_a_stalled_body_times_out(httpd):
    server = httpd("read_ms=300")
    with server.connect() as client:
        client.send(head("/received", "Content-Length: 10", method="POST") + "abc")
        assert statuses(read_to_end(client)) == [408]
    wait_until(lambda: last(server) == "3 -110", lambda: last(server))


def test_a_body_that_dribbles_times_out_and_one_that_flows_does_not(httpd):
    server = httpd("read_ms=1500", "read_rate=10000")
    with server.connect() as client:
        client.send(head("/received", "Content-Length: 1000000", method="POST"))
        while not select.select([client.socket], [], [], 0.02)[0]:
            client.send(b"x")
        assert statuses(read_to_end(client)) == [408]
    with server.connect() as client:
        client.send(head("/received", "Content-Length: 40000", method="POST"))
        for _ in range(40):
            assert not select.select([client.socket], [], [], 0.05)[0]
            client.send(b"x" * 1000)
        assert client.answer().body == b"40000 0"


def test_time_that_the_handler_takes_is_not_the_clients(httpd):
    server = httpd("read_ms=1000")
    size = 4 << 20
    with server.connect() as client:
        client.send(head("/paced", f"Content-Length: {size}", method="POST"))
        client.send(b"x")
        await_inside(server, 1)
        sent = 1 + fill_until_blocked(client, quiet=1.2)  # longer than read_ms
        go(server)
        while sent < size:
            sent += client.socket.send(b"x" * min(1 << 20, size - sent))
        assert client.answer().body == f"{size - 1} 0".encode()


def test_trailers_of_a_request(httpd):
    with httpd().connect() as client:
        client.send(head("/trailers", CHUNKED, method="POST"))
        client.send(chunked(b"hello", 2, b"Digest: abc\r\n"))
        assert client.answer().body == b"abc"


# -- responses --


def test_trailers_of_a_response(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(head("/trailers"))
        data = read_until(client, b"\r\n\r\n4\r\nbody\r\n0\r\nDigest: abc\r\nCount: 4\r\n\r\n")
        assert b"\r\nTrailer: Digest\r\n" in data
        assert client.get("/any").status == 200
    data = exchange(server, "GET /trailers HTTP/1.0\r\n\r\n")
    assert data.endswith(b"\r\n\r\nbody"), "no chunks, no trailers"


@pytest.mark.parametrize("size, query, expected", [
    (0, "", slice(0, 0)), (10, "", slice(0, 10)), (10, "&offset=3", slice(3, 10)),
    (10, "&offset=3&length=4", slice(3, 7)), (10, "&length=0", slice(0, 0)), (5000000, "", slice(0, 5000000)),
])
def test_a_file_is_sent(httpd, tmp_path, size, query, expected):
    path = tmp_path / "file"
    path.write_bytes(blob(size))
    server = httpd()
    with server.connect() as client:
        for _ in range(2):
            answer = client.get(f"/file?path={path}{query}")
            assert answer.body == blob(size)[expected]
            assert answer.headers["Content-Length"] == str(len(answer.body))
        client.request(f"/file?path={path}{query}", method="HEAD")
        data = read_until(client, b"\r\n\r\n")
        assert f"Content-Length: {expected.stop - expected.start}".encode() in data
        assert client.get("/any").status == 200


@pytest.mark.parametrize("query", ["", "&offset=11", "&offset=5&length=6"])
def test_a_file_that_cannot_be_sent_is_an_error(httpd, tmp_path, query):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    assert httpd().get(f"/file?path={path if query else tmp_path}{query}").status == 500


def test_a_slow_reader_of_a_file_costs_no_memory_and_no_thread(httpd, tmp_path):
    path = tmp_path / "file"
    with open(path, "wb") as file:
        file.truncate(1 << 30)
    server = httpd()
    with server.connect() as client:
        client.send(head(f"/file?path={path}"))
        assert len(client.socket.recv(100000)) > 0
        assert server.get("/any").status == 200
        assert len(server.current.threads()) < 10


@pytest.mark.parametrize("size", [0, 1, 65536, 3000000])
@pytest.mark.parametrize("promised", [False, True])
def test_what_a_pipe_gives_is_sent(httpd, size, promised):
    with httpd().connect() as client:
        answer = client.get(f"/pipe?bytes={size}" + (f"&promised={size}" if promised else ""))
        assert answer.body == blob(size)
        assert ("Content-Length" in answer.headers) == promised
        assert client.get("/any").status == 200


def test_a_pipe_that_gives_less_than_was_promised_does_not_look_complete(httpd):
    with httpd().connect() as client:
        client.send(head("/pipe?bytes=5&promised=10"))
        data = b""
        try:
            while piece := client.socket.recv(1000):
                data += piece
        except ConnectionResetError:
            pass
    assert data.endswith(b"ABCDE")


def test_a_producer_may_have_nothing_for_a_while(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(head("/stalled"))
        read_until(client, b"\r\n\r\n")
        await_inside(server, 1)
        go(server)
        read_until(client, b"5\r\nthere\r\n0\r\n\r\n")
        assert client.get("/any").status == 200


def test_a_client_may_leave_while_a_producer_has_nothing(httpd):
    server = httpd()
    for _ in range(10):
        with server.connect() as client:
            client.send(head("/stalled"))
            read_until(client, b"\r\n\r\n")
    await_inside(server, 10)
    go(server)
    assert server.get("/any").status == 200


# -- later --


def test_a_response_is_completed_by_another_thread(httpd):
    server = httpd()
    clients = [server.connect() for _ in range(20)]
    for client in clients:
        client.request("/later")
    await_inside(server, 20)
    assert server.get("/any").status == 200, "the loop is free"
    go(server)
    for client in clients:
        assert client.answer().body == b"later\n"
        assert client.get("/any").status == 200
        client.close()


def test_a_later_response_may_come_in_pieces(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(head("/later-stream"))
        read_until(client, b"4\r\nnow\n\r\n")
        go(server)
        read_until(client, b"6\r\nlater\n\r\n0\r\n\r\n")
        assert client.get("/any").status == 200


@pytest.mark.parametrize("path", ["/later", "/later-stream"])
def test_a_later_response_whose_client_has_left_is_thrown_away(httpd, path):
    server = httpd()
    clients = [server.connect() for _ in range(5)]
    for client in clients:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.send(head(path))
    await_inside(server, 5)
    for client in clients:
        client.close()
    go(server)
    await_inside(server, 0)
    assert server.get("/any").status == 200


def test_a_stop_waits_for_a_later_response(httpd):
    server = httpd()
    with server.connect() as client, server.connect() as other:
        client.request("/later")
        await_inside(server, 1)
        server.current.signal(signal.SIGTERM)
        server.stopped = True
        server.log.wait_for(re.compile("stopping"))
        other.request("/go", method="POST", body=b"")
        assert other.answer().status == 200
        assert client.answer().body == b"later\n"
    assert server.current.wait_exit() == 0


def test_who_is_not_waited_for_any_more_is_told(httpd):
    server = httpd()
    assert statuses(exchange(server, head("/never"))) == [200], "a half-closed client still gets its answer"
    with server.connect() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.send(head("/never"))
    wait_until(lambda: server.get("/cancelled").body == b"2", "both were told")


def test_a_handler_that_takes_too_long_is_answered_for(httpd):
    server = httpd("handler_ms=300")
    with server.connect() as client:
        client.send(head("/gate"))
        data = read_to_end(client)
        assert statuses(data) == [503] and b"\r\nConnection: close\r\n" in data
    with server.connect() as client:
        client.send(head("/never"))
        assert statuses(read_to_end(client)) == [503]
    assert server.get("/cancelled").body == b"1"
    go(server)


def test_a_full_queue_is_503_with_retry_after(httpd):
    server = httpd("pool=2", "pool_queue=3")
    clients = [server.connect() for _ in range(5)]
    for client in clients:
        client.request("/gate")
    await_inside(server, 2)

    def refused():
        with server.connect() as client:
            client.request("/gate")
            answer = select.select([client.socket], [], [], 0.2)[0] and client.answer()
            return answer and answer.status == 503 and answer.headers["Retry-After"] == "1"

    wait_until(refused, "the queue is full")
    go(server)
    for client in clients:
        assert client.answer().body == b"through\n"
        client.close()


# -- hooks --


def test_hooks_before_and_after(httpd, tmp_path):
    server = httpd()
    answer = server.get("/any")
    assert (answer.status, answer.headers["X-Before"]) == (200, "yes")
    answer = server.get("/forbidden?a")
    assert (answer.status, answer.body) == (403, b"no\n")
    exchange(server, "nonsense\r\n\r\n")
    exchange(server, head("/produced?bytes=100"))
    exchange(server, head("/written?bytes=1000&piece=10"))
    for line in ("after GET /any 200 0 8", r"after GET /forbidden\?a 403 0 3", "after - - 400 0 16",
                 r"after GET /produced\?bytes=100 200 0 100", r"after GET /written\?bytes=1000&piece=10 200 0 1000"):
        server.log.wait_for(re.compile(f"^{line}$", re.MULTILINE))
    with server.connect() as client:
        client.send(head("/written?bytes=1000000000&piece=100000"))
        client.socket.recv(1000)
    server.log.wait_for(re.compile(r"^after GET /written\?bytes=1000000000&piece=100000 200 -\d+ \d+$",
                                   re.MULTILINE))
