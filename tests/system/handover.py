# SPDX-License-Identifier: MIT
"""Servers that hand live connections over, and clients that notice it if anything happens to theirs.

What the server is and how it is restarted is seen through its control socket, since these servers speak no HTTP.
"""

import hashlib
import os
import re
import select
import selectors
import socket
import threading

from command import hotstart, status_of
from process import Process
from server import BUILD
from waiting import Deadline, wait_until

CHAT = os.path.join(BUILD, "chat")
ECHOES = [name for name in ("echo_libevent", "echo_libuv") if os.path.exists(os.path.join(BUILD, name))]

# What the clients send, again and again, from a place of their own: no byte can be lost or come twice unnoticed.
BLOCK = hashlib.shake_128(b"an echo").digest(1 << 20)
STREAM = BLOCK + BLOCK
CHUNK = 16384


def program(name):
    return os.path.join(BUILD, name)


def start(household, path, *options, **kwargs):
    """Start one of the examples, and wait until it serves."""
    server = household.demo(*options, program=path, ready=False, **kwargs)
    server.await_listening()
    wait_until(lambda: phase_of(server.first) == "serving", "it serves")
    return server


def phase_of(process):
    """As the process has it, or None: it has no control socket yet, or any more."""
    try:
        return status_of(process).get("phase")
    except (FileNotFoundError, ConnectionError, TypeError, AttributeError):
        return None


def restart(server):
    """Restart, as an operator does; the new generation serves when this returns."""
    done = hotstart("restart", server.current.pid)
    assert done.status == 0, f"{done}\n{server.log.text()}"
    found = re.search(r"generation (\d+) serves: pid (\d+)", done.out)
    server.generation = int(found.group(1))
    server.processes[server.generation] = Process(int(found.group(2)))
    return server.current


def generations(process):
    """pid -> what the generation says of itself, as the one that serves has it."""
    return {row["pid"]: row for row in status_of(process)["generations"]}


def connected(process):
    """How many connections it has, those of the control socket left out."""
    rows = [row.kind for row in process.fd_table() if row.kind.startswith("socket AF_INET")]
    return sum(not kind.endswith("listening") for kind in rows)


class Stream:
    """One connection that sends and checks what comes back. Never opened again."""

    def __init__(self, address, number):
        family, sockaddr = address
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(Deadline().left())
        self.socket.connect(sockaddr)
        self.socket.setblocking(False)
        self.start = number * 7919 % len(BLOCK)
        self.sent = self.received = 0
        self.deaf = False  # does not read for a while
        self.ended = None  # why

    def fileno(self):
        return self.socket.fileno()

    def expected(self, place, length):
        at = (self.start + place) % len(BLOCK)
        return STREAM[at:at + length]

    def send(self, window):
        length = min(CHUNK, window - (self.sent - self.received))
        if length > 0:
            self.sent += self.socket.send(self.expected(self.sent, length))

    def is_stuck(self):
        """Is nothing taken from us any more?"""
        writable = select.select([], [self.socket], [], 0)[1]
        return self.deaf and not writable

    def receive(self):
        data = self.socket.recv(CHUNK)
        if not data:
            self.ended = "end of file"
        elif self.expected(self.received, len(data)) != data:
            self.ended = f"other bytes from {self.received} on"
        self.received += len(data)
        if self.received > self.sent:
            self.ended = "more came back than was sent"


class Streams:
    """`with Streams(server, 50) as streams:` lets bytes flow in both directions inside the block."""

    def __init__(self, server, number, window=40000):
        self.window = window
        self.streams = [Stream(server.address, i) for i in range(number)]
        self.over = self.quiet = self.changed = False
        self.errors = []
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        for stream in self.streams:
            stream.socket.close()
        assert not self.errors, self.errors

    def run(self):
        try:
            with selectors.DefaultSelector() as selector:
                for stream in self.streams:
                    selector.register(stream, selectors.EVENT_READ | selectors.EVENT_WRITE, stream)
                while not self.over:
                    for key, events in selector.select(0.02):
                        self.serve(selector, key.data, events)
                    if self.changed:
                        self.changed = False
                        for stream in self.alive():
                            self.serve(selector, stream, 0)
        except BaseException as error:  # whoever waits for us has to know
            self.errors.append(repr(error))

    def serve(self, selector, stream, events):
        try:
            if events & selectors.EVENT_READ and not stream.deaf:
                stream.receive()
            if events & selectors.EVENT_WRITE and not self.quiet and not stream.ended:
                stream.send(self.window)
        except BlockingIOError:
            pass
        except OSError as error:
            stream.ended = repr(error)
        if stream.ended:
            selector.unregister(stream)
        else:
            full = self.quiet or stream.sent - stream.received >= self.window
            wanted = (0 if stream.deaf else selectors.EVENT_READ) | (0 if full else selectors.EVENT_WRITE)
            if selector.get_key(stream).events != wanted:
                selector.modify(stream, wanted or selectors.EVENT_WRITE, stream)  # none is not allowed

    def deafen(self, deaf):
        """Nobody reads any more, or again."""
        for stream in self.streams:
            stream.deaf = deaf
        self.changed = True

    def alive(self):
        return [stream for stream in self.streams if not stream.ended]

    def wait_progress(self, length=100000):
        """Wait until every connection has got `length` bytes more, or has ended."""
        marks = [(stream, stream.received + length) for stream in self.streams]

        def done():
            assert not self.errors, self.errors
            return all(stream.ended or stream.received >= mark for stream, mark in marks)

        wait_until(done, lambda: "bytes flow: " + str(
            [(s.sent, s.received) for s, mark in marks if not s.ended and s.received < mark]))

    def finish(self):
        """Send no more; wait until all that was sent is back on the connections that are left."""
        self.quiet = True

        def done():
            assert not self.errors, self.errors
            return all(stream.ended or stream.received == stream.sent for stream in self.streams)

        wait_until(done, lambda: "all is back: " + str(
            [(s.sent, s.received) for s in self.alive() if s.sent != s.received]))

    def resume(self):
        """Send again, after finish()."""
        self.quiet = False
        self.changed = True

    def failures(self):
        return [stream.ended for stream in self.streams if stream.ended]


class Chatter:
    """A client of the chat, that reads when it is asked to."""

    def __init__(self, server, nick, room, receive_buffer=0):
        family, sockaddr = server.address
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(Deadline().left())
        self.socket.connect(sockaddr)
        self.file = self.socket.makefile("rb")
        self.nick, self.room = nick, room
        self.say(f"NICK {nick}", f"JOIN {room}")
        self.read_until(lambda line: line == f"* {nick} joins {room}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def say(self, *lines):
        self.socket.sendall("".join(line + "\n" for line in lines).encode())

    def line(self):
        line = self.file.readline()
        assert line.endswith(b"\n"), f"{self.nick}: the end, behind {line!r}"
        return line.decode()[:-1]

    def read_until(self, is_last):
        lines = []
        while not lines or not is_last(lines[-1]):
            lines.append(self.line())
        return lines

    def who(self):
        """The nicks in the room, and the generation that says so."""
        self.say("WHO")
        lines = self.read_until(lambda line: re.match(r"= \d+ here", line))
        number, generation = re.match(r"= (\d+) here, generation (\d+)", lines[-1]).groups()
        names = [line[2:] for line in lines[:-1] if line.startswith("= ")]
        assert len(names) == int(number)
        return sorted(names), int(generation)
