"""Images written by hand as `docker load` archives: layers that are shared on purpose, labels, and any age."""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

MIB = 1024 * 1024
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@dataclass(frozen=True, slots=True)
class File:
    """One file of a layer; with `link` a symbolic link."""

    path: str
    content: bytes = b""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """What an image shall be: `layers` are tar archives from `layer`, the same bytes are the same layer."""

    tag: str
    layers: tuple[bytes, ...]
    created: datetime
    command: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)


def layer(*files: File) -> bytes:
    """An uncompressed tar of `files`; equal files give equal bytes."""
    return pack(files)


def filler(name: str, mebibytes: int) -> File:
    """A file of bytes that compress badly and depend on `name` alone."""
    return File(f"opt/{name}", hashlib.shake_256(name.encode()).digest(mebibytes * MIB))


def shell() -> bytes:
    """The layer below every planted image: Debian's static busybox as /bin/sh and the few names the images use."""
    names = ("sh", "cat", "dd", "sleep")
    return layer(
        File("bin/busybox", Path("/bin/busybox").read_bytes()), *(File(f"bin/{name}", link="busybox") for name in names)
    )


def archive(image: Image) -> bytes:
    """`image` in the format of `docker load`."""
    created = image.created.isoformat()
    config = {
        "architecture": ARCHITECTURE,
        "os": "linux",
        "created": created,
        "config": {"Cmd": image.command, "Labels": dict(image.labels), "Env": ["PATH=/usr/bin:/bin"]},
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in image.layers],
        },
        "history": [{"created": created, "created_by": "planted"} for _ in image.layers],
    }
    names = [f"{number}/layer.tar" for number in range(len(image.layers))]
    manifest = [{"Config": "config.json", "RepoTags": [image.tag], "Layers": names}]
    described = [File("manifest.json", json.dumps(manifest).encode()), File("config.json", json.dumps(config).encode())]
    return pack(described + [File(name, data) for name, data in zip(names, image.layers, strict=True)])


def pack(files: Iterable[File]) -> bytes:
    """`files` as an uncompressed tar archive, all of them executable."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for file in files:
            member = tarfile.TarInfo(file.path)
            member.mode = 0o755
            member.size = len(file.content)
            if file.link:
                member.type, member.linkname = tarfile.SYMTYPE, file.link
            tar.addfile(member, io.BytesIO(file.content))
    return buffer.getvalue()
