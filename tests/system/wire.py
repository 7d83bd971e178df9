# SPDX-License-Identifier: MIT
"""The handover protocol as its document has it (docs/design/protocol.md), written a second time.

A test plays one side of it: the new generation, as a program in a release directory that goes a
number of steps and then does something bad; or the old one, with the demo as its new generation.
Numbers are repeated here on purpose: a change of the protocol that is no new version must fail a
test.
"""

import os
import socket
import struct

CRITICAL = 0x8000
HELLO, OFFER, READY, COMMIT, SERVING, RETIRED, TRIGGER, STOP, REFUSE = range(1, 10)

ANCESTOR, LET_GO, GIVE, TAKEN = 11, 17, 18, 19

TAG_LOWEST = CRITICAL | 1
TAG_HIGHEST = CRITICAL | 2
TAG_VERSION = 3
TAG_PROTOCOL = CRITICAL | 4
TAG_GENERATION = CRITICAL | 5
TAG_N_ITEMS = CRITICAL | 6
TAG_ITEM = CRITICAL | 7
TAG_ERROR = CRITICAL | 8
TAG_TAG = 9
TAG_PID = CRITICAL | 11
TAG_BATCH = CRITICAL | 13
TAG_ROOM = 14
TAG_REFUSED = 15
TAG_ITEM_KIND = CRITICAL | 16
TAG_ITEM_FD = CRITICAL | 17
TAG_ITEM_NAME = CRITICAL | 18
TAG_ITEM_ADDRESS = CRITICAL | 19
TAG_ITEM_VERSION = CRITICAL | 20
TAG_ITEM_FLAGS = CRITICAL | 21
TAG_ITEM_INPUT = CRITICAL | 22
TAG_ITEM_OUTPUT = CRITICAL | 23
TAG_ITEM_BYTES = CRITICAL | 24
TAG_ITEM_BULK = CRITICAL | 25

CONNECTION = 8


def field(tag, value):
    if isinstance(value, int):
        value = struct.pack("<I", value)
    elif isinstance(value, str):
        value = value.encode()
    return struct.pack("<HHI", tag, 0, len(value)) + value


def frame(kind, *fields):
    body = b"".join(fields)
    return struct.pack("<HHI", kind, 0, len(body)) + body


def hello(lowest=1, highest=1):
    return frame(
        HELLO, field(TAG_LOWEST, lowest), field(TAG_HIGHEST, highest), field(TAG_VERSION, "9.9.9")
    )


def offer(generation, items):
    """`items`: (descriptor number, name, address)."""
    coded = [
        field(
            TAG_ITEM,
            field(TAG_ITEM_KIND, 1)
            + field(TAG_ITEM_FD, number)
            + field(TAG_ITEM_NAME, name)
            + field(TAG_ITEM_ADDRESS, address),
        )
        for number, name, address in items
    ]
    return frame(
        OFFER,
        field(TAG_PROTOCOL, 1),
        field(TAG_GENERATION, struct.pack("<Q", generation)),
        field(TAG_N_ITEMS, len(items)),
        *coded,
    )


def ancestor(pid, generation):
    """It comes with its channel and its pidfd."""
    return frame(ANCESTOR, field(TAG_PID, pid), field(TAG_GENERATION, struct.pack("<Q", generation)))


def serving(room):
    """`room`: one more than the descriptors that are welcome."""
    return frame(SERVING, field(TAG_ROOM, room))


def taken(batch, refused="", room=1000):
    return frame(TAKEN, field(TAG_BATCH, batch), field(TAG_ROOM, room),
                 *([field(TAG_REFUSED, refused)] if refused else []))


def connection(kind, *fields):
    return field(TAG_ITEM, field(TAG_ITEM_KIND, CONNECTION) + field(TAG_ITEM_NAME, kind) + b"".join(fields))


def give(batch, *items):
    return frame(GIVE, field(TAG_BATCH, batch), *items)


def fields(data):
    """The type of a frame, and its fields: [(tag, value)]."""
    kind, _, length = struct.unpack_from("<HHI", data)
    assert length == len(data) - 8
    found, at = [], 8
    while at < len(data):
        tag, _, length = struct.unpack_from("<HHI", data, at)
        found.append((tag, data[at + 8:at + 8 + length]))
        at += 8 + length
    return kind, found


class Channel:
    """One end of a channel between two generations."""

    def __init__(self, end, timeout=None):
        self.socket = end
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.settimeout(timeout)

    def send(self, data):
        self.socket.send(data)

    def receive_whole(self):
        return self.socket.recv(65536)

    def send_fds(self, data, fds):
        socket.send_fds(self.socket, [data], fds)

    def receive_fds(self):
        """The next frame whole, and its descriptors."""
        data, fds, _, _ = socket.recv_fds(self.socket, 65536, 300)
        return data, fds

    def wait_for(self, kind):
        """The next frame of this type, taken apart, and its descriptors; others are passed over."""
        while True:
            data, fds = self.receive_fds()
            assert data, f"the end, before any frame {kind}"
            got, found = fields(data)
            if got == kind:
                return dict(found), fds

    def receive(self):
        """The type of the next frame, None at the end."""
        data = self.receive_whole()
        return struct.unpack_from("<H", data)[0] if data else None

    def expect(self, kind):
        got = self.receive()
        assert got == kind, f"frame {got} where {kind} was expected"

    def close(self):
        self.socket.close()


def inherited_channel():
    return Channel(socket.socket(fileno=int(os.environ["HOT_CHANNEL"])))


def peer_program(*steps):
    """A release, as a Python program: a new generation that does `steps` of this module's words."""
    here = os.path.dirname(os.path.abspath(__file__))
    lines = [
        "import os, signal, sys",
        f"sys.path.insert(0, {here!r})",
        "sys.dont_write_bytecode = True",
        "import wire",
        "channel = wire.inherited_channel()",
        "os.environ.clear()",
        *steps,
    ]
    return "\n".join(lines) + "\n"


SAY_HELLO = "channel.send(wire.hello())"
TAKE_OFFER = "channel.expect(wire.OFFER)"
SAY_READY = "channel.send(wire.frame(wire.READY))"
TAKE_COMMIT = "channel.expect(wire.COMMIT)"
SAY_SERVING = "channel.send(wire.frame(wire.SERVING))"
DIE = "os.kill(os.getpid(), signal.SIGKILL)"
HANG = "signal.pause()"
