# SPDX-License-Identifier: MIT
"""The report opens in a browser without an error, and a page with an error would be noticed."""
import os
import re
import shutil
import subprocess

import pytest

from verify import DEMO, MISRESTART, verify


@pytest.fixture
def browse(tmp_path):
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not installed (tools/deps heavy)")

    def run(page, *options):
        done = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--log-level=0",
             f"--user-data-dir={tmp_path / 'profile'}", *options, f"file://{page}"],
            capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)})
        assert done.returncode == 0, done.stderr
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return run


def test_an_error_would_be_noticed(browse, tmp_path):
    (tmp_path / "bad.html").write_text("<script>throw new Error('seen')</script>")
    _, errors = browse(tmp_path / "bad.html", "--dump-dom")
    assert errors


@pytest.mark.parametrize("server, word", [
    ((DEMO, "--listen", "127.0.0.1:0", "--hello-delay", "0.2"), "Clean"),
    ((MISRESTART, "truncate"), "Suffered"),
])
def test_report_opens_without_errors(browse, tmp_path, server, word):
    page = tmp_path / "report.html"
    verify("--restarts", 3, "--every", 0.3, "--report", page, "--", *server)
    text, errors = browse(page, "--dump-dom")
    assert errors == []
    assert word in text
    assert "<svg" in text


def test_report_fits_a_phone(browse, tmp_path):
    page = tmp_path / "report.html"
    verify("--restarts", 1, "--every", 0.3, "--report", page, "--", MISRESTART, "good")
    # The page says its own width in its title: what is wide has to scroll by itself.
    probe = tmp_path / "probe.html"
    probe.write_text(f"""<iframe id="f" style="width:360px;height:700px;border:0" srcdoc=""></iframe><script>
const f = document.getElementById('f');
f.onload = () => {{ document.title = 'width ' + f.contentDocument.documentElement.scrollWidth; }};
f.srcdoc = {page.read_text()!r};</script>""")
    text, errors = browse(probe, "--dump-dom", "--virtual-time-budget=5000")
    assert errors == []
    assert int(re.search(r"<title>width (\d+)</title>", text).group(1)) <= 360
