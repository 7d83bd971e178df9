# SPDX-License-Identifier: MIT
"""`hotstart lsof` is lsof 4.95, option by option and in combinations, on a process with everything."""

import pytest

from golden import House, needs_lsof, words

pytestmark = needs_lsof

OPTIONS = """
-p PID
-n -p PID
-P -p PID
-n -P -p PID
-l -p PID
-R -p PID
-g -p PID
-o -p PID
-s -p PID
-o0 -p PID
-o2 -o -p PID
+L -p PID
-L -p PID
+fg -p PID
+fG -p PID
-t -p PID
-w -p PID
-F -p PID
-F0 -p PID
-T -p PID
+T -p PID
-Tq -p PID
-Ts -p PID
-Tqs -p PID
-Tf -p PID
+c0 -p PID
+c3 -p PID
+c15 -p PID
-K i -p PID
-V -p PID
-Q -p PID
-N -p PID
-a -p PID -U
-a -p PID -i
-a -p PID -d cwd
-a -p PID -u USER
-a -p PID -c mkfds
-a -p PID -s TCP:LISTEN
-a -p PID +d DIR
-a -p PID +D DIR/directory
-a -p PID DIR/read.txt
"""

COMBINATIONS = """
-a -p PID -d 3
-ap PID -d 3,5,7
-a -p PID -d 3-9 -o
-a -p PID -d cwd,rtd,txt
-a -p PID -d mem
-a -p PID -d DEL
-a -p PID -d ^mem
-a -p PID -d fd
-a -p PID -d ^fd
-a -p PID -d 999
-a -p PID -d NOFD
-a -p PID -d nonsense
-a -p PID -d 3 -d 5
-p PID -ad3
-nPp PID
-Fpcfn -p PID
-FpcuLfatDiskn0 -p PID
-F o -p PID
-F s -p PID -d cwd -a
-FT -p PID
-FTn -T -p PID
-Fr -p PID
-FG -p PID
-Fk -a -p PID -d fd
-F -l -R -a -p PID -d 3
-F -o -i -a -p PID
-R -g -l -p PID
-R -g -o -s0 -p PID
-s -i -a -p PID
-o -i -a -p PID
-oo0 -a -p PID -d fd
-oo1 -a -p PID -d fd
+fg -o +L -R -g -l -p PID
+L2 -a -p PID
+L1 -a -p PID
-a -p PID -i4
-a -p PID -i6
-a -p PID -i 4 -i 6
-a -p PID -iTCP
-a -p PID -iudp
-a -p PID -iudplite
-a -p PID -i4TCP
-a -p PID -i6UDP
-a -p PID -i@127.0.0.1
-a -p PID -i@localhost
-a -p PID -i4@localhost
-a -p PID -i6@localhost
-a -p PID -i@[::1]
-a -p PID -itcp@127.0.0.1:1-65535
-a -p PID -i:1-65535
-a -p PID -i:80,http
-a -p PID -i:ssh
-a -p PID -i -sTCP:LISTEN
-a -p PID -i -sTCP:^LISTEN
-a -p PID -i:1-65535 -sTCP:LISTEN -V
-p PID -i -sTCP:LISTEN
-a -p PID -i@127.0.0.1 -i6 -sTCP:LISTEN -F
-a -p PID -i -sTCP:LISTEN -d 3-60 -V
-a -p PID -iTCP -sTCP:LISTEN,close_wait
-a -p PID -sTCP:LISTEN,CLOSE_WAIT -n
-a -p PID -i -U
-a -p PID -U -F
-a -p PID -Uo
-a -p PID -i -Tqs -n -P
-a -p PID -i -Tqs -FnPT
-a -p PID -i 4 -i tcp:80 -V
-a -p PID DIR/read.txt DIR/linked.too
-a -p PID DIR/linked.too DIR/linked.txt
-a -p PID DIR/../read.txt
-a -p PID DIR/stream.sock
-a -p PID -f -- /
-a -p PID +f -- /
-a -p PID /
-a -p PID -V /etc/passwd DIR/read.txt
-a -p PID +d DIR -V
-a -p PID +d DIR -x
-a -p PID +d DIR/
-a -p PID +D DIR/directory/
-a -p PID DIR/read.txt/
-a -p PID DIR/symlink
-d ,3 -a -p PID
-a -p PID, -d 3,,
-a -p PID -x l +d DIR
-a -p PID -x f +d DIR
-a -p PID +d DIR -t
-p PID,999999
-V -p PID,999999
-Q -p PID,999999
-QV -p PID,999999
-V -a -p PID -i:1
-a -p PID -c /^mk/ -d cwd
-a -p PID -c /MK/i -d cwd
-a -p PID -c mk -c mkfds
-a -p PID -c mkfds -c mk
-c ^mkfds -p PID
-u ^root -p PID
-p ^PID -a -p PID
-g PID -a -d cwd
-a -p PID -N -V
-r0 -a -p PID -d 3
+r1 -a -c nothing
+r1mX -F -a -c nothing
-a -p PID -s TCP:LAST_ACK -V
-t -a -p PID -i
-t -a -p PID -d 999
-w -p PID -a -d 3
-a -p PID -d 3 -- DIR/read.txt
-E -p PID
+E -p PID
+E -p PID -i -U
-E -a -p PID -i -F
+E -a -p PID -U +c0
+E -a -p PID -d 20-30
-a -p PID +d DIR//
-a -p PID +d DIR///
-u daemon
-u daemon,4711 -V -a -p PID
-V -u daemon
-a -p PID -d ^3-10
-a -p PID -d ^3 -d ^4
-a -p PID -d 00003
-a -p PID -d 3-00005
-a -p PID -d 99999999999
-a -p PID -d ^fd,^cwd
-a -p PID -d mem-3
-a -p PID -d 3-90 -FcfatDdiNlnPpRstTuz
-a -p PID -d 3-90 -F -Tq
-a -p PID -d 3-90 -F +fG -o
-a -p PID -d 3-90 -FZ
-Fpn -Fc -p PID
-F p,n -p PID
-F,
-tu USER -a -c mkfds
-a -p PID -i4TCP@127.0.0.1
-a -p PID -i6TCP@[::1]
-a -p PID -i tcp6
-a -p PID -i TcP
-a -p PID -i@127.0.0.1 -i@[::1]
-a -p PID -i @127.1
-a -p PID -i @1.2.3.4.5
-a -p PID -i @::1
-a -p PID -i @[127.0.0.1]
-a -p PID -i 4@[::ffff:127.0.0.1]
-a -p PID -i 6@[::ffff:127.0.0.1]
-a -p PID -i 6tcp@localhost
-a -p PID -i :0-65535
-a -p PID -i :1,,3
-a -p PID -i :-5
-a -p PID -i tcp:http-https
-a -p PID -i :domain
-a -p PID -i tcp:65536
-a -p PID -i tcp:00080
-a -p PID -i ^tcp
-a -p PID -i 46
-a -p PID -i 64tcp
-a -p PID -i 4 -i :80
-a -p PID -i tcp -i
-a -p PID -iTCP -iTCP -V
-a -p PID -i :1-65535 -i :1-65535 -V
-a -p PID -i@0.0.0.0
-a -p PID -i@255.255.255.255
-a -p PID -i -sTCP:LISTEN -sTCP:ESTABLISHED
-a -p PID -i -sTCP:LISTEN -sTCP:^ESTABLISHED
-a -p PID -i -s TCP:SYN_SENT,SYN_RCDV
-a -p PID -i -s UDP:^Idle
-a -p PID -i -s TCP:BOUND
-a -p PID -i -s TCP:LISTEN,,CLOSED
-sTCP:LISTEN -a -p PID -U
-r1c -a -p PID
"""


@pytest.fixture(scope="module")
def house():
    place = House()
    yield place
    place.close()


@pytest.fixture(scope="module")
def made(house):
    return house.start_comparable("--threads")


def lines(text):
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize("line", lines(OPTIONS))
def test_option_is_lsofs(house, made, line):
    house.compare(*words(line, made))


@pytest.mark.parametrize("line", lines(COMBINATIONS))
def test_combination_is_lsofs(house, made, line):
    house.compare(*words(line, made))


def test_the_process_has_everything(house, made):
    """What is compared is worth it: every type that Linux has is there."""
    types = {row[4] for row in house.hotstart("-nP", "-p", str(made.pid)).rows()}
    wanted = {"BLK", "CHR", "DIR", "FIFO", "IPv4", "IPv6", "LINK", "REG", "a_inode", "netlink", "sock",
              "unix"}
    assert wanted - types <= ({"BLK"} if "block" in made.missing else set())
    assert len(made.fds) + len(made.missing) >= 70
    assert len(made.fds) >= 50, made.missing


def test_under_its_own_name_it_is_the_verb_of_hotstart(house, made):
    verb = house.run([f"{house.programs}/hotstart", "lsof"], "-p", str(made.pid))

    assert verb.facts() == house.lsof("-p", str(made.pid)).facts()
