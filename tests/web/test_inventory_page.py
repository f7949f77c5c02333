"""The inventory: thousands of rows, found and sorted, and the question why something is still here."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hygiene.contracts import Kind
from hygiene.models import Resource
from launchplane.hosts.models import Host
from tests.factories import a_host, a_volume, an_image, an_inventory, observed
from tests.web.reading import text_of


def a_host_with(images: int) -> Host:
    host = a_host(f"has-{images}")
    observed(host, an_inventory([an_image(f"app:{number}", size=number * 1000) for number in range(1, images + 1)]))
    return host


@pytest.mark.parametrize("images", [10, 500])
@pytest.mark.parametrize(("tab", "queries"), [("", 20), ("inventory/", 18), ("budgets/", 15), ("snapshots/", 14)])
def test_the_number_of_queries_does_not_depend_on_how_much_there_is(
    visitor: Client, django_assert_num_queries: DjangoAssertNumQueries, images: int, tab: str, queries: int
) -> None:
    address = f"/hosts/{a_host_with(images).name}/{tab}"
    visitor.get("/")  # fills the caches of the process
    with django_assert_num_queries(queries):
        visitor.get(address)


@pytest.mark.parametrize("hosts", [1, 20])
def test_the_first_page_makes_the_same_queries_for_one_host_and_for_twenty(
    visitor: Client, django_assert_num_queries: DjangoAssertNumQueries, hosts: int
) -> None:
    for number in range(hosts):
        observed(a_host(f"host-{number}"), an_inventory([an_image("a:1")]))
    visitor.get("/")  # fills the caches of the process
    with django_assert_num_queries(22):
        visitor.get("/")


@pytest.mark.req("H47")
def test_a_page_shows_a_hundred_and_says_of_how_many(visitor: Client) -> None:
    page = visitor.get(f"/hosts/{a_host_with(250).name}/inventory/")
    assert "250 resources, 1 to 100 shown" in text_of(page)
    assert page.content.decode().count('name="item"') == 100
    assert "page 1 of 3" in text_of(page)


@pytest.mark.parametrize("number", ["0", "99", "x", "-1", ""])
def test_a_page_that_is_not_there_shows_the_nearest(visitor: Client, host: Host, number: str) -> None:
    assert visitor.get(f"/hosts/{host.name}/inventory/", {"page": number}).status_code == 200


def test_it_is_filtered_by_kind_class_and_text(visitor: Client, host: Host) -> None:
    address = f"/hosts/{host.name}/inventory/"
    assert "4 of 29 match" in text_of(visitor.get(address, {"kind": "volume"}))
    page = text_of(visitor.get(address, {"kind": "volume", "class": "protected"}))
    assert "2 of 29 match" in page
    assert "runner-state" in page
    assert "3 of 29 match" in text_of(visitor.get(address, {"text": "CI.managed"}))
    assert "None of 29 resources matches." in text_of(visitor.get(address, {"text": "no such thing"}))


@pytest.mark.parametrize("asked", [{"kind": "x"}, {"class": "'"}, {"sort": "--"}, {"text": "\0" * 300}])
def test_a_filter_that_makes_no_sense_filters_nothing_or_everything(
    visitor: Client, host: Host, asked: dict[str, str]
) -> None:
    assert visitor.get(f"/hosts/{host.name}/inventory/", asked).status_code == 200


def test_it_is_sorted_by_size_both_ways(visitor: Client) -> None:
    address = f"/hosts/{a_host_with(3).name}/inventory/"
    largest_first = text_of(visitor.get(address))
    assert largest_first.index("app:3") < largest_first.index("app:1")
    smallest_first = text_of(visitor.get(address, {"sort": "size"}))
    assert smallest_first.index("app:1") < smallest_first.index("app:3")


def test_the_protected_and_the_used_cannot_be_ticked(visitor: Client, host: Host) -> None:
    page = visitor.get(f"/hosts/{host.name}/inventory/", {"text": "runner-state"}).content.decode()
    assert 'disabled title="protected: can be no target"' in page


@pytest.mark.req("H46")
def test_a_size_that_is_not_known_is_not_zero(visitor: Client, host: Host) -> None:
    page = text_of(visitor.get(f"/hosts/{host.name}/inventory/", {"text": "of-a-plugin"}))
    assert page.count("not measured") == 2
    assert "0 B" not in page


def test_names_from_a_host_do_no_harm(visitor: Client, host: Host) -> None:
    page = visitor.get(f"/hosts/{host.name}/inventory/", {"text": "evil"}).content.decode()
    assert "evil/&lt;script&gt;alert(1)&lt;/script&gt;:⟨U+202E⟩gnp⟨LF⟩⟨ESC⟩[31m" in page
    assert "<script>alert" not in page
    assert "\u202e" not in page.replace('value="image:', "")


@pytest.mark.req("X3")
def test_a_selection_is_told_what_it_would_free_together(visitor: Client) -> None:
    host = a_host()
    pair = [an_image(size=10**9, shared=4 * 10**8) for _ in range(2)]
    observed(host, an_inventory(pair))
    items = [f"image:{image.id}" for image in pair]
    page = text_of(visitor.post(f"/hosts/{host.name}/inventory/frees/", {"item": items}))
    assert "These 2 together would free 1.6 GB" in page
    alone = text_of(visitor.post(f"/hosts/{host.name}/inventory/frees/", {"item": items[:1]}))
    assert "This one would free 600 MB" in alone


@pytest.mark.req("H45")
def test_what_may_not_go_is_named_with_why(visitor: Client, host: Host) -> None:
    items = ["volume:runner-state", "volume:buildx_buildkit_old-ci0_state", "volume:gone-since"]
    page = text_of(visitor.post(f"/hosts/{host.name}/inventory/frees/", {"item": items}))
    assert "These 3 together would free 30.1 GB" in page
    assert "2 would not go volume runner-state Never touched: state of a CI runner" in page
    assert "gone-since It is not on this host any more." in page


def test_a_size_that_is_not_known_makes_the_sum_unknown(visitor: Client, host: Host) -> None:
    items = ["volume:of-a-plugin", "volume:buildx_buildkit_old-ci0_state"]
    page = text_of(visitor.post(f"/hosts/{host.name}/inventory/frees/", {"item": items}))
    assert "together would free an amount that can’t be told" in page
    assert "The size of 1 of these is not known." in page


def test_all_that_match_and_could_go_can_be_asked_about_at_once(visitor: Client, host: Host) -> None:
    page = text_of(visitor.post(f"/hosts/{host.name}/inventory/frees/?kind=volume", {"all": "1"}))
    assert "This one would free 30.1 GB" in page


def test_nothing_ticked_says_so(visitor: Client, host: Host) -> None:
    assert "Nothing is ticked." in text_of(visitor.post(f"/hosts/{host.name}/inventory/frees/"))


@pytest.mark.parametrize("item", ["image", "spaceship:x", ""])
def test_a_selection_that_makes_no_sense_is_refused(visitor: Client, host: Host, item: str) -> None:
    response = visitor.post(f"/hosts/{host.name}/inventory/frees/", {"item": [item]})
    assert response.status_code == 400


def test_the_answer_for_the_page_that_asked_is_a_fragment(visitor: Client, host: Host) -> None:
    address = f"/hosts/{host.name}/inventory/frees/"
    fragment = visitor.post(address, {"item": "volume:of-a-plugin"}, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()


def test_why_something_is_still_here_has_a_page_of_its_own(visitor: Client, host: Host) -> None:
    page = text_of(visitor.get(f"/hosts/{host.name}/resource/", {"kind": "volume", "key": "runner-state"}))
    assert "Why is this still here? Never touched: state of a CI runner" in page
    assert "It can never be a target, whoever approves" in page


@pytest.mark.req("H41")
def test_an_image_says_all_that_is_known_of_it(visitor: Client, host: Host) -> None:
    rows = Resource.objects.filter(host=host, kind=Kind.IMAGE, dangling_since__isnull=False)
    image = rows.first()
    assert image is not None
    page = text_of(visitor.get(f"/hosts/{host.name}/resource/", {"kind": "image", "key": image.key}))
    for words in (f"Id {image.key}", "Size 7.3 GB", "Its own 1.4 GB", "Shared with others 5.9 GB", "Dangling yes"):
        assert words in page
    assert "ci.managed=true" in page


@pytest.mark.req("H42")
def test_a_volume_says_all_that_is_known_of_it(visitor: Client, host: Host) -> None:
    page = text_of(visitor.get(f"/hosts/{host.name}/resource/", {"kind": "volume", "key": "of-a-plugin"}))
    for words in ("Driver local", "Mountpoint /var/lib/docker/volumes/of-a-plugin/_data", "Size not measured"):
        assert words in page


def test_a_key_may_hold_anything(visitor: Client) -> None:
    host = a_host()
    odd = "a/b?c=d&e#f%20 +\n\"<'ü"
    observed(host, an_inventory(volumes=[a_volume(odd)]))
    page = visitor.get(f"/hosts/{host.name}/inventory/").content.decode()
    link = page.split('<td class="item"><a href="')[1].split('"')[0].replace("&amp;", "&")
    assert "Why is this still here?" in text_of(visitor.get(link))


def test_a_label_of_four_kilobytes_is_shown_whole_on_its_own_page_only(visitor: Client, host: Host) -> None:
    listed = visitor.get(f"/hosts/{host.name}/inventory/", {"text": "evil"})
    link = listed.content.decode().split('<td class="item"><a href="')[1].split('"')[0].replace("&amp;", "&")
    page = visitor.get(link).content.decode()
    assert "items=" + "x" * 4096 in page
    assert "⟨LF⟩=&lt;img src=x&gt;" in page
    assert "x" * 300 not in listed.content.decode()


def test_something_that_is_gone_says_since_when(visitor: Client, host: Host) -> None:
    observed(host, an_inventory())
    response = visitor.get(f"/hosts/{host.name}/resource/", {"kind": "volume", "key": "runner-state"})
    assert response.status_code == 404
    assert "It is gone" in text_of(response)


@pytest.mark.parametrize("asked", [{}, {"kind": "volume"}, {"kind": "x" * 99, "key": "y\0"}, {"key": "<b>"}])
def test_something_that_never_was_is_not_found(visitor: Client, host: Host, asked: dict[str, str]) -> None:
    response = visitor.get(f"/hosts/{host.name}/resource/", asked)
    assert response.status_code == 404
    assert "has no" in text_of(response)
