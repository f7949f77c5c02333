"""The database learns that it has segments beside it; one that holds records already has had them."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone


def note_begun(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    using = editor.connection.alias
    if apps.get_model("audits", "AuditRecord").objects.using(using).exists():
        apps.get_model("audits", "EvidenceStore").objects.using(using).create(begun_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("audits", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="EvidenceStore",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("begun_at", models.DateTimeField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunPython(note_begun, migrations.RunPython.noop, elidable=True),
    ]
