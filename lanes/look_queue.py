"""Looking at a lane as work of the queue: it asks GitHub and a host, and no web request waits for either."""

from django_q.tasks import async_task

from lanes.looking import observe_now
from lanes.models import Lane

TASK = "lanes.look_queue.look_queued"


def queue_look(lane: Lane, *, asked_by: str) -> None:
    """Have a worker look at `lane`; what it saw is then the lane's last look."""
    async_task(TASK, lane.pk, asked_by, cluster="observe")


def look_queued(lane_id: int, asked_by: str) -> None:
    """What a worker does with the number of a lane. One that is gone by now is looked at by nobody."""
    lane = Lane.objects.select_related("host").filter(pk=lane_id).first()
    if lane is not None:
        observe_now(lane, asked_by=asked_by)
