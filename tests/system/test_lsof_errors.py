# SPDX-License-Identifier: MIT
"""What lsof 4.95 refuses `hotstart lsof` refuses, with the same first line and the same exit status."""

import pytest

from golden import House, needs_lsof

pytestmark = needs_lsof

WRONG = [
    "-a",
    "-y",
    "-a:",
    "-p", "-p abc", "-p 1,x", "-p 1,^1",
    "-g abc", "-g 1,^1",
    "-u", "-u nosuchuser", "-u root,^root", f"-u {'x' * 40}",
    "-c", "-c -x", "-c /foo", "-c /foo/q", "-c /(/", "-c /a/bx", "-c /a/xb", "-c /a/ii", "-c ^a -c a",
    "-c sixteen-letters.", "-c ^sixteen-letters.", "-c sixteen\\letters.", "-c sixteen-letters. -p abc",
    "+c", "+c x", "+c -R", "+c 16", "+c 99x", "+c 99999999999",
    "-d", "-d 5-3", "-d 5-5", "-d 3-", "-d -3", "-d a-b", "-d ^5,6", "-d 5,^6", "-d ^1-3,5",
    "+d", "+d /nosuch", "+d /etc/passwd", "+D", "+D /nosuch", "-D x", "-x", "-x q +d /etc",
    "-i sctp", "-i tcp@", "-i tcp@:80", "-i :", "-i tcp:", "-i ,", "-i 6@127.0.0.1", "-i 4@[::1]",
    "-i @[::", "-i @[::]", "-i @[::ffff:1.2.3.4]:x", "-i @0.0.0.0", "-i 4", "-i :nosuchsvc",
    "-i tcp:nosuchsvc", "-i :80-http", "-i :http-80", "-i :80-79", "-i :80-", "-i :80-90-100", "-i :8x",
    "-i :99999",
    "-s foo", "-s TCP:", "-s UDP:", "-s TCP:FOO", "-s UDP:Idle", "-s TCP:,LISTEN", "-s TCP:LISTEN,LISTEN",
    "-s TCP:^LISTEN,^LISTEN", "-s TCP:LISTEN,^LISTEN", "-s -o", "-o -s",
    "-F -t", "-Fx", "-FpQ", "-r1m%n -F", "-r1m", "-L5", "-T x", "-Tqx", "-K x", "-Z", "+fx",
    "/nosuch", "/nosuch /nosuch/either", "-- -nosuch", "++ /nosuch", "-Q /nosuch", "+f -- /etc",
    "+f -- /nosuch", "-V /nosuch",
    "-y -p abc -F -t",
]


@pytest.fixture(scope="module")
def house():
    place = House()
    yield place
    place.close()


@pytest.mark.parametrize("line", WRONG)
def test_is_refused_as_lsof_refuses_it(house, line):
    if line == "-i 4":
        line = "-a -p 999999 -i 4"
    house.compare(*line.split())


@pytest.mark.parametrize("arguments", [["-i", ""], ["-p", ""], ["-d", ""], ["-u", ""], ["-s", ""], ["-F", ""]])
def test_an_empty_value_is_taken_as_lsof_takes_it(house, arguments):
    house.compare("-a", "-c", "nothing", *arguments)


def test_the_message_is_followed_by_the_usage(house):
    ours = house.hotstart("-p", "abc")

    assert ours.errors.startswith("lsof: illegal process ID: abc\n usage: lsof ")
    assert ours.output == ""


@pytest.mark.parametrize("option", ["-b", "-e/", "+m", "+M", "-O", "-S3", "-X", "-K"])
def test_what_is_not_supported_is_refused_by_name(house, option):
    ours = house.hotstart(option)

    assert "not supported" in ours.first_error()
    assert ours.status == 1
    assert ours.output == ""
