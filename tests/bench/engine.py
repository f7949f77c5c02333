"""A real engine of a given size to measure against: many small images, volumes and stopped containers."""

import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker


def fill(url: str, *, images: int, volumes: int, containers: int) -> None:
    """Give the engine at `url` so many of each."""
    client = docker.APIClient(base_url=url, version="1.41", timeout=120)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: _import(url, number), range(images)))
        list(pool.map(lambda number: _volume(url, number), range(volumes)))
    for number in range(containers):
        mount = client.create_host_config(binds=[f"bench-{number}:/data"], network_mode="none")
        client.create_container(f"bench/image-{number}:1", command=["/none"], name=f"bench-{number}", host_config=mount)


def _import(url: str, number: int) -> None:
    _client(url).import_image_from_data(_archive(number), repository=f"bench/image-{number}", tag="1")


def _volume(url: str, number: int) -> None:
    _client(url).create_volume(f"bench-{number}", labels={"bench": str(number)})


def _client(url: str) -> Any:
    return docker.APIClient(base_url=url, version="1.41", timeout=120)


def _archive(number: int) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        content = f"{number}\n".encode() * 100
        entry = tarfile.TarInfo(f"file-{number}")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return held.getvalue()
