"""A change may be closed because a restored database had forgotten that it was begun, or ended."""

from django.db import migrations, models
from django.db.models import Q

WHY = {
    "stale": "stale",
    "expired": "expired",
    "rejected": "rejected",
    "cancelled": "cancelled",
    "superseded": "superseded",
    "restored": "ended before a restore",
}


class Migration(migrations.Migration):
    dependencies = [("changes", "0002_plan_run")]

    operations = [
        migrations.RemoveConstraint(model_name="change", name="change_closed_says_why"),
        migrations.AlterField(
            model_name="change",
            name="why_closed",
            field=models.CharField(blank=True, choices=list(WHY.items()), max_length=12),
        ),
        migrations.AddConstraint(
            model_name="change",
            constraint=models.CheckConstraint(
                condition=(Q(status="closed") & Q(why_closed__in=list(WHY)))
                | (~Q(status="closed") & Q(why_closed="")),
                name="change_closed_says_why",
            ),
        ),
    ]
