"""The calls that change something at GitHub, as a plan declares them and the door spends them. Pure."""

from typing import Final

REGISTRATION_TOKEN: Final = "github registration-token"  # noqa: S105  # a name
REMOVE_TOKEN: Final = "github remove-token"  # noqa: S105  # a name
DELETE_RUNNER: Final = "github delete-runner"
SET_LABELS: Final = "github set-labels"
ADD_LABEL: Final = "github add-label"
REMOVE_LABEL: Final = "github remove-label"
EVERY_CALL: Final = (REGISTRATION_TOKEN, REMOVE_TOKEN, DELETE_RUNNER, SET_LABELS, ADD_LABEL, REMOVE_LABEL)
