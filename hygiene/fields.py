"""The fields of a report as people call them. Pure."""

FIELDS = {
    "root_disk": "system disk",
    "free_disk_bytes": "free disk",
    "joint_reclaim_bytes": "what would really be freed",
    "unattributed_bytes": "what Docker can’t explain",
    "runner_workdir_bytes": "runner work folders",
    "runner_roots": "runner folders",
}


def field_words(name: str) -> str:
    """A field of the report as people call it."""
    return FIELDS.get(name) or name.removesuffix("_bytes").replace("_", " ")
