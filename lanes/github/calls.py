"""The calls that change something at GitHub, as a plan has to declare them. Pure."""

from typing import Final

REGISTRATION_TOKEN: Final = "github_registration_token"  # noqa: S105  # a name
REMOVE_TOKEN: Final = "github_remove_token"  # noqa: S105  # a name
DELETE_RUNNER: Final = "github_delete_runner"
SET_LABELS: Final = "github_set_labels"
ADD_LABEL: Final = "github_add_label"
REMOVE_LABEL: Final = "github_remove_label"
