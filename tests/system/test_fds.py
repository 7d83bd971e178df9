# SPDX-License-Identifier: MIT
"""`hotstart fds`: selections, columns, forms, comparison, exit statuses."""

import base64
import json
import os
import re
import socket
import subprocess

import pytest

from fds import HOTSTART, fds, rows
from puppet import Puppets
from waiting import wait_until


@pytest.fixture
def puppets(tmp_path):
    made = Puppets(str(tmp_path))
    yield made
    made.close()


@pytest.fixture
def puppet(puppets):
    return puppets.start()


def numbers(*arguments):
    return [int(fd) for (fd,) in rows(*arguments, columns=["fd"])]


# ---- selection ----


def test_a_process_is_listed_as_the_kernel_shows_it(puppet):
    expected = puppet.ask("sorted(int(n) for n in os.listdir('/proc/self/fd'))")[:-1]
    assert numbers("-p", puppet.pid) == expected


def test_selections_of_different_kinds_are_anded(puppet):
    puppet.run("l = socket.create_server(('127.0.0.1', 0)); u, v = socket.socketpair(); e = os.eventfd(0)")
    listener, event = puppet.ask("l.fileno()"), puppet.ask("e")
    pair = sorted(puppet.ask("[u.fileno(), v.fileno()]"))
    of = ("-p", puppet.pid)
    assert numbers(*of, "-k", "tcp") == [listener]
    assert numbers(*of, "-k", "tcp,eventfd") == sorted([listener, event])
    assert numbers(*of, "-k", "unix", "-d", f"{pair[0]}-{pair[0]}") == pair[:1]
    assert numbers(*of, "-k", "unix", "-d", f"0-2,{listener}") == []
    assert numbers(*of, "--listen") == [listener]
    assert numbers(*of, f"--listen={puppet.ask('l.getsockname()[1]')}") == [listener]
    assert numbers(*of, "--listen=1") == []
    assert numbers("-p", f"{puppet.pid},{puppet.pid}", "-d", "0") == [0]
    assert numbers(*of, "-c", "server", "-d", "0") == [0]
    assert numbers(*of, "-c", "serverx", "-d", "0") == []
    assert numbers(*of, "-u", os.getuid(), "-d", "0") == [0]
    assert numbers(*of, "-u", os.getuid() + 1, "-d", "0") == []


def test_without_a_selection_everything_is_listed(puppet):
    pids = {int(pid) for (pid,) in rows(columns=["pid"])}
    assert {puppet.pid, os.getpid()} <= pids


@pytest.mark.parametrize("arguments", [
    ["-p", "abc"], ["-p", "0"], ["-p", "1,"], ["-d", "5-3"], ["-d", "x"], ["-d", "1-2-3"],
    ["-k", "nothing"], ["-u", "no-such-user-here"], ["-g", "0"], ["-g", "newest"], ["--listen=0"],
    ["--listen=65536"], ["-o", "nothing"], ["--watch=0"], ["--watch=x"], ["--count", "3"],
    ["--no-such-option"], ["-p"], ["argument"], ["--tree", "--same"], ["--json", "--tree"],
    ["--check", "-o", "pid"], ["--limit", "0"], ["--limit", "101"], ["--watch", "--diff", "x"],
])
def test_wrong_use_is_one_line_and_status_2(arguments):
    found = fds(*arguments)
    assert found.status == 2 and found.stdout == ""
    assert re.fullmatch(r"hotstart: fds: .*; try `hotstart help`\n", found.stderr)


def test_exit_statuses(puppet, tmp_path):
    of = ("-p", puppet.pid)
    assert fds(*of).status == 0
    nothing = fds(*of, "-k", "signalfd")
    assert (nothing.status, nothing.stdout, nothing.stderr) == (1, "", "")
    puppet.stop()
    gone = fds(*of)
    assert (gone.status, gone.stdout) == (1, "")
    assert f"pid {puppet.pid}: no such process" in gone.stderr
    assert fds("--diff", tmp_path / "missing").status == 3
    full = fds("-p", os.getpid(), command=["sh", "-c", '"$@" > /dev/full', "sh"])
    assert full.status == 3 and "cannot write" in full.stderr


# ---- columns ----


def test_every_column_is_listed_and_can_be_printed(puppet):
    names = [line.split()[0] for line in fds("--columns", "help").lines]
    assert len(names) > 30
    for name in names:
        found = fds("-p", puppet.pid, "-d", "0", "-o", name)
        assert found.status == 0 and found.lines[0].strip() == name.upper(), name
    found = fds("-p", puppet.pid, "-d", "0", "-o", ",".join(names))
    assert found.lines[0].split() == [name.upper() for name in names]


def test_cells_say_what_the_kernel_says(puppet, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    fd = puppet.ask(f"os.open({str(path)!r}, os.O_RDONLY)")
    puppet.run(f"os.read({fd}, 2); fcntl.flock({fd}, fcntl.LOCK_SH)")
    status = path.stat()
    ((command, pid, ppid, mode, cloexec, kind, size, offset, inode, locks, name),) = rows(
        "-p", puppet.pid, "-d", fd, columns=["command", "pid", "ppid", "mode", "cloexec", "kind", "size", "offset",
                                             "inode", "locks", "name"])[0:1] and [
        tuple(line.split(None, 9)[:9]) + ("flock read", str(path))
        for line in fds("-p", puppet.pid, "-d", fd, "--no-headings", "-o",
                        "command,pid,ppid,mode,cloexec,kind,size,offset,inode,locks,name").lines]
    assert (command, int(pid), int(ppid)) == ("server", puppet.pid, os.getpid())
    assert (mode, cloexec, kind) == ("r", "yes", "file")
    assert (int(size), int(offset), int(inode)) == (5, 2, status.st_ino)
    assert fds("-p", puppet.pid, "-d", fd, "--no-headings", "-o", "locks,name").stdout.strip() == f"{locks} {name}"


def test_a_listener_with_its_queue(puppet):
    puppet.run("l = socket.create_server(('127.0.0.1', 0), backlog=3)")
    port = puppet.ask("l.getsockname()[1]")
    columns = ["kind", "state", "queue", "backlog", "drops", "name"]
    with socket.create_connection(("127.0.0.1", port)):
        expected = [("tcp", "LISTEN", "1/3", "3", "0", f"127.0.0.1:{port}")]
        assert rows("-p", puppet.pid, "--listen", columns=columns) == expected
        # Without a process to look at, the kernel is asked for listeners alone.
        assert expected[0] in rows("--listen", columns=columns)


def test_a_connection_with_its_addresses_and_bytes(puppet):
    puppet.run("l = socket.create_server(('127.0.0.1', 0))")
    with socket.create_connection(("127.0.0.1", puppet.ask("l.getsockname()[1]"))) as client:
        puppet.run("c, _ = l.accept()")
        client.sendall(b"123")
        puppet.run("select.select([c], [], [])")
        here, there = (f"{h}:{p}" for h, p in (client.getpeername(), client.getsockname()))
        assert rows("-p", puppet.pid, "-d", puppet.ask("c.fileno()"),
                    columns=["state", "queue", "name"]) == [("ESTABLISHED", "3/0", f"{here}->{there}")]


def test_a_name_that_a_terminal_would_obey_is_escaped(puppet, tmp_path):
    path = str(tmp_path / "line\nend\x1b[2J\\")
    fd = puppet.ask(f"os.open({path!r}, os.O_RDWR | os.O_CREAT)")
    (found,) = fds("-p", puppet.pid, "-d", fd, "--no-headings", "-o", "name").lines
    assert found.endswith("line\\x0aend\\x1b[2J\\\\")


# ---- JSON ----


def test_the_document_has_every_key_of_its_schema(puppet):
    puppet.run("l = socket.create_server(('127.0.0.1', 0)); e = select.epoll(); e.register(l)")
    document = fds("--json", "-p", puppet.pid).json()
    assert document["schema"] == "hotstart.fds/1" and document["complete"] is True and document["gaps"] == []
    assert set(document) == {"schema", "time", "boot_id", "complete", "gaps", "processes", "descriptions",
                             "findings"}
    (process,) = document["processes"]
    assert set(process) == {
        "pid", "start", "parent", "group", "session", "uid", "user", "name", "state", "threads", "open", "limit",
        "server", "generation", "program", "program_deleted", "netns", "error", "files"}
    assert process["pid"] == puppet.pid and process["name"] == "server" and process["generation"] == 1
    keys = {"fd", "role", "kind", "mode", "cloexec", "flags", "target", "name", "device", "raw_device", "inode",
            "size", "links", "deleted", "offset", "mount", "in_flight", "pidfd", "watches", "locks", "held",
            "description", "error", "step", "socket"}
    for file in process["files"]:
        assert set(file) == keys
    listener = next(f for f in process["files"] if f["kind"] == "tcp")
    assert set(listener["socket"]) == {
        "family", "type", "state", "listening", "local", "peer", "peer_inode", "receive_queue", "send_queue",
        "drops", "cookie", "netns", "v6only"}
    assert listener["socket"]["listening"] is True and listener["socket"]["peer"] is None
    cookie = puppet.ask("l.getsockopt(socket.SOL_SOCKET, 57, 8).hex()")  # SO_COOKIE, little endian
    assert int(listener["socket"]["cookie"], 16) == int.from_bytes(bytes.fromhex(cookie), "little")
    (watch,) = next(f for f in process["files"] if f["kind"] == "epoll")["watches"]
    assert (watch["fd"], watch["inode"]) == (listener["fd"], listener["inode"])


def test_names_that_are_no_utf8_stay_valid_json(puppet, tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"\xff\xc3\xa4\xed\xa0\x80")
    fd = puppet.ask(f"os.open({path!r}, os.O_RDWR | os.O_CREAT)")
    found = subprocess.run([HOTSTART, "fds", "--json", "-p", str(puppet.pid), "-d", str(fd)], capture_output=True)
    (file,) = json.loads(found.stdout.decode("utf-8", "strict"))["processes"][0]["files"]
    assert base64.b64decode(file["target_base64"]) == path
    assert file["target"].endswith("/\ufffd\u00e4\ufffd\ufffd\ufffd")


def test_json_lines_are_one_file_each(puppet):
    lines = fds("--jsonl", "-p", puppet.pid).jsonl()
    assert [line["fd"] for line in lines] == numbers("-p", puppet.pid)
    assert {(line["pid"], line["command"]) for line in lines} == {(puppet.pid, "server")}


def test_files_that_are_no_descriptors(puppet):
    lines = fds("--jsonl", "--files", "-p", puppet.pid).jsonl()
    roles = {line["role"]: line["target"] for line in lines if line["role"] != "descriptor"}
    assert roles["cwd"] == os.getcwd() and roles["root"] == "/"
    assert roles["program"] == os.readlink(f"/proc/{puppet.pid}/exe")
    mapped = {line["target"] for line in lines if line["role"] == "mapped"}
    assert any("/libc.so" in name for name in mapped)
    assert all(line["fd"] is None and line["mode"] is None for line in lines if line["role"] != "descriptor")


# ---- one description ----


def test_what_is_the_same_and_what_is_only_the_same_file(puppet, tmp_path):
    path = str(tmp_path / "file")
    puppet.run(f"a = os.open({path!r}, os.O_RDWR | os.O_CREAT); b = os.dup(a); c = os.open({path!r}, os.O_RDWR)\n"
               "d = os.eventfd(0); e = os.dup(d); f = os.eventfd(0)")
    a, b, c, d, e, f = (puppet.ask(name) for name in "abcdef")
    found = {line["fd"]: line["description"] for line in fds("--jsonl", "-p", puppet.pid).jsonl()}
    assert found[a] == found[b] != found[c]
    assert found[d] == found[e] != found[f]
    assert len({found[a], found[c], found[d], found[f]}) == 4
    same = fds("--same", "--jsonl", "-p", puppet.pid, "-d", f"{a}-{f}").jsonl()
    assert sorted([h["fd"] for h in line["holders"]] for line in same) == sorted([[a, b], [d, e]])


def test_descriptors_shared_by_processes(puppet):
    child = puppet.run("a, b = socket.socketpair(); r, w = os.pipe()\nchild = os.fork()\n"
                       "if child == 0:\n    os.close(b.fileno()); os.write(w, b'x'); signal.pause()\n"
                       "os.read(r, 1); result = child")
    a, b = puppet.ask("a.fileno()"), puppet.ask("b.fileno()")
    lines = fds("--same", "--jsonl", "-p", f"{puppet.pid},{child}", "-d", f"{a},{b}").jsonl()
    assert [[(h["pid"], h["fd"]) for h in line["holders"]] for line in lines] == [
        sorted([(puppet.pid, a), (child, a)])]
    puppet.run("os.kill(child, signal.SIGKILL); os.waitpid(child, 0)")


# ---- generations ----


def listener_lines(tree):
    """Of the internet: the control socket is a listener, too."""
    return [line for line in tree.lines if re.search(r" tcp +LISTEN ", line)]


def test_the_tree_of_a_restart_says_who_holds_the_listener(demo):
    """Before, during (the first generation can still resume) and after."""
    server = demo("--threads", "1", "--probation", "60")
    first = server.current
    (address,) = {local for (local,) in rows("-p", first.pid, "--listen", "-k", "tcp", columns=["local"])}
    before = fds("--tree", "-p", first.pid)
    assert "generation 1" in before.stdout and "generation 2" not in before.stdout
    assert listener_lines(before) and all(address in line for line in listener_lines(before))

    second = server.restart()
    during = fds("--tree", "-p", second.pid)
    held = {p.pid: sorted(row.number for row in p.listeners() if "AF_INET" in row.kind) for p in (first, second)}
    text = ", ".join(f"{number} in generation {generation} (pid {pid})"
                     for generation, pid in ((1, first.pid), (2, second.pid)) for number in held[pid])
    assert held[first.pid] and held[second.pid]
    lines = listener_lines(during)
    assert len(lines) == len(held[first.pid]) + len(held[second.pid])
    assert all(address in line and text in line for line in lines), (text, during)

    server.stop()
    assert fds("--tree", "-p", f"{first.pid},{second.pid}").status == 1


def test_a_listener_in_two_generations_is_one_line_of_holders(puppets):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number, port = listener.fileno(), listener.getsockname()[1]
        first = puppets.start(pass_fds=[number])
        second = puppets.generation(2, listener)
    second.run(f"moved = os.dup({number}); os.close({number})")
    moved = second.ask("moved")
    tree = fds("--tree", "-p", first.pid)
    assert tree.status == 0
    text = f"{number} in generation 1 (pid {first.pid}), {moved} in generation 2 (pid {second.pid})"
    lines = [line for line in tree.lines if f"127.0.0.1:{port}" in line]
    assert len(lines) == 2 and all(text in line for line in lines)

    both = f"{first.pid},{second.pid}"
    assert rows("-p", both, "--listen", columns=["pid", "generation", "fd"]) == [
        (str(first.pid), "1", str(number)), (str(second.pid), "2", str(moved))]
    assert rows("-p", both, "-g", "old", "--listen", columns=["pid"]) == [(str(first.pid),)]
    assert rows("-p", both, "-g", "new", "--listen", columns=["pid"]) == [(str(second.pid),)]
    assert rows("-p", both, "-g", "2", "--listen", columns=["pid"]) == [(str(second.pid),)]
    assert rows("-p", both, "-g", "3", "--listen", columns=["pid"]) == []


def test_workers_are_of_the_generation_of_their_parent(puppets):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        puppet = puppets.generation(4, listener)
    worker = puppet.run("r, w = os.pipe()\nworker = os.fork()\n"
                        "if worker == 0:\n    os.write(w, b'x'); signal.pause()\nos.read(r, 1); result = worker")
    assert rows("-p", f"{puppet.pid},{worker}", "--listen", columns=["generation"]) == [("4",), ("4",)]
    puppet.run("os.kill(worker, signal.SIGKILL); os.waitpid(worker, 0)")


def test_holders_of_another_server_are_none_of_its_generations(puppets, tmp_path):
    others = Puppets(tmp_path, name="other")
    ours, theirs = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    with ours, theirs, open(tmp_path / "log", "w") as log:
        first = puppets.start(pass_fds=[ours.fileno(), log.fileno()])
        other = others.start(pass_fds=[theirs.fileno(), log.fileno()])
        number = log.fileno()
    tree = fds("--tree", "-p", f"{first.pid},{other.pid}", "-d", number)
    text = [f"{number} in generation 1 (pid {{}})", f"{number} in pid {{}} ({{}})"]
    assert [all(part in line for part in parts) for line, parts in zip(
        [line for line in tree.lines if str(tmp_path / "log") in line],
        [[text[0].format(first.pid), text[1].format(other.pid, "other")],
         [text[0].format(other.pid), text[1].format(first.pid, "server")]])] == [True, True]
    others.close()


OVERWRITE = """
stat = open("/proc/self/stat").read().rpartition(")")[2].split()
start, end = int(stat[47]), int(stat[48])
ctypes.memset(start, 0, end - start)
"""


def test_a_title_over_the_environment_hides_no_generation(puppets):
    """As nginx's: its new binary is a child of the old one, and has forked workers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        first = puppets.start(pass_fds=[number])
    pids = first.run(f"""
child = subprocess.Popen(["/proc/self/exe", "-c", '''
import ctypes, os, signal
{OVERWRITE}
worker = os.fork()
if worker:
    print(worker, flush=True)
signal.pause()
'''], executable=os.readlink("/proc/self/exe"), pass_fds=[{number}], stdout=subprocess.PIPE,
    env=dict(os.environ, NGINX="{number};"))
result = [child.pid, int(child.stdout.readline())]
""")
    assert rows("-p", f"{first.pid},{pids[0]},{pids[1]}", "--listen", columns=["pid", "generation"]) == [
        (str(first.pid), "1"), (str(pids[0]), "2"), (str(pids[1]), "2")]
    first.run(f"os.kill({pids[1]}, signal.SIGKILL); child.kill(); child.wait()")


# ---- what changed ----


def changes(*arguments):
    found = fds("--jsonl", *arguments)
    assert found.status in (0, 1), found
    return [(c["change"], *((c["after"] or c["before"])[k] for k in ("pid",)), (c["after"] or c["before"])["file"]["fd"])
            for c in found.jsonl()]


def test_diff_with_a_snapshot(puppets, tmp_path):
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number, port = listener.fileno(), listener.getsockname()[1]
        first, second = puppets.start(pass_fds=[number]), puppets.start()
        kept = number
        gone = first.ask("os.eventfd(0)")
        both = ("-p", f"{first.pid},{second.pid}")
        assert fds("--snapshot", before, *both).status == 0
        assert fds("--diff", before, *both).status == 1
        second_listener = puppets.start(pass_fds=[kept])
    three = ("-p", f"{first.pid},{second.pid},{second_listener.pid}")
    first.run(f"os.close({gone})")
    new = second.ask("os.open('/dev/zero', os.O_RDONLY)")
    found = changes("--diff", before, *three)
    assert ("gone", first.pid, gone) in found and ("new", second.pid, new) in found
    assert ("inherited", second_listener.pid, kept) in found
    assert not [c for c in found if c[1] == first.pid and c[2] != gone]
    text = fds("--diff", before, *three).stdout
    assert re.search(rf"^= server +{second_listener.pid} .* 127.0.0.1:{port}$", text, re.MULTILINE)
    assert re.search(rf"^- server +{first.pid} ", text, re.MULTILINE)

    first.run(f"os.close({kept})")
    second_listener.stop()
    second.run(f"l = socket.create_server(('127.0.0.1', {port}))")
    assert ("rebound", second.pid, second.ask("l.fileno()")) in changes("--diff", before, *both)
    assert fds("--snapshot", after, *both).status == 0
    assert changes("--diff", before, after, *both) == changes("--diff", before, *both)


def test_a_snapshot_replaces_no_link_and_no_device(puppet, tmp_path):
    target, link, fifo = tmp_path / "target", tmp_path / "link", tmp_path / "fifo"
    link.symlink_to(target)
    os.mkfifo(fifo)
    reader = subprocess.Popen(["cp", fifo, tmp_path / "read"])
    for path in link, fifo:
        assert fds("--snapshot", path, "-p", puppet.pid, "-d", "0").status == 0
    assert link.is_symlink() and json.loads(target.read_text())["schema"] == "hotstart.fds/1"
    assert fifo.is_fifo() and reader.wait() == 0
    assert json.loads((tmp_path / "read").read_text())["schema"] == "hotstart.fds/1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fifo", "link", "read", "server", "target"]


def test_a_snapshot_goes_through_nobody_elses_link(puppet, tmp_path):
    """Beside it is where it is written first, under a name that can be guessed."""
    path, victim = tmp_path / "snapshot", tmp_path / "victim"
    script = 'ln -s "$2" "$1.$$" && exec "$3" fds --snapshot "$1" -p "$4" -d 0'
    done = subprocess.run(["/bin/sh", "-c", script, "sh", path, victim, HOTSTART, str(puppet.pid)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "File exists" in done.stderr, done
    assert not victim.exists() and not path.exists()
    assert [one.is_symlink() for one in tmp_path.glob("snapshot.*")] == [True]


def test_what_is_no_snapshot_is_refused(tmp_path, puppet):
    path = tmp_path / "file"
    for text, why in (("", "line"), ("{}", "no snapshot"), ("[1]", "no snapshot"), ("{", "line 1"),
                      ('{"schema": "hotstart.fds/1"}', "no snapshot"),
                      ('{"schema": "hotstart.fds/1", "processes": [], "boot_id": "x"}', "boot")):
        path.write_text(text)
        found = fds("--diff", path, "-p", puppet.pid)
        assert found.status == 3 and why in found.stderr and found.stdout == "", (text, found)


def test_a_snapshot_with_anything_in_it_does_no_harm(tmp_path, puppet):
    path, odd = tmp_path / "file", tmp_path / "odd"
    fds("--snapshot", path, "-p", puppet.pid)
    document = json.loads(path.read_text())
    for value in (None, -1, "x", [], {}, [{}], 2**62, True, [1, None]):
        for part in (document["processes"][0]["files"][0], document["processes"][0], document):
            kept = dict(part)
            part.update((key, value) for key in part if key not in ("schema", "boot_id", "processes"))
            odd.write_text(json.dumps(document))
            part.update(kept)
            assert fds("--diff", odd, "--check", "-p", puppet.pid).status in (0, 1, 3)


def test_watch_marks_what_changed(puppet):
    with subprocess.Popen([HOTSTART, "fds", "--watch=0.02", "-p", str(puppet.pid), "-o", "fd,name"],
                          stdout=subprocess.PIPE, text=True) as watch:
        assert any("/dev/null" in line for line in watch.stdout)  # the first round
        fd = puppet.ask("os.open('/dev/zero', os.O_RDONLY)")
        assert any(re.match(rf"\+ +{fd} /dev/zero", line) for line in watch.stdout)
        puppet.run(f"os.close({fd})")
        assert any(re.match(rf"- +{fd} /dev/zero", line) for line in watch.stdout)
        watch.kill()


def test_watch_ends_after_its_rounds(puppet):
    found = fds("--watch=0.01", "--count", "3", "-p", puppet.pid, "-d", "0", "-o", "pid", "--no-headings")
    assert found.status == 0
    assert len(re.findall(rf"\b{puppet.pid}$", found.stdout, re.MULTILINE)) == 3


def test_reading_leaves_nothing_behind_in_who_is_read(puppet):
    puppet.run("bare = socket.socket(); l = socket.create_server(('127.0.0.1', 0)); u = os.dup(0)")
    before = [str(row) for row in puppet.process.fd_table()]
    for form in ("--json", "--tree", "--same", "--check"):
        fds(form, "-p", puppet.pid)
    assert [str(row) for row in puppet.process.fd_table()] == before
