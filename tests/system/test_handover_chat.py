# SPDX-License-Identifier: MIT
"""The chat: rooms, nicks and every line survive restarts, also where the members of a room are in two generations."""

import mmap
import re
import socket
import threading

import pytest

from command import hotstart
from handover import CHAT, Chatter, connected, restart, start
from waiting import PATIENCE, wait_until

ROOMS = ["tea", "coffee", "milk"]
LIMIT = 440


@pytest.fixture
def chat(household):
    return start(household, CHAT)


def gather(server, number, rooms=("tea",), **kwargs):
    """So many clients, evenly over the rooms, who have all heard that all are there."""
    chatters = [Chatter(server, f"c{i}", rooms[i % len(rooms)], **kwargs) for i in range(number)]
    last = {one.room: one.nick for one in chatters}
    for one in chatters:
        if one.nick != last[one.room]:
            one.read_until(lambda line, one=one: line == f"* {last[one.room]} joins {one.room}")
    return chatters


class Talkers:
    """`with Talkers(chatters, server):` everybody says numbers, some at a time, and writes down what he hears."""

    def __init__(self, chatters, burst=3):
        self.chatters, self.burst = chatters, burst
        self.heard = {one: [] for one in chatters}
        self.said = {one: 0 for one in chatters}
        self.over = threading.Event()
        self.errors = []
        self.threads = [threading.Thread(target=self.talk, args=(one,)) for one in chatters]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        assert kind or not self.errors, self.errors

    def talk(self, one):
        """Say some lines at once, and the next when we have heard the last of them."""
        try:
            while not self.over.is_set():
                numbers = range(self.said[one], self.said[one] + self.burst)
                one.say(*(f"{'SAY ' if n % 2 else ''}{n}" for n in numbers))
                self.said[one] += self.burst
                self.heard[one] += one.read_until(lambda line, n=numbers[-1]: line == f"{one.nick}: {n}")
        except Exception as error:  # whoever waits for us has to know
            self.errors.append((one.nick, repr(error)))

    def wait_progress(self, lines=20):
        marks = {one: len(heard) + lines for one, heard in self.heard.items()}

        def done():
            assert not self.errors, self.errors
            return all(len(self.heard[one]) >= mark for one, mark in marks.items())

        wait_until(done, "everybody hears something")

    def check(self):
        """Afterwards: the same for everybody in a room, and in it everything that each said, once and in order."""
        for room in {one.room for one in self.chatters}:
            members = [one for one in self.chatters if one.room == room]
            for one in members:
                one.say("end of " + one.nick)
            for one in members:
                left = len(members)
                while left:
                    line = one.line()
                    self.heard[one].append(line)
                    left -= ": end of " in line
            for one in members[1:]:
                assert self.heard[one] == self.heard[members[0]], (one.nick, room)
            for one in members:
                own = [line for line in self.heard[one] if line.startswith(one.nick + ": ")]
                wanted = [f"{one.nick}: {n}" for n in range(self.said[one])] + [f"{one.nick}: end of {one.nick}"]
                assert own == wanted, (one.nick, room)
            others = [line for line in self.heard[members[0]] if not re.match(r"c\d+: ", line)]
            assert others == [], "nobody came or went"


def test_rooms_nicks_and_every_line_survive_five_restarts(chat):
    chatters = gather(chat, 12, ROOMS)
    with Talkers(chatters) as talkers:
        talkers.wait_progress()
        for _ in range(5):
            restart(chat)
            talkers.wait_progress()
    talkers.check()
    for one in chatters:
        names, generation = one.who()
        assert names == sorted(c.nick for c in chatters if c.room == one.room)
        assert generation == 6
    for one in chatters:
        one.close()
    chat.retire_predecessors()


def test_restarts_without_a_break(chat):
    """No room is ever whole in one generation for long."""
    chatters = gather(chat, 30)
    with Talkers(chatters, burst=1) as talkers:
        for _ in range(15):
            restart(chat)
        talkers.wait_progress(1)
    talkers.check()
    assert chatters[0].who() == (sorted(c.nick for c in chatters), 16)
    for one in chatters:
        one.close()


def limited(releases, limit):
    """A release that has no room for everybody."""
    releases.install("chat", CHAT)
    releases.install("second", CHAT)
    releases.shell("poor", f"ulimit -Sn {limit}", f'exec {releases.path("second")} "$@"')
    releases.switch("chat")


def test_a_room_is_whole_although_its_members_are_in_two_generations(household, releases):
    limited(releases, 80)
    server = start(household, releases.current)
    old = server.current
    chatters = gather(server, 60)
    with Talkers(chatters, burst=1) as talkers:
        talkers.wait_progress(1)
        releases.switch("poor")
        poor = restart(server)
        wait_until(lambda: connected(poor) > 10 and connected(poor) + connected(old) == 60, "some have moved")
        talkers.wait_progress(200)
        assert connected(old) > 10
    talkers.check()
    answers = [one.who() for one in chatters]
    assert {generation for _, generation in answers} == {1, 2}
    assert all(names == sorted(c.nick for c in chatters) for names, _ in answers)
    # A nick belongs to one, in whichever generation he is.
    late = Chatter(server, "late", "coffee")
    for one in chatters:
        late.say(f"NICK {one.nick}")
        assert late.line() == f"! {one.nick}: taken"
    for one in [*chatters, late]:
        one.close()


def test_what_was_typed_and_not_sent_off_survives(chat):
    """Half a line, and the rest of one that is too long already."""
    half, long = gather(chat, 2)
    half.socket.sendall(b"SAY one ha")
    long.socket.sendall(b"x" * 600)
    assert long.line() == f"! a line has {LIMIT} bytes at most"
    for _ in range(3):
        restart(chat)
        chat.retire_predecessors()
        long.socket.sendall(b"x" * 600)
    half.say("lf")
    assert [half.line(), long.line()] == ["c0: one half"] * 2
    long.say("x", "and now?")
    assert [half.line(), long.line()] == ["c1: and now?"] * 2
    half.close()
    long.close()


def test_who_reads_slowly_hears_everything_all_the_same(chat):
    """What one does not read is a place in the log, over three restarts."""
    slow, talker = gather(chat, 2, receive_buffer=2048)
    text = "x" * 400
    said = 0
    for _ in range(3):
        for _ in range(300):
            talker.say(f"SAY {said} {text}")
            talker.read_until(lambda line, said=said: line == f"c1: {said} {text}")
            said += 1
        restart(chat)
        chat.retire_predecessors()
    assert [slow.line() for _ in range(said)] == [f"c1: {n} {text}" for n in range(said)]
    slow.close()
    talker.close()


def test_who_never_reads_is_dropped_and_costs_no_memory(chat):
    slow, talker = gather(chat, 2, receive_buffer=2048)
    text = "x" * LIMIT
    dropped = False
    for n in range(1000):  # what the kernel takes for him comes first, and that may be megabytes
        talker.say(*[text] * 100, f"SAY {n}")
        dropped |= "* c0 is too slow" in talker.read_until(lambda line, n=n: line == f"c1: {n}")
        if dropped:
            break
    assert dropped
    assert int(chat.current.status_field("VmRSS").split()[0]) < 30000
    assert talker.who()[0] == ["c1"]
    slow.close()
    talker.close()


def test_hostile_input_harms_nobody_else(chat):
    talker, listener = gather(chat, 2)
    refused = [b"NICK ", b"NICK a b", b"NICK " + b"n" * 24, b"NICK c1", b"JOIN ../x", b"JOIN *",
               b"\0\1\2", b"tab\tand \33[2J", b"y" * (LIMIT + 1), b"z" * 100000]
    for line in refused:
        talker.socket.sendall(line + b"\n")
        answer = talker.line()
        assert answer.startswith("! "), (line[:20], answer)
    talker.socket.sendall(b"\n\r\n" + b"w" * LIMIT + b"\r\nSAY SAY \xc3\xa4 WHO\nSAY WHO\n")
    assert [listener.line() for _ in range(3)] == ["c0: " + "w" * LIMIT, "c0: SAY \xe4 WHO", "c0: WHO"]
    with socket.socket(chat.address[0]) as rude:
        rude.settimeout(PATIENCE)
        rude.connect(chat.address[1])
        rude.sendall(bytes(range(256)) * 1000)
        rude.sendall(b"\nNICK rude\nSAY half of a li")
        rude.shutdown(socket.SHUT_WR)
        text = b""
        while chunk := rude.recv(65536):
            text += chunk
        assert b"is now rude" in text and b"half" not in text
    listener.say("WHO")
    assert listener.read_until(lambda line: "here, gen" in line)[-1] == "= 2 here, generation 1"
    talker.close()
    listener.close()


def test_quit_has_the_last_word(chat):
    one, other = gather(chat, 2)
    one.say("good night", "QUIT", "not heard")
    assert [one.line(), one.line()] == ["c0: good night", "* bye"]
    assert one.file.read() == b""
    # He has not closed his end: that travels too.
    restart(chat)
    chat.retire_predecessors()
    assert other.read_until(lambda line: "leaves" in line)[-1] == "* c0 leaves"
    assert connected(chat.current) == 2
    one.close()
    wait_until(lambda: connected(chat.current) == 1, "he has gone")
    assert other.who() == (["c1"], 2)
    other.close()


def test_joining_is_at_one_place_of_what_is_said(chat):
    """Who changes the room hears the one up to there and the other from there on, over restarts too."""
    tea, coffee, wanderer = (Chatter(chat, nick, room) for nick, room in
                             (("t", "tea"), ("c", "coffee"), ("w", "tea")))
    tea.read_until(lambda line: "* w joins" in line)
    heard = []
    for n in range(10):
        tea.say(f"{n}")
        coffee.say(f"{n}")
        wanderer.say(f"JOIN {'tea' if n % 2 else 'coffee'}", f"SAY {n}")
        if n % 3 == 0:
            restart(chat)
        heard += wanderer.read_until(lambda line, n=n: line == f"w: {n}")
        tea.read_until(lambda line, n=n: line == f"t: {n}")
        coffee.read_until(lambda line, n=n: line == f"c: {n}")
    assert [line for line in heard if line.startswith("w: ")] == [f"w: {n}" for n in range(10)]
    for nick in "tc":
        numbers = [int(line[3:]) for line in heard if line.startswith(nick + ": ")]
        assert numbers == sorted(set(numbers))
    for one in (tea, coffee, wanderer):
        one.close()


def test_a_release_with_rooms_of_its_own_is_not_let_in(chat):
    """A format that it does not know: the restart is rolled back, with its words."""
    chatters = gather(chat, 2)
    # As one that is to come would have left it: the first number is that of the format.
    process = chat.current
    number = next(row.number for row in process.fd_table() if "memfd:hall" in row.target)
    with open(process.borrow(number), "r+b", buffering=0) as file, mmap.mmap(file.fileno(), 4096) as hall:
        hall[:4] = (999).to_bytes(4, "little")
    done = hotstart("restart", process.pid)
    assert done.status == 1 and "the rooms are those of another release" in done.err + done.out, done
    assert chatters[0].who()[1] == 1
    for one in chatters:
        one.close()
