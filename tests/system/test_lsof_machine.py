# SPDX-License-Identifier: MIT
"""Listings of a whole machine, and as another user: `hotstart lsof` says what lsof 4.95 says."""

import pytest

from golden import House, NOBODY, needs_lsof, needs_root, words

pytestmark = [needs_lsof, needs_root]

# Neither lsof lists the same process as the other when it comes to itself.
OTHERS = "-K i -c ^lsof"

MACHINE = f"""
{OTHERS}
{OTHERS} -n -P
{OTHERS} -R -g -l
{OTHERS} -F
{OTHERS} -s
{OTHERS} -t
{OTHERS} -u root
{OTHERS} -u ^root
{OTHERS} -p ^PID
{OTHERS} -g ^1
{OTHERS} -c mkfds -d 3
{OTHERS} -d 3
{OTHERS} +L1
{OTHERS} /proc/self
{OTHERS} DIR/read.txt
{OTHERS} DIR
-i
-i -n -P
-i -F
-i -t
-i4
-i6
-i :1-65535
-i tcp@localhost:1-65535
-i 4 -i 6
-i 4 -i udp
-a -i 4 -iudp@127.0.0.1
-iTCP -sTCP:LISTEN
-iTCP -sTCP:LISTEN,CLOSED -V
-U
-U -i
-U DIR/stream.sock
-c mkfds
-c mkfds -c nosuch
-c mkfds -i
-c mkfds -a -U
-c /mk/ -a -d txt
-g PID
-g PID -a -i
+d DIR
DIR/read.txt
DIR/read.txt /etc/passwd -V
DIR/stream.sock
-u root -a -c mkfds -d cwd
-N
-E -i
+E -U
+E -a -p PID -d fd
{OTHERS} +E -p PID
"""

ANOTHER_USER = """
-p PID
-p 1
-w -p PID
-t -p PID
-F -p PID
-o -p PID
-R -g -p PID
+fg -p PID
+L -p PID
-a -p PID -d cwd
-a -p PID -d NOFD
-a -p PID -d 3
-a -p PID -i
-a -p PID -U
-p PID -i
-V -a -p PID -d mem -i
-a -p PID DIR/read.txt
+d /root
+D /root
/etc/ssl/private/nosuch
-u nobody -a -p OWN
-p OWN
"""


@pytest.fixture(scope="module")
def house():
    place = House()
    yield place
    place.close()


@pytest.fixture(scope="module")
def made(house):
    return house.start_comparable()


def lines(text):
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize("line", lines(MACHINE))
def test_of_the_whole_machine(house, made, line):
    house.compare(*words(line, made))


def test_names_are_taken_from_the_directory_that_one_is_in(house, made):
    listing = house.compare("./read.txt", "../" + made.directory.split("/")[-1] + "/linked.too",
                            cwd=made.directory)

    assert "./read.txt" in listing.output


@pytest.fixture(scope="module")
def own(house):
    """A process of that user's."""
    return house.start_as(NOBODY, "--only", "read", "--only", "tcp-any")


@pytest.mark.parametrize("line", lines(ANOTHER_USER))
def test_as_another_user(house, made, own, line):
    line = line.replace("OWN", str(own.pid))

    house.compare(*words(line, made), user=NOBODY, cwd="/")


@pytest.mark.parametrize("line", ["-Fpcfn -p", "-FpL -p", "-Fpu -p", "-p"])
def test_as_a_user_without_a_name(house, line):
    """The name is looked up, and missed aloud, only where it is shown."""
    unnamed = "64999"
    process = house.start_as(unnamed, "--only", "read")

    house.compare(*line.split(), str(process.pid), user=unnamed, cwd="/")
