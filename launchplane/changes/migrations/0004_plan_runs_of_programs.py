"""A plan may be asked for by a program: a run names its identity, and who answers for it. Changes are read by time."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q


def name_who_asked(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Until now everybody who asked was a person."""
    for run in apps.get_model("changes", "PlanRun").objects.select_related("asked_by"):
        run.identity = f"user:{run.asked_by_id}"
        run.save(update_fields=["identity"])
        run.responsible.add(run.asked_by)
    if editor.connection.vendor == "postgresql":
        # it alters no table that has constraints to look at still
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [
        ("changes", "0003_restored"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="planrun",
            name="identity",
            field=models.CharField(default="", max_length=100),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="planrun",
            name="responsible",
            field=models.ManyToManyField(related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(name_who_asked, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="planrun",
            name="asked_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="planrun",
            name="asked_by_name",
            field=models.CharField(max_length=200),
        ),
        migrations.RemoveConstraint(model_name="planrun", name="one_open_plan_run_of_the_same"),
        migrations.AddConstraint(
            model_name="planrun",
            constraint=models.UniqueConstraint(
                condition=Q(status__in=("queued", "running")),
                fields=("host", "kind", "asked_digest", "identity"),
                name="one_open_plan_run_of_the_same",
            ),
        ),
        migrations.AlterField(
            model_name="change",
            name="requester_name",
            field=models.CharField(max_length=200),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(fields=["-planned_at", "-id"], name="change_by_time"),
        ),
    ]
