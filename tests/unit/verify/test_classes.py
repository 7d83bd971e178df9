# SPDX-License-Identifier: MIT
"""Each way of misbehaving is counted under its own class, as often as it happened, and nothing else is."""

import pytest

from loadrun import Load, Server, failed, reconnects, run

CLIENTS, REQUESTS = 3, 7
ALL = CLIENTS * REQUESTS

# (mode of the server, profile, what failed, what was reconnected)
ONE_CLASS = [
    ("good", "busy", {}, {}),
    ("good", "new", {}, {}),
    ("good", "think:think=0-3", {}, {}),
    ("good", "pipelined:depth=3", {}, {}),
    ("good", "upload:every=1", {}, {}),
    ("good", "download:every=1,bytes=200000", {}, {}),
    ("refuse", "busy", {"refused": ALL}, {}),
    ("refuse", "new", {"refused": ALL}, {}),
    ("full", "busy:connect=30", {"connect_timeout": ALL}, {}),
    ("reset", "busy", {"reset": ALL}, {"other": ALL}),
    ("reset", "new", {"reset": ALL}, {}),
    ("reset", "upload:every=1", {"reset": ALL}, {"other": ALL}),
    ("eof", "busy", {"reset": ALL}, {"other": ALL}),
    ("cut-head", "busy", {"cut": ALL}, {"other": ALL}),
    ("cut-body", "busy", {"cut": ALL}, {"other": ALL}),
    ("cut-body", "new", {"cut": ALL}, {}),
    ("cut-body", "upload:every=1", {"cut": ALL}, {"other": ALL}),
    ("cut-body", "download:every=1,bytes=50000", {"cut": ALL}, {"other": ALL}),
    ("cut-reset", "busy", {"cut": ALL}, {"other": ALL}),
    # Each second request of a connection is lost: the 2nd, 4th and 6th of seven.
    ("race", "busy", {"keepalive_race": CLIENTS * 3}, {"other": CLIENTS * 3}),
    ("race", "think:think=1-2", {"keepalive_race": CLIENTS * 3}, {"other": CLIENTS * 3}),
    ("race", "new", {}, {}),
    ("stall", "busy:timeout=30", {"timeout": ALL}, {"other": ALL}),
    ("status", "busy", {"wrong_status": ALL}, {}),
    ("status", "busy:status=503", {}, {}),
    ("status", "download:every=1,bytes=5", {"wrong_status": ALL}, {}),
    ("bytes", "download:every=1,bytes=50000", {"wrong_bytes": ALL}, {}),
    ("bytes", "upload:every=1", {"wrong_bytes": ALL}, {}),
    ("short", "download:every=1,bytes=50000", {"wrong_bytes": ALL}, {}),
    ("short", "upload:every=1", {"wrong_bytes": ALL}, {}),
    ("good", "busy:expect=test 22222", {}, {}),
    ("good", "busy:expect=test 2222", {"wrong_bytes": ALL}, {}),
    ("good", "busy:expect=test 222222", {"wrong_bytes": ALL}, {}),
    # Each third answer of a connection: the 3rd and the 6th of seven.
    ("announce", "busy", {}, {"announced": CLIENTS * 2}),
    ("announce", "new", {}, {}),
    ("idle", "busy", {}, {"idle": ALL}),
    ("idle", "think:think=1-5", {}, {"idle": ALL}),
    ("idle", "new", {}, {}),
    ("malformed", "busy", {"malformed": ALL}, {"other": ALL}),
    ("malformed", "new", {"malformed": ALL}, {}),
    ("trailing", "busy", {"malformed": ALL}, {"other": ALL}),
    ("alternate", "busy", {}, {}),
]


def with_counts(profile):
    separator = "," if ":" in profile else ":"
    return f"{profile}{separator}clients={CLIENTS},requests={REQUESTS}"


def check(summary, expected, reconnected):
    assert failed(summary) == expected
    assert reconnects(summary) == reconnected
    assert summary["requests"]["sent"] == ALL
    assert summary["requests"]["unserved"] == 0


@pytest.mark.parametrize("mode,profile,expected,reconnected", ONE_CLASS,
                         ids=[f"{row[0]}-{row[1]}" for row in ONE_CLASS])
def test_exactly_this_class_is_counted(mode, profile, expected, reconnected):
    with Server(mode) as server:
        check(run(server.target, "--profile", with_counts(profile)), expected, reconnected)


# Over a UNIX socket an answer and the end of its connection are two events, between which a client may
# write: what is "idle" over TCP may be the race there.
UNIX = [row for row in ONE_CLASS if row[0] != "idle"]


@pytest.mark.parametrize("mode,profile,expected,reconnected", UNIX,
                         ids=[f"{row[0]}-{row[1]}" for row in UNIX])
def test_exactly_this_class_is_counted_over_unix(mode, profile, expected, reconnected, tmp_path):
    with Server(mode, tmp_path / "socket") as server:
        check(run(server.target, "--profile", with_counts(profile)), expected, reconnected)


def test_every_class_occurs_in_the_table():
    """All but `client`, which is about this host; the unit test of the classifier has it."""
    seen = set().union(*(row[2] for row in ONE_CLASS))
    assert seen == {"refused", "connect_timeout", "reset", "cut", "keepalive_race", "timeout", "malformed",
                    "wrong_status", "wrong_bytes"}
    assert set().union(*(row[3] for row in ONE_CLASS)) == {"announced", "idle", "other"}


def test_nobody_listens_at_a_unix_path(tmp_path):
    summary = run(f"unix:{tmp_path}/nothing", "--profile", "busy:requests=3")
    assert failed(summary) == {"refused": 3}


def test_refused_for_a_while():
    """Refused until the server listens, right from then on, nothing else."""
    with Server("refuse") as server, Load(server.target, "--profile", "busy:clients=2",
                                          "--until-eof") as load:
        load.wait_line("ready")
        server.end_input()
        load.wait_line("generation 1 ")
        summary = load.end()
    assert failed(summary).keys() == {"refused"}
    assert summary["requests"]["ok"] >= 1
    assert reconnects(summary) == {}


def test_pipelined_requests_behind_an_announced_close_are_unserved():
    """Batches of four on a server that announces the end on its third answer: one of each is behind it."""
    with Server("announce") as server:
        summary = run(server.target, "--profile", "pipelined:depth=4,requests=12")
    assert failed(summary) == {}
    assert (summary["requests"]["ok"], summary["requests"]["unserved"]) == (9, 3)
    assert reconnects(summary) == {"announced": 3}


def test_pipelined_requests_under_an_unannounced_close_fail():
    """Batches of three on a server that closes under its second request without a word."""
    with Server("race") as server:
        summary = run(server.target, "--profile", "pipelined:depth=3,requests=6")
    assert failed(summary) == {"keepalive_race": 4}
    assert summary["requests"]["ok"] == 2
    assert reconnects(summary) == {"other": 2}


def test_one_bad_profile_does_not_stain_another():
    """A blob with a wrong byte is the download's failure alone."""
    with Server("bytes") as server:
        summary = run(server.target, "--profile", "busy:requests=20", "--profile",
                      "download:requests=2,every=1,bytes=1000")
    by_name = {profile["name"]: failed(profile) for profile in summary["profiles"]}
    assert by_name == {"busy": {}, "download": {"wrong_bytes": 2}}
