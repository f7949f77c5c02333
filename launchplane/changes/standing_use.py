"""How much the runs under a standing approval have taken, which its caps for a day are held against."""

from datetime import timedelta

from django.db.models import Count, Sum
from django.utils import timezone

from launchplane.changes.models import Change, StandingApproval


def used_lately(row: StandingApproval) -> tuple[int, int]:
    """Items and bytes that its runs of the last 24 hours have taken, or meant to where that is not known."""
    since = timezone.now() - timedelta(hours=24)
    lately = Change.objects.filter(standing__host=row.host_id, kind=row.kind, started_at__gt=since)
    begun = lately.filter(steps__intent_at__isnull=False)
    runs = begun.annotate(items=Count("steps"), freed=Sum("steps__freed_bytes"))
    sizes = runs.values_list("items", "actual_bytes", "freed", "predicted_bytes")
    return sum(items for items, *_ in sizes), sum(_taken(*of_run) for _items, *of_run in sizes)


def _taken(actual: int | None, freed: int | None, predicted: int | None) -> int:
    """What a run took, by whichever said most: the disk, its items, or without either what it meant to."""
    return max(predicted or 0 if actual is None else actual, freed or 0, 0)
