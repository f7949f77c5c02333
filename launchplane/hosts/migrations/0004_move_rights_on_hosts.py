"""Rights on single hosts move from guardian's generic tables, where a host is only a text, to those with a foreign key.

A row whose host is gone means nothing any more, and is dropped with the rest of the generic ones. Nobody's rights
change, so nothing of this is noted as an edit.
"""

from django.db import migrations


def move(apps, _editor):
    existing = {str(pk): pk for pk in apps.get_model("hosts", "Host").objects.values_list("pk", flat=True)}
    for generic_name, direct_name, holder in (
        ("UserObjectPermission", "HostUserObjectPermission", "user_id"),
        ("GroupObjectPermission", "HostGroupObjectPermission", "group_id"),
    ):
        generic = apps.get_model("guardian", generic_name).objects.filter(
            content_type__app_label="hosts", content_type__model="host"
        )
        direct = apps.get_model("hosts", direct_name)
        direct.objects.bulk_create(
            direct(
                content_object_id=existing[row.object_pk],
                permission_id=row.permission_id,
                **{holder: getattr(row, holder)},
            )
            for row in generic
            if row.object_pk in existing
        )
        generic.delete()


class Migration(migrations.Migration):

    dependencies = [
        ("hosts", "0003_rights_on_one_host"),
        ("guardian", "0003_remove_groupobjectpermission_guardian_gr_content_ae6aec_idx_and_more"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
