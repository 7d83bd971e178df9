# SPDX-License-Identifier: MIT
"""Clients of connections that live long, many of them on one thread: each checks that nothing is lost, nothing comes
twice, and nobody closes."""

import json
import selectors
import threading

from websocket import TEXT, WebSocket, frame
from waiting import wait_until


class Echoer:
    """A WebSocket of /ws?who that always has one message under way: its answers count without a gap."""

    def __init__(self, server, index):
        self.client = server.connect()
        self.socket = self.client.socket
        self.web = WebSocket(self.client, "/ws?who")
        self.data, self.index = b"", index
        self.count, self.generations = 0, set()
        self.begin()

    def begin(self):
        """The next message, in two halves for some: a move may come between them."""
        data = frame(TEXT, b"x" * (self.index % 200))
        half = len(data) // 2 if self.index % 3 == 0 else len(data)
        self.socket.sendall(data[:half])
        self.rest = data[half:]

    def turn(self):
        if self.rest:
            self.socket.sendall(self.rest)
            self.rest = b""
        piece = self.socket.recv(65536)
        assert piece, f"WebSocket {self.index} was closed after {self.count} answers"
        self.data += piece
        while len(self.data) >= 2 and len(self.data) >= 2 + self.data[1]:
            assert self.data[0] == 0x80 | TEXT and self.data[1] < 126, self.data
            answer = json.loads(self.data[2:2 + self.data[1]])
            self.data = self.data[2 + self.data[1]:]
            self.count += 1
            assert answer["n"] == self.count, f"{answer} is answer {self.count}"
            self.generations.add(answer["generation"])
            self.begin()

    def idle(self):
        """Whatever half is left out is sent now."""
        if self.rest:
            self.socket.sendall(self.rest)
            self.rest = b""


class Listener:
    """A stream of /events: its ids count without a gap, and its chunks are sound."""

    def __init__(self, server, index, ms=10):
        self.client = server.connect()
        self.socket = self.client.socket
        self.client.send(f"GET /events?ms={ms} HTTP/1.1\r\nHost: a\r\n\r\n")
        self.index, self.count, self.generations = index, 0, set()
        self.data = b""
        while b"\r\n\r\n" not in self.data:
            self.data += self.read()
        self.head, self.data = self.data.split(b"\r\n\r\n", 1)
        assert self.head.startswith(b"HTTP/1.1 200 ") and b"chunked" in self.head, self.head
        self.text = b""

    def read(self):
        piece = self.socket.recv(65536)
        assert piece, f"stream {self.index} was closed after event {self.count}"
        return piece

    def turn(self):
        self.data += self.read()
        self.take()

    def take(self):
        while b"\r\n" in self.data:
            size, rest = self.data.split(b"\r\n", 1)
            size = int(size, 16)
            assert size > 0, f"stream {self.index} ended after event {self.count}"
            if len(rest) < size + 2:
                return
            assert rest[size:size + 2] == b"\r\n", rest[size:size + 10]
            self.text += rest[:size]
            self.data = rest[size + 2:]
        while b"\n\n" in self.text:
            event, self.text = self.text.split(b"\n\n", 1)
            if event != b":":
                self.event(dict(line.split(": ", 1) for line in event.decode().split("\n")))

    def event(self, fields):
        self.count += 1
        data = json.loads(fields["data"])
        assert int(fields["id"]) == data["n"] == self.count, f"{fields} is event {self.count}"
        self.generations.add(data["generation"])

    def idle(self):
        pass


class Crowd:
    """Many of them, served by one thread until the end of the `with`, which raises what one of them has seen."""

    def __init__(self, *members):
        self.members = members
        self.selector = selectors.DefaultSelector()
        self.failure, self.ended = None, False
        for member in members:
            member.socket.settimeout(30)
            self.selector.register(member.socket, selectors.EVENT_READ, member)
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while not self.ended:
                for key, _ in self.selector.select(0.02):
                    key.data.turn()
                for member in self.members:
                    member.idle()
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failed):
        self.ended = True
        self.thread.join()
        for member in self.members:
            member.client.close()
        if self.failure:
            raise self.failure

    def await_all(self, predicate, what):
        """Wait until each of them is so; what one of them has seen ends the wait."""

        def all_are():
            if self.failure:
                raise self.failure
            return all(predicate(member) for member in self.members)

        wait_until(all_are, what)

    def await_generation(self, generation):
        """Each has been served by it."""
        self.await_all(lambda member: generation in member.generations, f"generation {generation} serves all")
