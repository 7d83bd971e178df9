# SPDX-License-Identifier: MIT
"""Where `hotstart lsof` is not lsof 4.95, on purpose: the list of hotstart-lsof(1), one by one.

Each test shows both: what lsof says, and what is said here.
"""

import os
import sys

import pytest

from golden import House, NOBODY, needs_lsof, needs_root

pytestmark = needs_lsof


@pytest.fixture(scope="module")
def house():
    place = House()
    yield place
    place.close()


@pytest.fixture(scope="module")
def made(house):
    return house.start()


def both(house, made, kind, *arguments):
    """A descriptor's row, without its command, pid and user: lsof's, and ours."""
    if kind in made.missing:
        pytest.skip(f"no {kind} here: {made.missing[kind]}")
    fd = made.fds[kind]
    arguments = ["-nP", "-a", "-p", str(made.pid), "-d", str(fd), *arguments]
    return row_of_only(house.lsof(*arguments)), row_of_only(house.hotstart(*arguments))


def row_of_only(listing):
    rows = listing.rows()
    assert len(rows) == 1, listing.output
    return rows[0][3:]


def test_descriptor_numbers_are_whole(house, made):
    theirs, ours = both(house, made, "high")

    assert theirs[0].startswith("*345")
    assert ours[0].startswith("12345")
    assert ours[1:] == theirs[1:]


def test_descriptor_numbers_are_whole_in_fields(house, made):
    if "high" in made.missing:
        pytest.skip(f"no high number here: {made.missing['high']}")
    ours = house.hotstart("-Ff", "-a", "-p", str(made.pid), "-d", "12345")

    assert ours.output.splitlines() == [f"p{made.pid}", "f12345"]


@pytest.mark.parametrize("kind, letter", [("ofd-write", "W"), ("ofd-read-part", "r")])
def test_locks_of_a_description_are_shown(house, made, kind, letter):
    theirs, ours = both(house, made, kind)

    assert theirs[0] == f"{made.fds[kind]}u"
    assert ours[0] == f"{made.fds[kind]}u{letter}"
    assert ours[1:] == theirs[1:]


def test_a_lock_is_shown_where_it_was_inherited(house):
    path = os.path.join(house.directory, "inherited.lock")
    holder = house.start_in([*house.enter, "flock", "--exclusive", path], "--only", "null")
    arguments = ["-a", "-p", str(holder.pid), path]

    assert row_of_only(house.lsof(*arguments))[0] == "3r"
    assert row_of_only(house.hotstart(*arguments))[0] == "3rW"


@pytest.mark.parametrize("kind, type_", [("tcp-bound", "IPv4"), ("tcp6-bound", "IPv6")])
def test_a_bound_socket_has_its_address_before_it_listens(house, made, kind, type_):
    theirs, ours = both(house, made, kind)

    assert theirs[1] == "sock"
    if ours[1] == "sock":
        pytest.skip("this kernel does not tell bound sockets (before Linux 6.8)")
    assert ours[1] == type_
    assert ours[4] == "TCP"
    assert ours[5].startswith("127.0.0.1:" if type_ == "IPv4" else "[::1]:")
    assert ours[6] == "(BOUND)"


def test_a_bound_socket_is_found_by_its_address_and_is_no_listener(house, made):
    _, ours = both(house, made, "tcp-bound")
    if ours[1] == "sock":
        pytest.skip("this kernel does not tell bound sockets (before Linux 6.8)")
    port = ours[5].partition(":")[2]
    arguments = ["-a", "-p", str(made.pid), f"-iTCP:{port}"]

    assert house.lsof(*arguments).status == 1
    assert house.hotstart(*arguments).status == 0
    assert house.hotstart(*arguments, "-sTCP:LISTEN").output == ""


@needs_root
@pytest.mark.parametrize(
    "kind, types", [("tcp-any", ("sock", "IPv4")), ("unix-packets", ("sock", "unix")),
                    ("netlink-bound", ("sock", "netlink"))]
)
def test_sockets_of_another_network_namespace_are_known(house, kind, types):
    other = house.start_in([*house.enter, "unshare", "--net"], "--loopback", "--only", kind)
    theirs, ours = both(house, other, kind)

    assert (theirs[1], ours[1]) == types
    if kind == "tcp-any":
        assert ours[-1] == "(LISTEN)"
        assert house.lsof("-a", "-p", str(other.pid), "-i").status == 1
        assert house.hotstart("-a", "-p", str(other.pid), "-i").status == 0


def test_a_tree_is_found_if_anything_in_it_is(house, made):
    arguments = ["-t", "-a", "-p", str(made.pid), "+D", made.directory]
    theirs, ours = house.lsof(*arguments), house.hotstart(*arguments)

    assert ours.output == theirs.output == f"{made.pid}\n"
    assert (theirs.status, ours.status) == (1, 0)


def test_a_tree_of_which_nothing_is_open_is_not_found(house, made):
    empty = os.path.join(house.directory, "empty")
    os.makedirs(empty, exist_ok=True)

    assert house.hotstart("-a", "-p", str(made.pid), "+D", empty).status == 1


def test_a_directory_keeps_lsofs_exit_status(house, made):
    listing = house.compare("-t", "-a", "-p", str(made.pid), "+d", made.directory)

    assert listing.status == 1


def test_repeating_ends_after_so_many_rounds(house, made):
    arguments = ["-r1c2", "-a", "-p", str(made.pid), "-d", "3"]
    theirs, ours = house.lsof(*arguments), house.hotstart(*arguments)
    once = house.hotstart(*arguments[1:]).output

    assert theirs.status == 1
    assert theirs.output == "=======\n=======\n"
    assert ours.status == 0
    assert ours.output == (once + "=======\n") * 2


def test_what_follows_the_rounds_is_the_marker(house, made):
    ours = house.hotstart("-r1c1mnow", "-t", "-p", str(made.pid))

    assert ours.output == f"{made.pid}\nnow\n"


def test_names_of_unix_sockets_are_whole(house, made):
    theirs, ours = both(house, made, "unix-spaced")

    assert "a" == theirs[5].rpartition("/")[2]
    assert " ".join(ours[5:]) == f"{made.directory}/a b:c.sock type=STREAM (LISTEN)"
    assert house.hotstart("-a", "-p", str(made.pid), f"{made.directory}/a b:c.sock").status == 0


MAPS_ONE = r"""
import mmap, os, sys
file = open(os.path.join(sys.argv[1], "a\tb"), "w+b")
file.truncate(1)
mapped = mmap.mmap(file.fileno(), 1)
print("pid", os.getpid())
print("ready", flush=True)
sys.stdin.read()
"""


def test_names_of_mapped_files_are_whole(house):
    made = house.start_in(house.enter, "-c", MAPS_ONE, program=sys.executable)
    arguments = ["-a", "-p", str(made.pid), "-d", "mem"]

    assert f" {made.directory}/a (stat: No such file or directory)\n" in house.lsof(*arguments).output
    assert f" {made.directory}/a\\tb\n" in house.hotstart(*arguments).output


@pytest.mark.parametrize("name", ["a)b", "(", "x) S 1 2 3 ("])
def test_a_command_may_have_any_name(house, name):
    program = os.path.join(house.programs, name)
    os.link(house.mkfds, program)
    odd = house.start_in([*house.enter], "--only", "null", program=program)
    ours = house.hotstart("-Fpcf", "-a", "-p", str(odd.pid), "-d", "3")

    assert ours.output.splitlines()[:2] == [f"p{odd.pid}", f"c{name}"]


@needs_root
def test_file_systems_are_looked_at_only_for_names(house, made):
    hidden = os.path.join(house.directory, "hidden")
    os.makedirs(f"{hidden}/mounted")
    os.chmod(hidden, 0o700)
    assert house.run(["mount", "-t", "tmpfs", "none", f"{hidden}/mounted"]).status == 0
    arguments = {"user": NOBODY, "cwd": "/"}

    assert "can't stat() tmpfs file system" in house.lsof("-p", str(made.pid), **arguments).errors
    assert house.hotstart("-p", str(made.pid), **arguments).errors == ""
    assert "can't stat() tmpfs file system" in house.hotstart("/", **arguments).errors
    assert house.run(["umount", f"{hidden}/mounted"]).status == 0


@needs_root
def test_threads_are_not_listed(house):
    house.start("--threads", "--only", "null")
    arguments = ["-c^lsof", "-d", "cwd", "-a", "-c", "mkfds"]

    assert " TID " in house.lsof("-c^lsof").output.splitlines()[0]
    assert house.hotstart("-c^lsof").output == house.hotstart("-c^lsof", "-K", "i").output
    assert house.hotstart(*arguments).output == house.lsof(*arguments, "-K", "i").output


@needs_root
def test_threads_that_may_not_be_read_are_not_listed(house):
    threaded = house.start("--threads", "--only", "null")
    arguments = {"user": NOBODY, "cwd": "/"}
    hidden = f"/proc/{threaded.pid}/task/"

    assert hidden in house.lsof(**arguments).output
    assert hidden not in house.hotstart(**arguments).output
    # Of this one: others come and go meanwhile, and a longer pid makes a column wider.
    one = ["-p", str(threaded.pid)]
    assert house.hotstart(*one, **arguments).output == house.lsof(*one, "-K", "i", **arguments).output


@pytest.mark.parametrize("option, word", [("-h", "hotstart-lsof(1)"), ("-v", "revision: 4.95.0\n")])
def test_help_and_version_are_our_own(house, option, word):
    ours = house.hotstart(option)

    assert word in ours.errors
    assert (ours.output, ours.status) == ("", 0)
