"""What an operator may enter for a host."""

import pytest
from django.core.exceptions import ValidationError

from launchplane.hosts.validators import validate_folders


@pytest.mark.parametrize(
    ("folders", "why"),
    [
        (["/srv/runners", "/srv/runners"], "'/srv/runners' is named twice"),
        (["/srv/runners", "/opt", "//srv/./runners/"], "is named twice"),
        (["/srv/runners/a", "/opt", "/srv/runners"], "'/srv/runners/a' lies in '/srv/runners'"),
        (["/srv", "/srv/a", "/srv/a/b"], "'/srv/a' lies in '/srv'"),
        (["/srv", "/srv-2", "/srv/a"], "'/srv/a' lies in '/srv'"),
        (["/", "/srv"], "'/srv' lies in '/'"),
    ],
)
def test_folders_that_would_be_counted_twice_are_refused(folders: list[str], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        validate_folders(folders)


def test_folders_beside_each_other_are_accepted() -> None:
    validate_folders(["/srv/runners", "/srv/runners-2", "/opt/runners", "/srv/a"])
    validate_folders([])
