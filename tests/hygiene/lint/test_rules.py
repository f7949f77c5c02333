"""What the rules hold and do not hold, where a corpus of files says too little: teardowns, own machines, comments."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.lint.contracts import LintResult
from hygiene.lint.lint import Options, lint
from hygiene.lint.script import Around, judge
from hygiene.lint.source import Source

HOSTED = "jobs:\n  a:\n    runs-on: {labels}\n    steps:\n      - run: {command}\n"


def linted(folder: Path, text: str, *, name: str = "tidy.sh", **options: tuple[str, ...]) -> LintResult:
    (folder / name).write_text(text)
    return lint([folder], Options(**options))


def codes(result: LintResult) -> list[str]:
    return [finding.code for finding in result.findings]


@pytest.mark.req("P16")
@pytest.mark.parametrize(
    "command",
    [
        "docker rmi shop:test",
        "docker image rm shop:test",
        "docker compose -p shop down --rmi local",
        "docker-compose down --volumes --rmi=all",
        "docker image prune --force --filter label=shop",
        "docker images -q shop | xargs docker rmi",
        "podman rmi shop",
    ],
)
def test_a_teardown_may_remove_no_image_at_all(tmp_path: Path, command: str) -> None:
    assert codes(linted(tmp_path, command, teardowns=("tidy.*",))) == ["image_removed_in_teardown"]
    assert codes(linted(tmp_path, command)) == []


@pytest.mark.req("P16")
@pytest.mark.parametrize(
    "command", ["docker compose down --volumes", "docker rm -f shop", "docker volume rm shop_data"]
)
def test_a_teardown_may_remove_its_containers_networks_and_volumes(tmp_path: Path, command: str) -> None:
    assert codes(linted(tmp_path, command, teardowns=("*",))) == []


@pytest.mark.req("P16")
def test_a_teardown_is_told_by_a_pattern_of_its_path(tmp_path: Path) -> None:
    for name in ("ci/teardown/a.sh", "ci/build/a.sh"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("docker rmi shop\n")

    result = lint([tmp_path], Options(teardowns=("*/teardown/*",)))

    assert [(finding.path, finding.code) for finding in result.findings] == [
        ("ci/teardown/a.sh", "image_removed_in_teardown")
    ]


def test_a_job_on_a_throwaway_machine_is_allowed_where_the_operator_says_so(tmp_path: Path) -> None:
    text = HOSTED.format(labels="ubuntu-latest", command="docker system prune -af")

    assert codes(linted(tmp_path, text, name="ci.yml")) == ["system_prune"]
    result = linted(tmp_path, text, name="ci.yml", throwaway=("ubuntu-latest",))

    assert (codes(result), [allowed.by for allowed in result.allowed]) == ([], ["throwaway"])
    assert result.is_clean


@pytest.mark.parametrize(
    ("labels", "command"),
    [
        ("[self-hosted, ubuntu-latest]", "docker system prune -af"),
        ("ubuntu-latest", "ssh ci-1 docker system prune -af"),
        ("ubuntu-latest", "docker --context ci-1 system prune -af"),
        ("ubuntu-latest", "docker -H tcp://ci-1:2376 system prune -af"),
        ("${{ inputs.runner }}", "docker system prune -af"),
    ],
)
def test_another_machine_or_another_label_is_not(tmp_path: Path, labels: str, command: str) -> None:
    text = HOSTED.format(labels=labels, command=command)

    assert codes(linted(tmp_path, text, name="ci.yml", throwaway=("ubuntu-latest",))) == ["system_prune"]


def test_a_matrix_of_machines_is_allowed_only_if_each_is(tmp_path: Path) -> None:
    def of(second: str) -> str:
        matrix = f"    strategy: {{matrix: {{os: [ubuntu-latest, {second}]}}}}\n"
        steps = HOSTED.format(labels="${{ matrix.os }}", command="docker system prune -af")
        return steps.replace("  a:\n", f"  a:\n{matrix}")

    both = ("ubuntu-latest", "ubuntu-24.04")
    assert codes(linted(tmp_path, of("ubuntu-24.04"), name="ci.yml", throwaway=both)) == []
    assert codes(linted(tmp_path, of("self-hosted"), name="ci.yml", throwaway=both)) == ["system_prune"]


@pytest.mark.parametrize(
    "text",
    [
        "docker system prune -f  # hygiene-lint: allow this engine is inside a container of the job\n",
        "# hygiene-lint: allow this engine is inside a container of the job\ndocker system prune -f\n",
        "docker system \\\n  prune -f # hygiene-lint: allow this engine is inside a container of the job\n",
    ],
)
def test_a_comment_with_a_reason_allows_one_command_and_is_told(tmp_path: Path, text: str) -> None:
    result = linted(tmp_path, text + "true\ndocker volume prune\n")

    assert codes(result) == ["volume_prune"]
    assert [allowed.reason for allowed in result.allowed] == ["this engine is inside a container of the job"]


@pytest.mark.parametrize("comment", ["# hygiene-lint: allow", "# hygiene-lint: disable", "# noqa"])
def test_a_comment_without_a_reason_allows_nothing(tmp_path: Path, comment: str) -> None:
    assert codes(linted(tmp_path, f"docker system prune -f {comment}\n")) == ["system_prune"]


@pytest.mark.parametrize(
    "hiding",
    [
        "cat <<NEVER\n",
        "echo it's\n",
        'echo "\n',
        "echo ${x\n",
        "echo $((1 + (2)\n",
        "((x << 2))\n",
        "case x\n",
        "case $1 in\n",
        "foo(bar\n",
        "echo `date\n",
        "x=(a b\n",
        "( ( (\n",
        "} ) fi done esac ;;\n",
    ],
)
def test_what_is_left_open_hides_nothing_behind_it(hiding: str) -> None:
    assert "system_prune" in [hit.code for hit in judge(Source.of(f"{hiding}docker system prune -f\n"), Around())]


def test_a_name_that_is_made_of_itself_has_an_end() -> None:
    doubling = "a=$a$a; " + "; ".join(f"x{n}=$x{n + 1}$x{n + 1}$x{n + 1}$x{n + 1}" for n in range(40))

    assert [hit.code for hit in judge(Source.of(f"{doubling}; $a $x0 docker system prune"), Around())] == [
        "system_prune"
    ]


@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "docker ",
                    "rmi ",
                    "prune ",
                    "$(",
                    "`",
                    ")",
                    "(",
                    "{ ",
                    "}",
                    '"',
                    "'",
                    "<<A\n",
                    "A\n",
                    "|",
                    ";",
                    "\n",
                ),
                *("\\\n", "${", "for i in ", "do ", "done ", "case ", "esac ", "if ", "fi ", "f() ", "eval ", "x="),
                *("$x ", '"$@"', "#"),
            ]
        ),
        max_size=60,
    )
)
def test_whatever_shell_is_read_there_is_an_end_and_each_hit_has_a_line_of_it(parts: list[str]) -> None:
    text = "".join(parts)

    for hit in judge(Source.of(text), Around()):
        assert 1 <= hit.line <= text.count("\n") + 1


@given(st.text(st.characters(exclude_characters="'\x00", exclude_categories=["Cs"]), max_size=60))
def test_a_quoted_text_that_is_only_shown_is_no_command(said: str) -> None:
    assert list(judge(Source.of(f"echo 'docker system prune {said}'"), Around())) == []
