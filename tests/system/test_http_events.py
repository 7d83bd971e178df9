# SPDX-License-Identifier: MIT
"""Server-sent events: their format, heartbeats, slow and vanished clients, and their end."""

import signal
import socket

import pytest

import httpd as programs
from httpd import exchange, head, statuses
from waiting import wait_until


@pytest.fixture
def httpd(household):
    return lambda *settings: programs.start(household, *settings)


def tell(server, text):
    with server.connect() as client:
        client.request("/tell", method="POST", body=text.encode(), headers=["Connection: close"])
        result, ended = client.answer().body.split()
        return int(result), int(ended)


def read_past(client, needle):
    """Read until it has come. Heartbeats may come before and behind it."""
    data = b""
    while needle not in data:
        piece = client.socket.recv(65536)
        assert piece, data
        data += piece
    return data


def subscribe(client, *fields):
    client.send(head("/events", "Accept: text/event-stream", *fields))
    top = read_past(client, b"\n\n\r\n")
    assert b"\r\nContent-Type: text/event-stream\r\n" in top and b"\r\nCache-Control: no-store\r\n" in top
    return top.split(b"\r\n\r\n", 1)[1]


def test_events_arrive_as_they_are_sent(httpd):
    server = httpd()
    with server.connect() as client:
        assert b"event: welcome\nid: 0\ndata: first\n\n\r\n" in subscribe(client)
        for text, lines in (("one", b"data: one\n\n"), ("a\nb\r\nc\rd", b"data: a\ndata: b\ndata: c\ndata: d\n\n"),
                            ("", b"data: \n\n")):
            assert tell(server, text)[0] == 0
            read_past(client, lines + b"\r\n")
        assert tell(server, "end") == (-2, 0)
        read_past(client, b"0\r\n\r\n")
        assert client.get("/any").status == 200, "the connection goes on"
    assert tell(server, "late") == (-32, 1)


def test_a_client_that_comes_back_says_what_it_had(httpd):
    with httpd().connect() as client:
        assert b"data: 41\n\n" in subscribe(client, "Last-Event-ID: 41")


def test_silence_has_heartbeats(httpd):
    server = httpd()
    with server.connect() as client:
        subscribe(client)
        read_past(client, b"3\r\n:\n\n\r\n")
        read_past(client, b"3\r\n:\n\n\r\n")
        assert tell(server, "alive")[0] == 0
        read_past(client, b"data: alive\n\n\r\n")


def test_a_client_that_has_gone_is_noticed_by_the_heartbeat(httpd):
    server = httpd()
    with server.connect() as client:
        subscribe(client)
    wait_until(lambda: tell(server, "x") == (-32, 1), "its stream has ended")


def test_a_client_that_does_not_read_fills_its_queue_only(httpd):
    server = httpd()
    with server.connect() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        subscribe(client)
        wait_until(lambda: tell(server, "x" * 15000)[0] == -11, "the queue is full")
        assert server.get("/any").status == 200


def test_head_and_http_1_0(httpd):
    server = httpd()
    data = exchange(server, head("/events", method="HEAD"))
    assert statuses(data) == [200] and data.endswith(b"\r\n\r\n")
    with server.connect() as client:
        client.send("GET /events HTTP/1.0\r\n\r\n")
        data = read_past(client, b"data: first\n\n")
        assert b"chunked" not in data
        tell(server, "end")
        assert programs.read_to_end(client).replace(b":\n\n", b"") == b""


def test_a_stop_ends_it_in_order(httpd):
    server = httpd()
    with server.connect() as client:
        subscribe(client)
        server.current.signal(signal.SIGTERM)
        server.stopped = True
        assert programs.read_to_end(client).replace(b"3\r\n:\n\n\r\n", b"") == b"0\r\n\r\n"
    assert server.current.wait_exit() == 0
