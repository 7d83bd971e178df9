# SPDX-License-Identifier: MIT
"""State that a server on HTTP hands over: tests/httpd and its word."""

import re
import signal

import pytest

import httpd as programs


@pytest.fixture
def httpd(household):
    return lambda *settings: programs.start(household, *settings)


def say(server, word):
    with server.connect() as client:
        client.request("/word", method="POST", body=word, headers=["Connection: close"])
        assert client.answer().status == 200


def restart(server, line):
    offset = server.log.size()
    server.current.signal(signal.SIGUSR2)
    server.log.wait_for(re.compile(line), offset)


def test_the_newest_word_is_known_when_the_next_generation_serves(httpd):
    server = httpd()
    say(server, b"hello")
    assert server.get("/word").body == b"0 hello"
    restart(server, r"serving on .*generation 2")
    assert server.get("/word").body == b"2 hello"


def test_a_generation_that_refuses_its_state_does_not_serve(httpd):
    server = httpd()
    say(server, b"bad")
    restart(server, r"rolled back: .*refused what it was offered")
    assert server.get("/word").body == b"0 bad"
    say(server, b"good")
    restart(server, r"serving on .*generation 2")
    assert server.get("/word").body == b"2 good"
