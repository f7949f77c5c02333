"""What the walk through the tutorial borrows: the browser of all browser tests, and the server's tests' databases."""

from tests.browser.conftest import browser_type_launch_args

__all__ = ["browser_type_launch_args"]
