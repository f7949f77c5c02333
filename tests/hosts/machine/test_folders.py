"""Sizes of folder trees, compared with what `du` says."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from launchplane.hosts.command import run
from onhost.machine.folders import measure, read_runners, superseded
from onhost.machine.limits import Limits, NotMeasured

NAMES = st.text(st.sampled_from("ab é\n'"), min_size=1, max_size=3)
TREES = st.recursive(
    st.integers(0, 20_000), lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
).filter(lambda tree: isinstance(tree, dict))

Tree = dict[str, "Tree"] | int


def grow(folder: Path, tree: Tree) -> int:
    """Makes the tree; returns the bytes of its files."""
    if isinstance(tree, int):
        folder.write_bytes(b"x" * tree)
        return tree
    folder.mkdir()
    return sum(grow(folder / name, inner) for name, inner in tree.items())


def limits() -> Limits:
    return Limits(10)


def du(path: Path) -> int:
    return int(run(["du", "-s", "-x", "-B1", str(path)], timeout_seconds=10).stdout.split()[0])


@settings(max_examples=25, deadline=None)
@given(tree=TREES)
def test_a_tree_takes_what_du_says_and_holds_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, tree: Tree
) -> None:
    top = tmp_path_factory.mktemp("tree") / "top"
    written = grow(top, tree)

    size = measure(str(top), limits())

    assert size.allocated_bytes == du(top)
    assert size.apparent_bytes == written


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x" * 10_000)
    (tmp_path / "two").hardlink_to(tmp_path / "one")

    size = measure(str(tmp_path), limits())

    assert (size.apparent_bytes, size.files) == (10_000, 1)
    assert size.allocated_bytes == du(tmp_path)


def test_a_sparse_file_says_more_than_the_disk_holds(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(50_000_000)

    size = measure(str(tmp_path), limits())

    assert size.apparent_bytes == 50_000_000
    assert size.allocated_bytes < 1_000_000


def test_no_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "large").write_bytes(b"x" * 100_000)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "here" / "loop").symlink_to(tmp_path / "here")

    assert measure(str(tmp_path / "here"), limits()).apparent_bytes < 1000
    with pytest.raises(NotMeasured):
        measure(str(tmp_path / "here" / "link"), limits())


def test_an_empty_folder_is_a_measured_nothing(tmp_path: Path) -> None:
    assert measure(str(tmp_path), limits()).files == 0


def test_time_and_count_are_bounded(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / str(number)).touch()

    with pytest.raises(NotMeasured, match="not finished within 0 s"):
        measure(str(tmp_path), Limits(0))
    with pytest.raises(NotMeasured, match="too many entries"):
        measure(str(tmp_path), Limits(10, max_entries=19))


def test_folders_nested_without_end_are_not_walked_to_the_end(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=folder)
        inner = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)

    with pytest.raises(NotMeasured, match="nested deeper"):
        measure(str(tmp_path), limits())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def runner(folder: Path, *, current: str, others: tuple[str, ...] = ()) -> Path:
    folder.mkdir(parents=True)
    for kind in ("bin", "externals"):
        for version in (current, *others):
            (folder / f"{kind}.{version}").mkdir()
            (folder / f"{kind}.{version}" / "file").write_bytes(b"x" * 1000)
        (folder / kind).symlink_to(folder / f"{kind}.{current}")
    for kind in ("_work", "_diag"):
        (folder / kind).mkdir()
        (folder / kind / "file").write_bytes(b"x" * 500)
    return folder


def test_superseded_is_older_than_what_the_link_names(tmp_path: Path) -> None:
    folder = runner(tmp_path / "a", current="2.330.0", others=("2.329.0", "2.99.1", "2.331.0"))
    (folder / "bin.backup").mkdir()

    assert [path.name for path in superseded(folder)] == [
        "bin.2.329.0",
        "bin.2.99.1",
        "externals.2.329.0",
        "externals.2.99.1",
    ]


def test_without_a_link_nothing_is_known_to_be_superseded(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin.2.1.0").mkdir()

    assert superseded(tmp_path) == []


def test_each_runner_below_a_root_is_read(tmp_path: Path) -> None:
    runner(tmp_path / "srv" / "a", current="2.330.0", others=("2.329.0",))
    runner(tmp_path / "srv" / "b", current="2.330.0")

    found = read_runners("/srv", limits(), root=str(tmp_path))

    assert [size.path for size in found.work] == ["/srv/a/_work", "/srv/b/_work"]
    assert [size.apparent_bytes for size in found.diagnostics] == [500, 500]
    assert [size.path for size in found.superseded] == ["/srv/a/bin.2.329.0", "/srv/a/externals.2.329.0"]


def test_a_root_that_is_a_runner_itself_is_read(tmp_path: Path) -> None:
    runner(tmp_path / "runner", current="2.330.0")

    assert [size.path for size in read_runners("/runner", limits(), root=str(tmp_path)).work] == ["/runner/_work"]


@pytest.mark.req("H7")
@pytest.mark.parametrize("kind", ["_work", "_diag"])
@pytest.mark.parametrize("target", ["/elsewhere", "/no/such/folder"])
def test_a_work_folder_behind_a_link_is_not_an_empty_one(tmp_path: Path, kind: str, target: str) -> None:
    folder = runner(tmp_path / "srv" / "a", current="2.330.0")
    (folder / kind).rename(tmp_path / "elsewhere")
    (folder / kind).symlink_to(f"{tmp_path}{target}")

    with pytest.raises(NotMeasured, match=f"^/srv/a/{kind} is a symbolic link; not followed$"):
        read_runners("/srv", limits(), root=str(tmp_path))


def test_a_missing_root_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="no such file"):
        read_runners("/srv", limits(), root=str(tmp_path))
