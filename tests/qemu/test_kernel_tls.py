# SPDX-License-Identifier: MIT
"""What connections with TLS do where the kernel has it, and where it has not."""

import os

import pytest

from machine import Machine, missing

BUILD = os.environ.get("HOT_BUILD", os.path.abspath("../../build"))
SYSTEM = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "system"))

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


def test_a_session_goes_from_process_to_process():
    result = Machine().run(os.path.join(BUILD, "tests", "test_http_ktls"), timeout=600)
    assert result.status == 0, result
    assert "PASSED" in result.output, result


def test_a_kernel_without_tls_is_found_out():
    result = Machine(modules=()).run(os.path.join(BUILD, "tests", "test_http_ktls"), timeout=600)
    assert result.status == 77, result


def test_connections_move():
    result = Machine().run(
        f"cd {SYSTEM} && HOT_BUILD={BUILD} HOT_PATIENCE=200 PYTHONDONTWRITEBYTECODE=1 "
        "/usr/bin/python3 -m pytest -p no:cacheprovider -q -rs heavy_kernel_tls.py", timeout=840)
    assert result.status == 0 and "skipped" not in result.output, result
