"""Records that came back from the evidence store wait, visibly, until somebody answers for that."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audits", "0002_evidence_store")]

    operations = [
        migrations.CreateModel(
            name="Restoration",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("begun_at", models.DateTimeField()),
                ("own_seq", models.BigIntegerField()),
                ("last_seq", models.BigIntegerField()),
            ],
            options={"default_permissions": ()},
        ),
    ]
