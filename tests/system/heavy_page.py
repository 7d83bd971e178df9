# SPDX-License-Identifier: MIT
"""The demo's page in Chromium, open over restarts: its connections stay, its numbers go on. Label heavy."""

import json
import shutil

import pytest

from clients.browser import Browser
from command import hotstart

# Resolves when every connection of the page has been answered by that generation, with what was seen until then.
AWAIT = """
new Promise((resolve) => {
    const look = () => {
        if (![seen.events, seen.websocket, seen.requests].every(({ generation }) => generation >= GENERATION)) return;
        removeEventListener('seen', look);
        resolve(JSON.stringify(seen));
    };
    addEventListener('seen', look);
    look();
})
"""
TEXT = "[...document.querySelectorAll('[data-show]')].map((one) => one.dataset.show + ' ' + one.textContent)"
# What it loaded beside itself, and what is wider than the window.
REMOTE = "performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => !name.startsWith(origin))"
FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def browser(tmp_path):
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not installed (package chromium: tools/deps heavy)")
    with Browser(chromium, str(tmp_path)) as found:
        yield found


def await_generation(browser, tab, number):
    return json.loads(browser.run(tab, AWAIT.replace("GENERATION", str(number))))


@pytest.mark.parametrize("probation", ["2", "0"])
def test_an_open_page_over_five_restarts(demo, browser, probation):
    server = demo("--probation", probation)
    tab = browser.open(f"http://127.0.0.1:{server.address[1][1]}/")
    first = await_generation(browser, tab, 1)
    assert first["restarts"] == 0 and first["pid"] == server.first.pid
    for generation in range(2, 7):
        done = hotstart("restart", server.current.pid)
        assert done.status == 0, done
        server.await_generation(generation)
        last = await_generation(browser, tab, generation)
    assert last["generation"] == first["generation"] + 5 and last["pid"] == server.current.pid
    assert (last["restarts"], last["reconnects"], last["gaps"], last["failed"]) == (5, 0, 0, 0)
    for connection in ("events", "websocket"):
        assert last[connection]["opened"] == 1 and last[connection]["pid"] == server.current.pid
        assert last[connection]["n"] > first[connection]["n"]
    shown = browser.run(tab, TEXT)
    assert {"generation 6", f"pid {server.current.pid}", "restarts 5", "reconnects 0", "gaps 0", "failed 0"} <= set(shown)
    assert browser.run(tab, "draw(), document.querySelectorAll('#strip .restart').length") > 0
    assert browser.run(tab, REMOTE) == []
    assert browser.errors == []
    server.retire_predecessors()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits(demo, browser, width):
    server = demo()
    tab = browser.open(f"http://127.0.0.1:{server.address[1][1]}/")
    browser.call("Emulation.setDeviceMetricsOverride", tab, width=width, height=844, deviceScaleFactor=1, mobile=width < 500)
    await_generation(browser, tab, 1)
    assert browser.run(tab, "innerWidth") == width
    assert browser.run(tab, FITS)


def test_what_goes_wrong_is_counted(demo, browser):
    """A server that is gone: each counter would have told."""
    server = demo()
    tab = browser.open(f"http://127.0.0.1:{server.address[1][1]}/")
    await_generation(browser, tab, 1)
    browser.run(tab, "numbered('events', { n: seen.events.n + 2, generation: 1, pid: 1 }, '')")
    server.stop()
    assert browser.run(tab, """
        new Promise((resolve) => {
            const look = () => { if (seen.reconnects >= 2 && seen.failed > 0) resolve(seen.gaps); };
            addEventListener('seen', look);
            look();
        })""") > 0
    assert browser.errors, "refused connections are errors on the console"
