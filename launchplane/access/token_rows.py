"""A token, its owner and all that the owner may do everywhere, in one statement: each call of a program begins with it.

Plain SQL: the ORM takes several times as long to write such a statement as the database to answer it.
"""

from typing import Final

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from launchplane.access.models import ApiToken, User

# in the model's order, as `from_db` takes them
_OWNER: Final = ("id", "is_superuser", "username", "is_active")
# names of ours, all of them
_RIGHTS: Final = (
    f"SELECT {{joined}}((SELECT app_label FROM {ContentType._meta.db_table} AS c WHERE c.id = p.content_type_id) "  # noqa: S608
    f"|| '.' || p.codename, ' ') FROM {Permission._meta.db_table} AS p WHERE p.id IN "
    f"(SELECT permission_id FROM {User.user_permissions.through._meta.db_table} WHERE user_id = o.id) OR p.id IN "
    f"(SELECT permission_id FROM {Group.permissions.through._meta.db_table} WHERE group_id IN "
    f"(SELECT group_id FROM {User.groups.through._meta.db_table} WHERE user_id = o.id))"
)
_TOKEN: Final = (
    f"SELECT t.*, {', '.join(f'o.{name} AS owner_{name}' for name in _OWNER[1:])}, ({_RIGHTS}) AS owner_rights "  # noqa: S608
    f"FROM {ApiToken._meta.db_table} AS t JOIN {User._meta.db_table} AS o ON o.id = t.owner_id WHERE t.public = %s"
)
_JOINED: Final = {"postgresql": "string_agg", "sqlite": "group_concat"}


def find(public: str) -> ApiToken | None:
    """The token of that public part, with its owner, who knows what they may do everywhere; None if there is none."""
    statement = _TOKEN.format(joined=_JOINED[connection.vendor])
    for row in ApiToken.objects.raw(statement, [public]):
        row.owner = _owner(row)
        return row
    return None


def _owner(row: ApiToken) -> User:
    """What else is known of them is read when it is asked for."""
    said = vars(row)
    is_superuser, username, is_active = (said.pop(f"owner_{name}") for name in _OWNER[1:])
    owner = User.from_db(row._state.db, _OWNER, [row.owner_id, bool(is_superuser), username, bool(is_active)])
    if not owner.is_superuser:
        # where Django's backend keeps what it read of a person for as long as a request takes
        vars(owner)["_perm_cache"] = set((said.pop("owner_rights") or "").split())
    return owner
