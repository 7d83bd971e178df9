# SPDX-License-Identifier: MIT
"""The demo as the new generation of something that is not the demo: the protocol, step by step, and
what becomes of it when the old generation dies or talks nonsense on the way."""

import errno
import os
import signal
import socket
import subprocess

import pytest

import wire
from process import Process, inheriting
from server import DEMO, Client, Server
from test_inherit import listener
from waiting import Deadline, wait_until

GENERATION = 8
NAME = "anything"
VARIABLES = {
    "HOT_CHANNEL": "4",
    "HOT_GENERATION": str(GENERATION),
    "LISTEN_FDS": "1",
    "LISTEN_FDNAMES": NAME,
}


def address_of(one):
    return "tcp://127.0.0.1:{}".format(one.getsockname()[1])


class OldGeneration:
    """This process as the old generation, which stays alive."""

    def __init__(self, demo):
        self.listener = listener()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel = wire.Channel(ours, Deadline().left())
        with theirs:
            fds = inheriting(self.listener.fileno(), theirs.fileno(), **VARIABLES)
            self.server = demo(listen=[address_of(self.listener)], ready=False, **fds)
        self.server.address = (socket.AF_INET, self.listener.getsockname())
        self.channel.expect(wire.HELLO)

    def offer(self):
        self.channel.send(wire.offer(GENERATION, [(3, NAME, address_of(self.listener))]))

    def hand_over(self):
        self.offer()
        self.channel.expect(wire.READY)
        self.channel.send(wire.frame(wire.COMMIT))
        self.channel.expect(wire.SERVING)
        self.channel.send(wire.frame(wire.RETIRED))

    def close(self):
        self.channel.close()
        self.listener.close()


def pidfds_of(process):
    return sum("pidfd" in row.kind for row in process.fd_table())


def holds(process, one):
    return f"socket:[{os.fstat(one.fileno()).st_ino}]" in [row.target for row in process.listeners()]


@pytest.fixture
def old(demo):
    generation = OldGeneration(demo)
    yield generation
    generation.close()


@pytest.mark.parametrize("ended", [False, True], ids=["lets go", "ends"])
def test_what_the_last_generation_left_is_not_another_ones_to_let_go(demo, household, ended):
    """One that is older still drains: what it left is none of what we hold."""
    kept, left = listener(), listener()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ancestors, its_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel = wire.Channel(ours, Deadline().left())
    ancestor = household.start(["/bin/cat"], household.log("ancestor"), stdin=subprocess.PIPE)
    variables = VARIABLES | {"HOT_CHANNEL": "5", "LISTEN_FDS": "2", "LISTEN_FDNAMES": f"{NAME}:other"}
    with theirs:
        fds = inheriting(kept.fileno(), left.fileno(), theirs.fileno(), **variables)
        server = demo(listen=[address_of(kept)], ready=False, **fds)
    server.address = (socket.AF_INET, kept.getsockname())
    server.generation = GENERATION
    server.processes[GENERATION] = server.processes.pop(1)
    channel.expect(wire.HELLO)
    channel.send(wire.offer(GENERATION, [(3, NAME, address_of(kept)), (4, "other", address_of(left))]))
    channel.expect(wire.READY)
    channel.send(wire.frame(wire.COMMIT))
    channel.expect(wire.SERVING)
    before = pidfds_of(server.current)
    with its_end:
        channel.send_fds(wire.ancestor(ancestor.pid, GENERATION - 2), [its_end.fileno(), ancestor.pidfd])
    channel.send(wire.frame(wire.RETIRED))
    of_ancestors = wire.Channel(ancestors, Deadline().left())
    if not ended:
        of_ancestors.send(wire.frame(wire.LET_GO))
    wait_until(lambda: pidfds_of(server.current) > before, "it has the other one's pidfd")
    ancestor.signal(signal.SIGKILL)
    wait_until(lambda: pidfds_of(server.current) == before, "it has heard its end")
    assert holds(server.current, left)
    channel.send(wire.frame(wire.LET_GO))
    wait_until(lambda: not holds(server.current, left), "what was left is closed")
    of_ancestors.close()
    channel.close()
    kept.close()
    left.close()


def carries_on(server):
    """It serves as the generation it was told to be, and can have a successor of its own."""
    server.generation = GENERATION
    answer = server.await_generation(GENERATION)
    if 1 in server.processes:
        assert server.processes.pop(1).pid == answer.pid
    server.restart()
    assert server.generation == GENERATION + 1
    server.retire_predecessors()


def test_a_new_generation_does_not_accept_before_it_is_told(old):
    old.offer()
    old.channel.expect(wire.READY)
    with Client(old.server.address) as early:
        early.request("/test")
        # The connection stays where it is, in the kernel's queue.
        inode = os.fstat(old.listener.fileno()).st_ino
        assert inode not in old.server.first.polled_inodes()
        old.channel.send(wire.frame(wire.COMMIT))
        old.channel.expect(wire.SERVING)
        assert early.answer().generation == GENERATION
    old.channel.send(wire.frame(wire.RETIRED))
    old.close()
    carries_on(old.server)


def test_an_old_generation_that_retired_and_drains_on(old):
    old.hand_over()
    carries_on(old.server)


def test_a_trigger_that_the_old_generation_passes_on(old):
    old.hand_over()
    old.server.generation = GENERATION
    old.channel.send(wire.frame(wire.TRIGGER))
    wait_until(
        lambda: old.server.get("/test").generation == GENERATION + 1,
        "the next generation answers",
        None,
        [old.server.log.watch],
    )
    old.server.await_generation(GENERATION + 1)


def test_a_stop_that_comes_with_the_commit(old):
    old.offer()
    old.channel.expect(wire.READY)
    old.channel.send(wire.frame(wire.COMMIT))
    old.channel.send(wire.frame(wire.STOP))
    assert old.server.first.wait_exit() == 0
    old.server.stopped = True


@pytest.mark.parametrize(
    "frame",
    [
        b"junk",
        wire.frame(wire.COMMIT),
        wire.frame(77),
        wire.frame(wire.OFFER),
        wire.offer(GENERATION, [(9, NAME, "tcp://127.0.0.1:1")]),
        b"\0" * 40000,
    ],
    ids=["junk", "commit-first", "unknown-type", "empty-offer", "no-such-descriptor", "too-long"],
)
def test_an_old_generation_that_breaks_the_protocol_is_an_error(old, frame):
    old.channel.send(frame)
    status = old.server.first.wait_exit()
    old.server.stopped = True
    assert status is not None and 0 < status < 128, old.server.log.text()
    assert "offer: " in old.server.log.text()
    # The listener is as it was.
    assert old.listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    with socket.create_connection(old.listener.getsockname()):
        wait_until(lambda: accepts(old.listener), "the old one can accept")


def offer_with(old, *more):
    whole = wire.offer(GENERATION, [(3, NAME, address_of(old.listener))])
    return wire.frame(wire.OFFER, whole[8:], *more)


def test_an_unknown_critical_tag_is_refused_by_its_number_before_ready(old):
    old.channel.send(offer_with(old, wire.field(wire.CRITICAL | 0x63, 1)))
    refusal = old.channel.receive_whole()
    assert refusal == wire.frame(wire.REFUSE, wire.field(wire.TAG_ERROR, errno.EOPNOTSUPP),
                                 wire.field(wire.TAG_TAG, wire.CRITICAL | 0x63))
    assert old.server.first.wait_exit() != 0
    old.server.stopped = True


def test_an_unknown_optional_tag_is_skipped(old):
    old.channel.send(offer_with(old, wire.field(0x63, 1)))
    old.channel.expect(wire.READY)


def accepts(one):
    try:
        one.accept()[0].close()
    except BlockingIOError:
        return False
    return True


SEND_OFFER = "channel.send(wire.offer(GENERATION, [(3, NAME, address)]))"
EXPECT_READY = "channel.expect(wire.READY)"
SEND_COMMIT = "channel.send(wire.frame(wire.COMMIT))"
EXPECT_SERVING = "channel.expect(wire.SERVING)"

# An old generation as a process of its own: argv is the demo's, the listener is descriptor 3.
MORTAL = """
import os, signal, socket, sys
sys.path.insert(0, {here!r})
sys.dont_write_bytecode = True
import wire
GENERATION, NAME, address = {generation}, {name!r}, {address!r}
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
child = os.fork()
if child == 0:
    os.dup2(theirs.fileno(), 4)
    os.set_inheritable(3, True)
    os.set_inheritable(4, True)
    os.closerange(5, 100)
    os.execve(sys.argv[1], sys.argv[1:], {{**os.environ, **{variables!r}}})
theirs.close()
channel = wire.Channel(ours)
channel.expect(wire.HELLO)
{steps}
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (SEND_OFFER,),
        (SEND_OFFER, EXPECT_READY),
        (SEND_OFFER, EXPECT_READY, SEND_COMMIT),
        (SEND_OFFER, EXPECT_READY, SEND_COMMIT, EXPECT_SERVING),
    ],
    ids=["hello", "offer", "ready", "commit", "serving"],
)
def test_an_old_generation_that_dies_on_the_way_leaves_a_new_one_that_carries_on(
    household, tmp_path, steps
):
    pid_file = tmp_path / "demo.pid"
    with listener() as shared:
        address = address_of(shared)
        text = MORTAL.format(
            here=os.path.dirname(os.path.abspath(__file__)),
            generation=GENERATION,
            name=NAME,
            address=address,
            variables=VARIABLES,
            steps="\n".join(steps),
        )
        log = household.log("mortal.log")
        command = [DEMO, "--listen", address, "--pid-file", str(pid_file)]
        mortal = household.start(
            ["/usr/bin/python3", "-IS", "-c", text, *command], log, **inheriting(shared.fileno())
        )
        assert mortal.wait_exit() == -9, log.text()
        server = Server(mortal, log, (socket.AF_INET, shared.getsockname()))
        household.servers.append(server)
    del server.processes[1]
    server.generation = GENERATION
    wait_until(lambda: server.get("/test"), "somebody answers", None, [log.watch])
    server.processes[GENERATION] = Process(server.get("/test").pid)
    wait_until(
        lambda: pid_file.exists() and pid_file.read_text() == f"{server.current.pid}\n",
        "the PID file names the one that is left",
    )
    carries_on(server)
