# SPDX-License-Identifier: MIT
"""Old and new generations that are linked with different versions of the library."""

import os
import re
import signal

import pytest

from load import Load
from server import BUILD, DEMO

NEXT = os.path.join(BUILD, "tests/demo-next")
STRANGE = os.path.join(BUILD, "tests/demo-strange")


@pytest.mark.parametrize("probation", [0, 30])
def test_each_hands_over_to_the_other(household, demo, releases, probation):
    releases.install("version-1", DEMO)
    releases.install("version-2", NEXT)
    releases.switch("version-1")
    server = demo("--probation", probation, program=releases.current)
    load = Load(household, server, "new:clients=4", "busy:clients=4")
    with load:
        for generation, release in enumerate(["version-2", "version-1", "version-2", "version-2", "version-1"], 2):
            releases.switch(release)
            server.restart()
            load.wait_generation(generation)
            assert os.path.basename(server.current.exe()) == release
    report = load.report()
    assert report.failed == {}, report
    assert set(report.answers) == set(range(1, 7))


@pytest.mark.parametrize("first, second", [(DEMO, STRANGE), (STRANGE, DEMO)])
def test_without_a_common_version_the_old_one_serves_on(demo, releases, first, second):
    releases.install("first", first)
    releases.install("second", second)
    releases.switch("first")
    server = demo(program=releases.current)
    releases.switch("second")
    server.current.signal(signal.SIGUSR2)
    text = server.log.wait_for(re.compile(r"restart rolled back: (.*)"))[1]
    assert text.startswith("hello: ") and "no version of the handover protocol" in text, text
    assert server.get("/generation").generation == 1
    releases.switch("first")
    server.restart()
