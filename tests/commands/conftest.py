"""Hosts that tell of lanes, and the stand-in for GitHub, for the commands about them."""

from tests.lanes.conftest import connected, server, there

__all__ = ["connected", "server", "there"]
