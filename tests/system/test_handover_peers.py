# SPDX-License-Identifier: MIT
"""Generations that misbehave when connections move: a new one, or an old one, that speaks as it likes."""

import errno
import fcntl
import os
import re
import signal
import socket

import pytest

import wire
from handover import ECHOES, Streams, connected, phase_of, program, start
from process import Process, inheriting, keys
from test_inherit import listener
from waiting import Deadline, Log, wait_until

pytestmark = pytest.mark.skipif(not ECHOES, reason="neither libevent nor libuv (tools/deps test)")

N = 10
F_ADD_SEALS = 1033
SHRINK = 0x2
ALL_SEALS = 0x1 | SHRINK | 0x4 | 0x8
BEGIN = [wire.SAY_HELLO, wire.TAKE_OFFER, wire.SAY_READY, wire.TAKE_COMMIT]
SERVE = "channel.send(wire.serving(1000))"
TAKE = "frame, fds = channel.wait_for(wire.GIVE)"
TELL = "print('puppet', os.getpid(), 'is done', file=sys.stderr, flush=True)"
# As many batches as there are: connections with output of their own do not all fit the first.
REFUSE_EACH = """
while True:
    frame, fds = channel.wait_for(wire.GIVE)
    batch = int.from_bytes(frame[wire.TAG_BATCH], "little")
    channel.send(wire.taken(batch, ",".join(f"{n}:11" for n in range(len(fds)))))
"""
LOOK = "import select; select.select([channel.socket], [], [])"  # something has come, and stays there


def say(frame):
    return f"channel.send({frame!r})"


def say_with_descriptor(frame):
    return f"channel.send_fds({frame!r}, [0])"


# What it does after R7, while the old generation has connections to give.
MISBEHAVIOURS = {
    "reads and never answers": [SERVE, TAKE],
    "never reads": [SERVE, LOOK],
    "takes none": ["channel.send(wire.frame(wire.SERVING))"],
    "has no room": ["channel.send(wire.serving(1))"],
    "refuses all": [SERVE, TAKE, "channel.send(wire.taken(1, ','.join(f'{n}:11' for n in range(len(fds)))))"],
    "refuses some": [SERVE, TAKE, "channel.send(wire.taken(1, '0:24,3:11'))"],
    "answers twice": [SERVE, TAKE, say(wire.taken(1)), say(wire.taken(1))],
    "answers twice, and otherwise": [SERVE, TAKE, say(wire.taken(1, "0:24")), say(wire.taken(1))],
    "answers an unknown batch": [SERVE, TAKE, say(wire.taken(77))],
    "answers what it was not given": [say(wire.serving(1)), say(wire.taken(1))],
    "refuses what is not there": [SERVE, TAKE, "channel.send(wire.taken(1, f'{len(fds)}:24'))"],
    "refuses one twice": [SERVE, TAKE, say(wire.taken(1, "0:24,0:24"))],
    "refuses without a reason": [SERVE, TAKE, say(wire.taken(1, "0:0"))],
    "refuses in other words": [SERVE, TAKE, say(wire.taken(1, "none of it, thank you"))],
    "refuses a number without end": [SERVE, TAKE, say(wire.taken(1, "9" * 400 + ":24"))],
    "gives": [SERVE, TAKE, say(wire.give(1))],
    "answers with a descriptor": [SERVE, TAKE, say_with_descriptor(wire.taken(1))],
    "breaks off an answer": [SERVE, TAKE, say(wire.taken(1)[:-3])],
    "answers no batch": [SERVE, TAKE, say(wire.frame(wire.TAKEN, wire.field(wire.TAG_ROOM, 9)))],
    "answers batch 0": [SERVE, TAKE, say(wire.taken(0))],
    "closes the channel": [SERVE, TAKE, "channel.close()"],
    "has room for four thousand million": [SERVE, TAKE, say(wire.taken(1, room=0xffffffff)), TAKE],
}


@pytest.fixture(params=ECHOES[:1])
def echo(request):
    return program(request.param)


def replace_with(server, releases, *steps):
    """The next release goes so far, says that it is done, and hangs. Returns its process."""
    releases.python("puppet", wire.peer_program(*BEGIN, *steps, TELL, wire.HANG))
    releases.switch("puppet")
    server.current.signal(signal.SIGUSR2)
    return Process(int(server.log.wait_for(re.compile(r"puppet (\d+) is done"))[1]))


@pytest.mark.parametrize("what", MISBEHAVIOURS)
def test_a_receiver_that_misbehaves_and_dies_costs_no_connection(household, releases, echo, what):
    """In the probation: what it had is served again, since it has touched nothing."""
    steps = list(MISBEHAVIOURS[what])
    if what.startswith("has room for four"):
        steps.pop()
    releases.install("echo", echo)
    releases.switch("echo")
    server = start(household, releases.current, "--probation", 100)
    with Streams(server, N) as streams:
        streams.wait_progress(2000)
        streams.finish()
        table = sorted(keys(server.current.fd_table()))
        with replace_with(server, releases, *steps) as puppet:
            puppet.kill()
            wait_until(lambda: phase_of(server.current) == "serving", "the old one serves again")
        streams.resume()
        streams.wait_progress(2000)
        streams.finish()
        assert streams.failures() == []
        assert connected(server.current) == N
        without = [[row[1:] for row in one] for one in (table, sorted(keys(server.current.fd_table())))]
        assert sorted(without[0]) == sorted(without[1])
    releases.switch("echo")


def test_who_is_refused_is_served_while_the_other_one_lives(household, releases, echo):
    releases.install("echo", echo)
    releases.switch("echo")
    server = start(household, releases.current, "--probation", 100)
    with Streams(server, N) as streams:
        streams.wait_progress(2000)
        with replace_with(server, releases, SERVE, TELL, REFUSE_EACH) as puppet:
            streams.wait_progress(2000)
            puppet.kill()
            streams.wait_progress(2000)
        streams.finish()
        assert streams.failures() == []


def test_what_a_dead_one_has_touched_is_not_served_again(household, releases, echo):
    """One is read from, one is written to: their bytes are not what the copy believes."""
    releases.install("echo", echo)
    releases.switch("echo")
    server = start(household, releases.current, "--probation", 100)
    with Streams(server, N) as streams:
        streams.wait_progress(2000)
        streams.finish()
        touch = ["import socket", "ours = [socket.socket(fileno=fd) for fd in fds]", say(wire.taken(1)),
                 "ours[4].send(b'surprise')"]
        with replace_with(server, releases, SERVE, TAKE, *touch) as puppet:
            wait_until(lambda: len(streams.failures()) == 1, "the client has read it")
            puppet.kill()
            wait_until(lambda: phase_of(server.current) == "serving", "the old one serves again")
        assert streams.failures()[0].startswith("other bytes") or "more came back" in streams.failures()[0]
        streams.resume()
        streams.wait_progress(2000)
        streams.finish()
        assert len(streams.alive()) == N - 1 == connected(server.current)


def test_a_receiver_that_is_gone_after_it_owns_everything_costs_what_it_had(household, releases, echo):
    """Without a probation: what it accepted is lost, what it did not is served until the drain deadline."""
    releases.install("echo", echo)
    releases.switch("echo")
    server = start(household, releases.current)
    with Streams(server, N) as streams:
        streams.wait_progress(2000)
        streams.finish()
        steps = [SERVE, TAKE, "channel.send(wire.taken(1, '0:24,3:11'))"]
        with replace_with(server, releases, *steps) as puppet:
            puppet.kill()
        wait_until(lambda: len(streams.alive()) == 2, "the others are closed")
        streams.resume()
        streams.wait_progress(2000)
        streams.finish()
        assert len(streams.alive()) == 2
    assert server.current.wait_exit() == 0
    server.stopped = True


def test_an_unread_batch_comes_back_after_the_retirement(household, releases, echo):
    releases.install("echo", echo)
    releases.switch("echo")
    server = start(household, releases.current)
    with Streams(server, N) as streams:
        streams.wait_progress(2000)
        with replace_with(server, releases, SERVE, "channel.wait_for(wire.RETIRED)", "channel.close()"):
            streams.wait_progress(2000)
        streams.finish()
        assert streams.failures() == []
    assert server.current.wait_exit() == 0
    household.abandon()
    server.stopped = True


class OldGeneration:
    """This process as the old generation of an echo server, with connections to give."""

    generation = 8

    def __init__(self, household, path):
        self.listener = listener()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel = wire.Channel(ours, Deadline().left())
        self.log = Log(os.path.join(household.directory, "new.log"))
        address = "tcp://127.0.0.1:{}".format(self.listener.getsockname()[1])
        variables = {"HOT_CHANNEL": "4", "HOT_GENERATION": str(self.generation), "LISTEN_FDS": "1",
                     "LISTEN_FDNAMES": "echo"}
        with theirs:
            self.process = household.start(
                [path, "--listen", address], self.log,
                **inheriting(self.listener.fileno(), theirs.fileno(), **variables))
        self.channel.expect(wire.HELLO)
        self.channel.send(wire.offer(self.generation, [(3, "echo", address)]))
        self.channel.expect(wire.READY)
        self.channel.send(wire.frame(wire.COMMIT))
        frame, _ = self.channel.wait_for(wire.SERVING)
        assert int.from_bytes(frame[wire.TAG_ROOM], "little") > 100
        self.batch = 0

    def pair(self):
        """A TCP connection: the client's end, and what its server would have accepted."""
        with socket.create_server(("127.0.0.1", 0)) as one:
            client = socket.create_connection(one.getsockname(), Deadline().left())
            return client, one.accept()[0]

    def give(self, *items, fds=()):
        """Returns what it refuses: {place: errno}."""
        self.batch += 1
        self.channel.send_fds(wire.give(self.batch, *items), [getattr(fd, "fileno", lambda fd=fd: fd)() for fd in fds])
        frame, _ = self.channel.wait_for(wire.TAKEN)
        assert int.from_bytes(frame[wire.TAG_BATCH], "little") == self.batch
        text = frame.get(wire.TAG_REFUSED, b"").decode()
        return {int(k): int(v) for k, v in (pair.split(":") for pair in text.split(",") if pair)}

    def serves(self):
        with socket.create_connection(self.listener.getsockname(), Deadline().left()) as client:
            return echoes(client)

    def close(self):
        self.channel.close()
        self.listener.close()
        self.process.kill()  # it waits for the one before it, that is us, to retire
        self.process.wait_exit()
        self.log.close()


def echoes(client, text=b"are you there?"):
    client.sendall(text)
    got = b""
    while len(got) < len(text):
        chunk = client.recv(65536)
        if not chunk:
            return False
        got += chunk
    return got == text


@pytest.fixture(params=ECHOES)
def old(household, request):
    generation = OldGeneration(household, program(request.param))
    yield generation
    generation.close()


def test_what_travels_with_a_connection_arrives(old):
    client, ours = old.pair()
    with client, ours:
        client.sendall(b"in the kernel")
        item = wire.connection("echo", wire.field(wire.TAG_ITEM_INPUT, 4), wire.field(wire.TAG_ITEM_OUTPUT, 6),
                               wire.field(wire.TAG_ITEM_BYTES, b"read" + b"unsent"))
        assert old.give(item, fds=[ours]) == {}
        ours.close()
        got = b""
        while len(got) < 23:
            got += client.recv(100)
        assert got == b"unsentreadin the kernel"
        assert echoes(client)


def sealed(size, seals):
    memory = os.memfd_create("bytes", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(memory, b"b" * size)
    fcntl.fcntl(memory, F_ADD_SEALS, seals)
    return memory


def test_bulk_is_taken_only_from_memory_that_cannot_change(old):
    cases = [(70000, 70000, ALL_SEALS, True), (70000, 70000, 0, False), (70000, 70000, ALL_SEALS & ~SHRINK, False),
             (70000, 70001, ALL_SEALS, False), (10, 70000, ALL_SEALS, False)]
    for size, claimed, seals, is_taken in cases:
        client, ours = old.pair()
        item = wire.connection("echo", wire.field(wire.TAG_ITEM_OUTPUT, 20000), wire.field(wire.TAG_ITEM_BULK, claimed))
        memory = sealed(size, seals)
        with client, ours:
            answer = old.give(item, fds=[ours, memory])
            os.close(memory)
            assert (answer == {}) == is_taken, (size, claimed, seals, answer)
    assert old.serves()


def test_batches_that_make_no_sense_are_refused_and_harm_nobody(old):
    assert old.serves()
    wait_until(lambda: connected(old.process) == 0, "it has no connection")
    table = len(old.process.fd_numbers())
    pairs = [old.pair() for _ in range(3)]
    first, second, third = (ours for _, ours in pairs)
    echo = wire.connection("echo")
    refusals = [
        ([echo, echo], [first], {0: errno.EPROTO, 1: errno.EPROTO}),
        ([echo], [first, second], {0: errno.EPROTO}),
        ([echo], [], {0: errno.EPROTO}),
        ([wire.connection("poetry")], [first], {0: errno.EOPNOTSUPP}),
        ([wire.connection("poetry"), echo, wire.connection("chat")], [first, second, third],
         {0: errno.EOPNOTSUPP, 2: errno.EOPNOTSUPP}),
        ([], [], {}),
    ]
    for items, fds, wanted in refusals:
        assert old.give(*items, fds=fds) == wanted
    # What is no frame at all is not answered; its descriptors are closed.
    for junk in (wire.give(0, echo), wire.frame(wire.GIVE, echo), wire.give(99, echo)[:-1],
                 wire.give(99, wire.connection("echo", wire.field(wire.TAG_ITEM_INPUT, 5))),
                 wire.give(99, wire.connection("echo", wire.field(wire.TAG_ITEM_INPUT, 0xffffffff),
                                               wire.field(wire.TAG_ITEM_OUTPUT, 2),
                                               wire.field(wire.TAG_ITEM_BYTES, b"x"))),
                 wire.frame(wire.TAKEN, wire.field(wire.TAG_BATCH, 1))):
        old.channel.send_fds(junk, [first.fileno()])
    assert old.give() == {}
    assert echoes(pairs[1][0])
    assert old.serves()
    for client, ours in pairs:
        client.close()
        ours.close()
    wait_until(lambda: len(old.process.fd_numbers()) == table, lambda: f"nothing is left: {old.process.fd_table()}")


def test_a_giver_that_never_reads_an_answer_is_not_waited_for(old):
    """Its channel fills up: what cannot be answered is refused, and the listener is served."""
    client, ours = old.pair()
    with client, ours:
        for batch in range(1, 3000):
            try:
                socket.send_fds(old.channel.socket, [wire.give(batch, wire.connection("poetry"))], [ours.fileno()],
                                socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
        assert old.serves()
