"""The fields of each answer that leave a host.

Commands, environments, histories and descriptions hold secrets: none is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from onhost.engine.questions import CONTAINERS, DF, EVENTS, IMAGES, INFO, SERVICES, VERSION, VOLUMES
from onhost.engine.reduce import Reduce, fields, flag, list_of, map_of, named, nothing, number, text

LABELS: Final = map_of(text)
STACK_LABEL: Final = "com.docker.stack.namespace"
ACTOR_ATTRIBUTES: Final = ("image", "name", "container", "driver", "destination", "from")

IMAGE: Final = fields(
    Id=text,
    ParentId=text,
    RepoTags=list_of(text),
    RepoDigests=list_of(text),
    Created=number,
    Size=number,
    SharedSize=number,
    VirtualSize=number,
    Labels=LABELS,
    Containers=number,
)
CONTAINER: Final = fields(
    Id=text,
    Names=list_of(text),
    Image=text,
    ImageID=text,
    Created=number,
    State=text,
    Status=text,
    Labels=LABELS,
    SizeRw=number,
    SizeRootFs=number,
    Mounts=list_of(fields(Type=text, Name=text, Source=text, Destination=text, Driver=text, RW=flag)),
)
# Only the names of a volume's options: the password of a network share is among their values.
VOLUME: Final = fields(
    Name=text,
    Driver=text,
    Mountpoint=text,
    Scope=text,
    CreatedAt=text,
    Labels=LABELS,
    Options=map_of(nothing),
    UsageData=fields(Size=number, RefCount=number),
)
BUILD_CACHE: Final = fields(
    ID=text,
    Parent=text,
    Parents=list_of(text),
    Type=text,
    InUse=flag,
    Shared=flag,
    Size=number,
    CreatedAt=text,
    LastUsedAt=text,
    UsageCount=number,
)
SERVICE: Final = fields(
    ID=text,
    CreatedAt=text,
    UpdatedAt=text,
    Spec=fields(
        Name=text,
        Labels=named({STACK_LABEL: text}),
        Mode=fields(
            Replicated=fields(Replicas=number),
            Global=fields(),
            ReplicatedJob=fields(MaxConcurrent=number, TotalCompletions=number),
            GlobalJob=fields(),
        ),
        TaskTemplate=fields(
            ContainerSpec=fields(Image=text, Mounts=list_of(fields(Type=text, Source=text, Target=text)))
        ),
    ),
    ServiceStatus=fields(RunningTasks=number, DesiredTasks=number, CompletedTasks=number),
    UpdateStatus=fields(State=text),
)


def usage(item: Reduce) -> Reduce:
    """One `…Usage` object of `/system/df` since API 1.52."""
    return fields(TotalCount=number, ActiveCount=number, TotalSize=number, Reclaimable=number, Items=list_of(item))


def action(value: Any, where: str) -> Any:
    """What happened, without what an exec ran: `exec_create: sh -c …` is `exec_create`."""
    said = text(value, where)
    return said if said is None else said.split(":", 1)[0]


EVENT: Final = fields(
    Type=text,
    Action=action,
    scope=text,
    time=number,
    timeNano=number,
    Actor=fields(ID=text, Attributes=named(dict.fromkeys(ACTOR_ATTRIBUTES, text))),
)

ANSWERS: Final[Mapping[str, Reduce]] = {
    VERSION: fields(Version=text, ApiVersion=text, MinAPIVersion=text, Os=text, Arch=text),
    INFO: fields(
        ID=text,
        ServerVersion=text,
        Driver=text,
        DriverStatus=list_of(list_of(text)),
        DockerRootDir=text,
        IndexServerAddress=text,
        Swarm=fields(LocalNodeState=text, ControlAvailable=flag, NodeID=text),
        OperatingSystem=text,
        KernelVersion=text,
        Containers=number,
        ContainersRunning=number,
        ContainersPaused=number,
        ContainersStopped=number,
        Images=number,
        LiveRestoreEnabled=flag,
        LoggingDriver=text,
        Name=text,
        NCPU=number,
        MemTotal=number,
    ),
    DF: fields(
        LayersSize=number,
        BuilderSize=number,
        Images=list_of(IMAGE),
        Containers=list_of(CONTAINER),
        Volumes=list_of(VOLUME),
        BuildCache=list_of(BUILD_CACHE),
        ImageUsage=usage(IMAGE),
        ContainerUsage=usage(CONTAINER),
        VolumeUsage=usage(VOLUME),
        BuildCacheUsage=usage(BUILD_CACHE),
    ),
    IMAGES: list_of(IMAGE),
    CONTAINERS: list_of(CONTAINER),
    VOLUMES: fields(Volumes=list_of(VOLUME), Warnings=list_of(text)),
    SERVICES: list_of(SERVICE),
    EVENTS: list_of(EVENT),
}

IMAGE_INSPECT: Final = fields(RootFS=fields(Layers=list_of(text)))
IMAGE_HISTORY: Final = list_of(fields(Size=number))

BUILDER_ANSWERS: Final[Mapping[str, Reduce]] = {
    "du": list_of(
        fields(
            id=text,
            parents=list_of(text),
            recordType=text,
            mutable=flag,
            inUse=flag,
            shared=flag,
            size=number,
            createdAt=text,
            lastUsedAt=text,
            usageCount=number,
        )
    ),
    "workers": list_of(
        fields(
            id=text,
            labels=LABELS,
            gcPolicy=list_of(
                fields(
                    all=flag,
                    filter=list_of(text),
                    keepDuration=number,
                    keepBytes=number,
                    reservedSpace=number,
                    maxUsedSpace=number,
                    minFreeSpace=number,
                )
            ),
            buildkitVersion=fields(version=text, revision=text),
        )
    ),
    "histories": list_of(
        fields(
            type=number,
            record=fields(
                Ref=text,
                CreatedAt=fields(seconds=number, nanos=number),
                CompletedAt=fields(seconds=number, nanos=number),
            ),
        )
    ),
}
