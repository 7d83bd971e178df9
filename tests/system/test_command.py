# SPDX-License-Identifier: MIT
"""hotstart restart, status, stop, commit and abort: what they say is so, and nothing else happens."""

import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import termios

import pytest

import wire
from command import Command, Control, build_id, control_path, hotstart, status_of
from load import Load
from process import Process, keys
from server import BUILD, DEMO
from waiting import wait_until

SEEDONLY = os.path.join(BUILD, "tests", "seedonly")


def follow(server):
    """Whoever answers now is the current generation."""
    answer = server.get("/generation")
    if answer.generation not in server.processes:
        server.processes[answer.generation] = Process(answer.pid)
    server.generation = answer.generation
    return server.current


def other_build(releases, name):
    """A release with a build id of its own."""
    path = releases.install(name)
    was = bytes.fromhex(build_id(path))
    with open(path, "rb") as file:
        image = file.read()
    assert image.count(was) == 1
    changed = bytes(reversed(was))
    with open(path, "wb") as file:
        file.write(image.replace(was, changed))
    return changed.hex()


# -- restart --


@pytest.mark.parametrize("kind", ["pid", "PID file", "socket"])
def test_restart_names_the_release_that_serves(demo, releases, tmp_path, kind):
    pid_file = tmp_path / "demo.pid"
    server = demo("--pid-file", pid_file, program=releases.current)
    releases.install("release-2")
    expected = other_build(releases, "release-2")
    releases.switch("release-2")
    target = {"pid": server.current.pid, "PID file": pid_file,
              "socket": control_path(server.current)}[kind]
    ended = hotstart("restart", target)
    new = follow(server)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == (
        f"generation 2 serves: pid {new.pid}, program {releases.path('release-2')}, "
        f"build id {expected}\n"
    )


def test_restart_as_json(demo):
    server = demo()
    ended = hotstart("restart", "--json", server.current.pid)
    new = follow(server)
    assert ended.status == 0
    assert ended.json() == {
        "type": "restart", "outcome": "committed", "generation": 2, "pid": new.pid,
        "program": DEMO, "build_id": build_id(DEMO),
    }


def test_a_release_that_fails_is_explained_and_costs_nothing(household, demo, releases):
    server = demo(program=releases.current)
    releases.shell("bad", "echo cannot read app.conf >&2", "echo giving up >&2", "exit 7")
    with Load(household, server, "new:clients=4", "think:clients=4,think=0-20") as load:
        releases.switch("bad")
        ended = hotstart("restart", server.current.pid)
        server.get("/test")
    assert load.report().failed == {}
    assert ended.status == 1 and ended.out == ""
    assert "rolled back: hello: process" in ended.err
    assert "exited with status 7 before it said hello" in ended.err
    assert "  | cannot read app.conf\n  | giving up\n" in ended.err
    assert f"generation 1 (pid {server.current.pid}) serves on" in ended.err
    # It was passed on to where it would have gone.
    assert "cannot read app.conf\ngiving up\n" in server.log.text()
    # It is not what the next one says, which does not even start.
    os.chmod(releases.path("bad"), 0o644)
    ended = hotstart("restart", server.current.pid)
    assert ended.status == 1 and "Permission denied" in ended.err and "app.conf" not in ended.err
    releases.switch("release-1")
    assert hotstart("restart", server.current.pid).status == 0
    follow(server)


def test_a_release_that_hangs_after_the_commit_is_rolled_back(demo, releases):
    """Nobody accepts then: the old one must come back by the serve deadline, and say so."""
    steps = (wire.SAY_HELLO, wire.TAKE_OFFER, wire.SAY_READY, wire.TAKE_COMMIT, wire.HANG)
    releases.python("hangs", wire.peer_program(*steps))
    server = demo(program=releases.current)
    releases.switch("hangs")
    ended = hotstart("restart", server.current.pid)
    assert ended.status == 1
    assert "rolled back: serving: process" in ended.err and "serve deadline" in ended.err
    assert server.get("/generation").pid == server.current.pid


def test_a_release_that_crashes_as_json(demo, releases):
    server = demo(program=releases.current)
    releases.shell("crash", "printf 'a\\033[31mb\\377' >&2", "kill -SEGV $$")
    releases.switch("crash")
    ended = hotstart("restart", "--json", server.current.pid)
    outcome = ended.json()
    assert ended.status == 1
    assert (outcome["outcome"], outcome["step"], outcome["reason"]) == ("rolled-back", "hello", "exited")
    assert (outcome["exit_status"], outcome["signal"]) == (None, signal.SIGSEGV)
    assert outcome["stderr"] == "a\033[31mb\ufffd"
    assert outcome["serving"] == {"generation": 1, "pid": server.current.pid}


def test_what_a_release_prints_does_not_reach_the_terminal_raw(demo, releases):
    server = demo(program=releases.current)
    releases.shell("crash", "printf 'a\\033[31mb\\302\\233m' >&2", "exit 1")
    releases.switch("crash")
    ended = hotstart("restart", server.current.pid)
    assert "  | a?[31mb?m\n" in ended.err


def test_five_at_once_are_all_told_what_is_so(household, demo):
    server = demo()
    for _ in range(3):
        pid = server.current.pid
        commands = [Command(household, "restart", "--json", pid) for _ in range(5)]
        outcomes = [command.wait() for command in commands]
        assert [ended.status for ended in outcomes] == 5 * [0], outcomes
        follow(server)
        for outcome in (ended.json() for ended in outcomes):
            served = rf"^\[pid {outcome['pid']}\] serving on .* \(generation {outcome['generation']}\)$"
            assert re.search(served, server.log.text(), re.MULTILINE), outcome
        # The last of them is the one that serves.
        last = max(ended.json()["generation"] for ended in outcomes)
        assert (last, {ended.json()["pid"] for ended in outcomes if ended.json()["generation"] == last}) \
            == (server.generation, {server.current.pid})


def test_the_pid_of_a_generation_that_has_ended_leads_to_the_one_that_serves(demo):
    server = demo()
    first = server.current
    for _ in range(3):
        server.restart()
        server.retire_predecessors()
    ended = hotstart("restart", first.pid)
    assert ended.status == 0 and "generation 5 serves" in ended.out
    follow(server)
    server.stop()
    assert hotstart("restart", first.pid).status == 3


def test_a_program_that_is_replaced_between_two_triggers_is_never_mixed_up(household, demo, releases):
    server = demo("--probation", 0.1, program=releases.current)
    ids = {releases.path("release-1"): build_id(DEMO)}
    ids[releases.path("release-2")] = other_build(releases, "release-2")
    for turn in range(6):
        first, second = ("release-1", "release-2") if turn % 2 else ("release-2", "release-1")
        releases.switch(first)
        with Control(control_path(server.current)) as one, Control(control_path(server.current)) as two:
            one.say("restart")
            # It is under way once the program has been looked up; from then on this file is the other.
            server.log.wait_for(
                re.compile(rf"^\[pid {server.current.pid}\] restart: spawn", re.MULTILINE))
            releases.switch(second)
            two.say("restart")
            outcomes = [one.hear(), two.hear()]
        follow(server)
        assert [outcome["outcome"] for outcome in outcomes] == 2 * ["committed"]
        assert [outcome["program"] for outcome in outcomes] == [releases.path(first),
                                                                releases.path(second)]
        assert [outcome["build_id"] for outcome in outcomes] == [ids[o["program"]] for o in outcomes]
        assert outcomes[1]["generation"] == outcomes[0]["generation"] + 1
        assert outcomes[1]["pid"] == server.current.pid
        assert server.current.exe() == releases.path(second)


def blocked_release(releases):
    """A release that starts when somebody writes to the FIFO that this returns."""
    fifo = releases.path("go")
    os.mkfifo(fifo)
    releases.shell("blocked", f'read line <"{fifo}"', f'exec "{DEMO}" "$@"')
    return fifo


def let_go(fifo):
    with open(fifo, "w", encoding="ascii") as file:
        file.write("go\n")


def test_killing_the_command_harms_nothing(household, demo, releases):
    server = demo(program=releases.current)
    fifo = blocked_release(releases)
    releases.switch("blocked")
    command = Command(household, "restart", server.current.pid)
    server.log.wait_for(re.compile("restart: spawn"))
    command.process.kill()
    assert command.wait().status == -signal.SIGKILL
    let_go(fifo)
    server.await_generation(2)


def test_a_server_that_is_killed_while_the_command_waits(household, demo, releases):
    server = demo(program=releases.current)
    fifo = blocked_release(releases)
    releases.switch("blocked")
    command = Command(household, "restart", server.current.pid)
    server.log.wait_for(re.compile("restart: spawn"))
    server.current.kill()
    ended = command.wait()
    assert ended.status == 3 and ended.out == ""
    assert "ended before it said how the restart went" in ended.err
    server.current.wait_exit()
    let_go(fifo)
    server.await_generation(2)
    assert status_of(server.current)["generation"] == 2


def test_wait_drain_waits_until_only_the_new_one_is_left(household, demo):
    server = demo("--probation", 0.1)
    old = server.current
    with server.connect() as held:
        held.hold()
        command = Command(household, "restart", "--wait-drain", old.pid)
        command.out.wait_for(re.compile("generation 2 serves"))
        follow(server)
        wait_until(
            lambda: [row["phase"] for row in status_of(server.current)["generations"]]
            == ["serving", "draining"], "the old one drains")
        assert not command.process.has_exited() and not old.has_exited()
        assert held.let_go().generation == 1
    ended = command.wait()
    assert (ended.status, ended.err) == (0, "")
    assert old.wait_exit() == 0
    assert [row["pid"] for row in status_of(server.current)["generations"]] == [server.current.pid]


def test_wait_drain_tells_of_a_new_one_that_did_not_last(household, demo):
    server = demo("--probation", 30)
    old = server.current
    command = Command(household, "restart", "--wait-drain", old.pid)
    command.out.wait_for(re.compile("generation 2 serves"))
    new = follow(server)
    new.kill()
    ended = command.wait()
    server.generation = 1
    assert ended.status == 1
    assert f"generation 2 (pid {new.pid}) did not last: generation 1 (pid {old.pid}) serves" in ended.err
    failures = status_of(old)["failures"]
    assert [(f["step"], f["signal"], f["pid"]) for f in failures] == [("probation", 9, new.pid)]
    assert f"rolled back" in hotstart("status", old.pid).out


def test_wait_drain_has_a_progress_bar_on_a_terminal(household, demo):
    server = demo("--probation", 0.1)
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with server.connect() as held:
        held.hold()
        process = Process.start(
            [os.path.join(BUILD, "hotstart"), "restart", "--wait-drain", str(server.current.pid)],
            stdin=-3, stdout=subprocess.DEVNULL, stderr=terminal)
        household.processes.append(process)
        os.close(terminal)
        drawn = b""
        while b"1 draining" not in drawn:
            drawn += os.read(main, 4096)
        follow(server)
        held.let_go()
    assert process.wait_exit() == 0
    os.close(main)
    bar = drawn.split(b"\r")[-1].split(b"\033[K")[0].decode()
    assert re.match(r"\[[# ]{30}\] 1 draining, 1 left", bar) and len(bar) <= 59


def test_force_ends_the_oldest_rather_than_wait(household, demo):
    server = demo("--max-generations", 2, "--probation", 0.1)
    oldest = server.current
    with server.connect() as held:
        held.hold()
        assert hotstart("restart", oldest.pid).status == 0
        follow(server)
        server.log.wait_for(re.compile(rf"^\[pid {oldest.pid}\] restart: retire", re.MULTILINE))
        waiting = Command(household, "restart", server.current.pid)
        waiting.err.wait_for(re.compile("the restart waits until one of them has ended"))
        assert not oldest.has_exited()
        forced = hotstart("restart", "--force", server.current.pid)
        assert forced.status == 0
        assert waiting.wait().status == 0
        assert oldest.wait_exit() in (0, 1, None)
    follow(server)
    assert server.generation == 3


def test_a_seed_keeps_its_standard_error_as_long_as_it_writes(household, demo, releases):
    server = demo(program=releases.current)
    old = server.current
    releases.install("seed", SEEDONLY)
    releases.switch("seed")
    ended = hotstart("restart", old.pid)
    assert ended.status == 0, ended
    new = Process(int(re.search(r"pid (\d+)", ended.out).group(1)))
    household.processes.append(new)
    assert os.readlink(f"/proc/{new.pid}/fd/2").startswith("pipe:")
    server.log.wait_for(re.compile(rf"^\[pid {old.pid}\] restart: retire", re.MULTILINE))
    assert status_of(old)["phase"] == "draining"
    new.kill()
    assert old.wait_exit() == 0
    server.stopped = True


def test_without_capture_a_seed_needs_nobody(household, demo, releases):
    server = demo(program=releases.current)
    old = server.current
    releases.install("seed", SEEDONLY)
    releases.switch("seed")
    ended = hotstart("restart", "--no-capture", old.pid)
    assert ended.status == 0, ended
    new = Process(int(re.search(r"pid (\d+)", ended.out).group(1)))
    household.processes.append(new)
    assert old.wait_exit() == 0
    assert os.readlink(f"/proc/{new.pid}/fd/2") == server.log.path
    new.kill()
    server.stopped = True


def test_a_release_that_speaks_the_protocol_gets_its_standard_error_back(demo):
    server = demo()
    server.restart()
    server.retire_predecessors()
    table = keys(server.current.table_at_rest())
    assert hotstart("restart", server.current.pid).status == 0
    new = follow(server)
    server.retire_predecessors()
    assert os.readlink(f"/proc/{new.pid}/fd/2") == server.log.path
    assert keys(new.table_at_rest()) == table


# -- what is no server --


@pytest.mark.parametrize("verb", ["restart", "stop", "status", "commit", "abort"])
def test_a_pid_that_is_not_ours_is_left_alone(household, verb):
    # Every signal that we could send would end it.
    stranger = household.start(["sleep", "1000"], household.log("stranger"))
    ended = hotstart(verb, stranger.pid)
    assert ended.status == 3 and ended.out == ""
    assert ended.err.startswith(f"hotstart: process {stranger.pid} has no control socket")
    assert not stranger.has_exited()
    stranger.kill()
    stranger.wait_exit()


def test_a_number_that_was_a_servers_is_not_taken_for_it(household, demo):
    server = demo()
    stranger = household.start(["sleep", "1000"], household.log("stranger"))
    assert status_of(server.current)["phase"] == "serving"
    # As if a generation with that number had died, and the number had been given to another.
    name = control_path(stranger)
    os.link(control_path(server.current), name)
    ended = hotstart("stop", stranger.pid)
    os.unlink(name)
    assert ended.status == 3
    assert not stranger.has_exited() and server.get("/test").status == 200
    stranger.kill()
    stranger.wait_exit()


@pytest.mark.parametrize("what", ["nothing", "text", "directory", "stale", "silent", "other"])
def test_a_target_that_is_none(household, tmp_path, what):
    path = tmp_path / "target"
    listener = socket.socket(socket.AF_UNIX)
    if what == "text":
        path.write_text("no pid\n")
    elif what == "directory":
        path.mkdir()
    elif what != "nothing":
        listener.bind(str(path))
    if what == "other":
        listener.listen()
        command = Command(household, "restart", path)
        peer, _ = listener.accept()
        peer.sendall(b"220 mail.example ESMTP\r\n")
        peer.close()
        ended = command.wait()
    elif what == "silent":
        listener.listen()
        command = Command(household, "restart", path)
        peer, _ = listener.accept()
        peer.close()
        ended = command.wait()
    else:
        ended = hotstart("restart", path)
    listener.close()
    assert ended.status == 3 and ended.out == ""
    assert ended.err.startswith(f"hotstart: {path}: ") and ended.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [
    ("restart",), ("restart", "1", "2"), ("restart", "--frce", "1"), ("restart", "0"),
    ("restart", "99999999999999999999"), ("restart", ""), ("stop",), ("status", "1", "2"),
    ("commit", "1", "2"), ("stop", "--later", "1"),
])
def test_wrong_use(arguments):
    ended = hotstart(*arguments)
    assert ended.status == 2 and ended.out == "" and ended.err.count("\n") == 1


# -- status --


def test_status_shows_generations_and_listeners(demo):
    server = demo("--probation", 30)
    old = server.current
    assert hotstart("restart", old.pid).status == 0
    new = follow(server)
    with server.connect() as client:
        client.get("/test")
        ended = hotstart("status", new.pid)
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].split() == ["GENERATION", "PID", "PHASE", "AGE", "HELD", "CONNECTIONS",
                                "DEADLINE", "BUILD", "PROGRAM"]
    assert re.match(rf" +2 +{new.pid} serving .* 1 +- {build_id(DEMO)[:12]} {re.escape(DEMO)}$", lines[1])
    assert re.match(rf" +1 +{old.pid} probation ", lines[2])
    assert lines[3].split() == ["LISTENER", "ADDRESS"]
    assert lines[4].split() == ["http", f"tcp://127.0.0.1:{server.address[1][1]}"]
    # Any generation's pid leads to the same server.
    assert hotstart("status", "--json", old.pid).json()["pid"] == new.pid


def test_status_of_every_server(demo):
    servers = [demo(), demo(), demo()]
    found = [one["pid"] for one in hotstart("status", "--json").json()]
    assert found == sorted(found)
    # There may be others, elsewhere.
    assert {s.current.pid for s in servers} <= set(found)
    tables = hotstart("status").out
    assert all(re.search(rf"^ +1 +{s.current.pid} serving", tables, re.MULTILINE) for s in servers)


def test_status_of_nobody(tmp_path):
    ended = hotstart("status", env=dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path)))
    # Servers elsewhere are none of this test's business.
    assert ended.status == 0 and (ended.out or "no server of this user" in ended.err)


def test_status_of_one_that_does_not_answer_in_time(demo):
    server = demo("--probation", 30)
    old = server.current
    assert hotstart("restart", old.pid).status == 0
    new = follow(server)
    old.freeze()
    rows = status_of(new)["generations"]
    assert [(row["pid"], row["phase"]) for row in rows] == [(new.pid, "serving"), (old.pid, "silent")]
    old.thaw()


def test_watch_goes_on_until_the_server_is_gone(household, demo):
    server = demo()
    command = Command(household, "status", "--watch", "--json", server.current.pid)
    wait_until(lambda: len(command.out.lines()) >= 2, "it has been shown twice", None, [command.out.watch])
    server.stop()
    ended = command.wait()
    assert ended.status == 3
    assert {json.loads(line)["type"] for line in ended.out.splitlines()} == {"status"}


# -- stop --


def test_stop_waits_until_nobody_is_left(demo, tmp_path):
    pid_file = tmp_path / "demo.pid"
    server = demo("--pid-file", pid_file)
    wait_until(pid_file.exists, "there is a PID file")
    ended = hotstart("stop", pid_file)
    assert (ended.status, ended.out, ended.err) == (0, "stopped\n", "")
    assert server.current.has_exited()
    assert not pid_file.exists() and not os.path.exists(control_path(server.current))
    server.stop()


def test_stop_in_a_probation_leaves_nobody(household, demo):
    server = demo("--probation", 30)
    old = server.current
    assert hotstart("restart", old.pid).status == 0
    new = follow(server)
    assert hotstart("stop", new.pid).status == 0
    assert old.has_exited() and new.has_exited()
    assert not os.path.exists(control_path(old)) and not os.path.exists(control_path(new))
    server.stop()


def test_stop_now_cuts_off_what_is_in_flight(demo):
    server = demo()
    with server.connect() as held:
        held.hold()
        assert hotstart("stop", "--now", server.current.pid).status == 0
    assert server.current.has_exited()
    server.stopped = True
    server.current.wait_exit()


def test_a_restart_that_a_stop_ends_is_refused(household, demo, releases):
    server = demo(program=releases.current)
    fifo = blocked_release(releases)
    releases.switch("blocked")
    command = Command(household, "restart", server.current.pid)
    server.log.wait_for(re.compile("restart: spawn"))
    assert hotstart("stop", server.current.pid).status == 0
    ended = command.wait()
    assert ended.status == 1 and "stop" in ended.err
    os.unlink(fifo)
    server.stop()


# -- commit and abort --


def test_commit_lets_a_restart_go_on(household, demo):
    server = demo("--manual-commit")
    command = Command(household, "restart", server.current.pid)
    command.err.wait_for(re.compile("is ready and waits for commit or abort"))
    assert server.get("/generation").generation == 1
    assert status_of(server.current)["held"] is True
    assert "waits for `hotstart commit`" in hotstart("status", server.current.pid).out
    # No TARGET: there is one that waits.
    committed = hotstart("commit")
    assert committed.status == 0 and "generation 2 serves" in committed.out
    assert command.wait().status == 0
    follow(server)
    assert hotstart("commit", server.current.pid).status == 1


def test_abort_gives_a_restart_up(household, demo):
    server = demo("--manual-commit")
    command = Command(household, "restart", server.current.pid)
    command.err.wait_for(re.compile("is ready and waits"))
    aborted = hotstart("abort", server.current.pid)
    assert (aborted.status, aborted.out) == (0, "aborted\n")
    ended = command.wait()
    assert ended.status == 1 and "rolled back" in ended.err
    assert server.get("/generation").generation == 1
    assert hotstart("abort", server.current.pid).status == 1


def test_commit_without_a_target_and_without_a_restart(demo):
    demo("--manual-commit")
    assert hotstart("commit").status == 1


# -- where it is --


def test_into_another_pid_namespace(household, demo):
    unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no new namespaces here")
    log = household.log("inside.log")
    outer = household.start([*unshare, DEMO, "--listen", "tcp://127.0.0.1:0"], log)
    log.wait_for(re.compile(r"serving on"))
    inner = wait_until(lambda: outer.children(), "it has a child")[0]
    shown = hotstart("status", "--json", inner)
    assert shown.status == 0, shown
    assert shown.json()["pid"] == 1 and shown.json()["generations"][0]["build_id"] == build_id(DEMO)
    ended = hotstart("stop", inner)
    assert ended.status == 0, ended
    outer.wait_exit()
