# SPDX-License-Identifier: MIT
"""
kill -9 at instants that nobody chose while connections are on their way: each is served by exactly one side, or
closed; none hangs, nothing is lost or comes twice on those that are left, no descriptor is.

HOT_CHAOS_ROUNDS and HOT_CHAOS_CONNECTIONS make it longer.
"""

import os
import random
import signal
import socket

import pytest

from handover import CHAT, ECHOES, Chatter, Streams, connected, phase_of, program, start
from process import Process, stat_of
from test_chaos import abandon_to_nobody, instant, running
from test_handover_chat import Talkers, gather
from waiting import wait_until

ROUNDS = int(os.environ.get("HOT_CHAOS_ROUNDS", "15"))
CONNECTIONS = int(os.environ.get("HOT_CHAOS_CONNECTIONS", "100"))
# How long a restart takes depends on the machine and on how all was built: deaths on either side of each step.
SPANS_MS = (10, 30, 150)
BROKEN = {"end of file", "ConnectionResetError(104, 'Connection reset by peer')", "BrokenPipeError(32, 'Broken pipe')"}


def chosen_dice(*words):
    seed = os.environ.get("HOT_CHAOS_SEED") or str(random.randrange(1 << 32))
    print(f"HOT_CHAOS_SEED={seed}")
    return random.Random(seed + "".join(words))


def begin(household, path, probation):
    server = start(household, path, "--probation", probation)
    server.exe = server.first.exe()
    return server


def newborn(old):
    """Its child that lives; or True if it has given all away and ended, so quickly that nobody saw its child."""
    living = [pid for pid in old.children() if (stat_of(pid) or "Z")[0] != "Z"]
    return next(iter(living), None) or (stat_of(old.pid) or "Z")[0] == "Z"


def kill_one(current, victim, dice):
    """A restart, and somewhere in it a death. Returns whether there was one."""
    with Process(current) as old:
        old.signal(signal.SIGUSR2)
        instant(dice, dice.choice(SPANS_MS))
        new = wait_until(lambda: newborn(old), "the restart has begun")
        target = current if victim == "old" else new
        if target is True or (stat_of(target) or "Z")[0] == "Z":
            return False
        os.kill(target, signal.SIGKILL)
        return True


def settle(server):
    """One is left, which serves or only finishes what it has; or nobody. Returns its pid, and whether it serves."""

    def settled():
        pids = running(server)
        if not pids:
            return None, False
        with Process(pids[0]) as one:
            serves = phase_of(one) == "serving"
            return len(pids) == 1 and (serves or not one.listeners()) and (one.pid, serves)

    return wait_until(settled, lambda: f"one is left: {running(server)}")


def counted(pid):
    with Process(pid) as process:
        return connected(process)


@pytest.mark.skipif(not ECHOES, reason="neither libevent nor libuv (tools/deps test)")
@pytest.mark.parametrize("probation", [0, 0.3])
@pytest.mark.parametrize("victim", ["old", "new"])
def test_bytes_flow_or_the_connection_ends(household, victim, probation):
    dice = chosen_dice(victim, str(probation))
    server, killed, survivors = None, 0, 0
    for _ in range(5 * ROUNDS):
        if killed >= ROUNDS:
            break
        if server is None:
            server = begin(household, program(dice.choice(ECHOES)), probation)
            current = server.first.pid
        with Streams(server, CONNECTIONS, window=3000) as streams:
            streams.wait_progress(1)
            killed += kill_one(current, victim, dice)
            current, serves = settle(server)
            streams.finish()
            assert set(streams.failures()) <= BROKEN
            survivors += len(streams.alive())
            if current:
                # What nobody serves is closed; what is served is in one place, and nowhere else.
                wait_until(lambda: counted(current) == len(streams.alive()),
                           lambda: f"{counted(current)} connections there, {len(streams.alive())} here")
                streams.resume()
                streams.wait_progress(1000)
                streams.finish()
            else:
                wait_until(lambda: not streams.alive(), "all are closed")
        if current and not serves:
            os.kill(current, signal.SIGTERM)  # without a probation nobody comes back
        if not serves:
            abandon_to_nobody(server)
            server = None
    assert killed and survivors
    if server:
        os.kill(current, signal.SIGTERM)
        abandon_to_nobody(server)


class Guests(Talkers):
    """Talkers of whom some may be cut off."""

    def talk(self, one):
        super().talk(one)
        self.errors = []

    def part(self):
        """Those who are cut off leave; the others hear that nobody waits for an answer any more."""
        left = []
        for one in self.chatters:
            try:
                one.say("SAY still here")
                self.heard[one] += one.read_until(lambda line, one=one: line == f"{one.nick}: still here")
                left.append(one)
            except (OSError, AssertionError):
                one.close()
        return left


@pytest.mark.parametrize("victim", ["old", "new"])
def test_who_is_left_in_the_chat_has_heard_the_same(household, victim):
    dice = chosen_dice(victim)
    server, killed = None, 0
    for number in range(3 * ROUNDS):
        if killed >= ROUNDS / 3:
            break
        if server is None:
            server = begin(household, CHAT, 0.3)
            current = server.first.pid
        chatters = gather(server, 12)
        with Guests(chatters, burst=1) as talkers:
            talkers.wait_progress(12)
            killed += kill_one(current, victim, dice)
            current, serves = settle(server)
        left = talkers.part()
        if current:
            wait_until(lambda: counted(current) == len(left), "those who are cut off have gone")
        if left:
            talkers.chatters = left
            left[-1].say(f"end of {left[-1].nick}")
            for one in left:
                while not talkers.heard[one] or talkers.heard[one][-1] != f"{left[-1].nick}: end of {left[-1].nick}":
                    talkers.heard[one].append(one.line())
            for one in left:
                said = [line for line in talkers.heard[one] if line.split(": ")[0] in {c.nick for c in left}]
                assert said == [line for line in talkers.heard[left[0]] if line in set(said)], one.nick
                own = [line for line in said if line.startswith(f"{one.nick}: ") and line.split()[1].isdigit()]
                assert own == [f"{one.nick}: {n}" for n in range(len(own))]
            for one in left:
                one.say("WHO")
                lines = one.read_until(lambda line: line.startswith("= ") and " here, " in line)
                names = sorted(line[2:] for line in lines if line.startswith("= ") and " here" not in line)
                assert names == sorted(c.nick for c in left), f"{number}"
            for one in left:
                one.close()
        if current and not serves:
            os.kill(current, signal.SIGTERM)  # without a probation nobody comes back
        if not serves:
            abandon_to_nobody(server)
            server = None
    assert killed
    if server:
        os.kill(current, signal.SIGTERM)
        abandon_to_nobody(server)
