"""The founding record of the evidence base: the text of a catalogue page, every field of which is known."""

import hashlib
import html
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from stromal.evidence.records import catalogue_page, page_head, spelling
from stromal.evidence.records.record import Record
from stromal.evidence.records.work_keys import normalised, without_article, work_keys

CONTENT = (files("stromal.evidence") / "base" / "founding_record.txt").read_bytes()
TITLE = "Mesenchymal Stromal Cells Based Therapy in Systemic Sclerosis: Rational and Challenges"
AUTHORS = (
    ("Juliette", "Peltzer"),
    ("Marc", "Aletti"),
    ("Nadira", "Frescaline"),
    ("Elodie", "Busson"),
    ("Jean-Jacques", "Lataillade"),
    ("Christophe", "Martinaud"),
)
TISSUE = (
    "Unité de Thérapie tissulaire et traumatologie de guerre, "
    "Institut de Recherche Biomédicale des Armées, Clamart, France"
)
DRUGS = "Unité de Médicaments de Thérapie Innovante, Centre de Transfusion Sanguine des Armées, Clamart, France"
AFFILIATIONS = (
    TISSUE,
    "Service de Médecine Interne, Hôpital d'Instruction des Armées Percy, Clamart, France",
    "UMR7648 Laboratoire de physique des plasmas, École Polytechnique, Palaiseau, France",
    DRUGS,
    TISSUE,
    DRUGS,
)
TOPICS = (
    "cell therapy",
    "good manufacturing procedures",
    "immunomodulation",
    "mesenchymal stromal cells",
    "systemic sclerosis",
)
URL = "https://www.frontiersin.org/article/10.3389/fimmu.2018.02013/full"
VALUES = {
    "type": ("article-journal", "format"),
    "title": (TITLE, "title"),
    "container-title": ("Frontiers in Immunology", "series"),
    "publisher": ("Frontiers Media S.A.", "publisher"),
    "language": ("English", "language"),
    "ISSN": ("1664-3224", "issn"),
    "issued": ({"date-parts": [[2018, 9]]}, "publishDate"),
    "volume": ("9", "spelling"),
    "DOI": ("10.3389/fimmu.2018.02013", "spelling"),
    "URL": (URL, "url"),
    "source": ("DOAJ", "collection"),
    "keyword": ("; ".join(TOPICS), "topic"),
}
CUSTOM = {
    "publisher_record": ("406327", "spelling"),
    "harvested": ("2020-11-24T21:36:14Z", "spelling"),
    "indexed": ("2022-02-27T18:33:41.302Z", "_version_"),
    "language_code": ("eng", "spelling"),
    "author_sort": ("Peltzer, Juliette", "author"),
    "work_keys": (
        [
            f"AT {''.join(name).lower().replace('-', '')} {''.join(filter(str.isalnum, TITLE)).lower()}"
            for name in AUTHORS
        ],
        "work_keys_str_mv",
    ),
}
ONCE = """
    id record_format spelling collection language format sources author_sort title title_short title_full title_fullStr
    title_full_unstemmed title_sort publisher series issn publishDate description url _version_
"""
NUMBER_OF_VALUES = {
    **dict.fromkeys(ONCE.split(), 1),
    **dict.fromkeys(("author", "author_facet", "work_keys_str_mv"), 6),
    "spellingShingle": 13,
    "topic": 5,
}


@pytest.fixture(scope="module")
def record() -> Record:
    (found,) = catalogue_page.read(CONTENT, "founding_record.txt")
    assert isinstance(found, Record)
    return found


@pytest.fixture(scope="module")
def said(record: Record) -> dict[str, tuple[str, ...]]:
    """The fields of the Staff View, which come behind those of the head of the page."""
    names = [field.name for field in record.fields]
    return {field.name: field.values for field in record.fields[names.index("id") :]}


def test_the_shipped_document_is_the_founding_one_byte_for_byte() -> None:
    assert len(CONTENT) == 8951
    assert CONTENT.count(b"\n") == 70
    assert not CONTENT.endswith(b"\n")
    assert hashlib.md5(CONTENT, usedforsecurity=False).hexdigest() == "cea16341dbb5a4d95a4b70e0a8532f17"


def test_it_is_known_by_its_doi_and_its_number_in_doaj(record: Record) -> None:
    assert record.identifiers == ("doi:10.3389/fimmu.2018.02013", "doaj:222e9dabaf5c4ed0aedb385210026076")


@pytest.mark.parametrize("key", VALUES)
def test_each_value_is_right_and_knows_its_field(record: Record, key: str) -> None:
    value, origin = VALUES[key]
    assert record.item[key] == value
    assert record.origin[key].split(" ")[0] == origin


@pytest.mark.parametrize("key", CUSTOM)
def test_each_value_without_a_word_in_csl_is_right_and_knows_its_field(record: Record, key: str) -> None:
    value, origin = CUSTOM[key]
    assert record.item["custom"][key] == value
    assert record.origin[f"custom.{key}"].split(" ")[0] == origin


def test_it_has_nothing_but_these_values(record: Record) -> None:
    assert set(record.item) == {*VALUES, "author", "abstract", "custom"}
    assert set(record.item["custom"]) == set(CUSTOM)
    assert record.keywords == TOPICS


def test_six_authors_have_their_affiliations(record: Record) -> None:
    authors = record.item["author"]
    assert [(name["given"], name["family"]) for name in authors] == list(AUTHORS)
    assert [name["affiliation"] for name in authors] == [[{"name": one}] for one in AFFILIATIONS]
    assert record.origin["author"].startswith("author ")
    assert record.origin["author.affiliation"].startswith("spelling ")


def test_the_abstract_is_whole(record: Record, said: dict[str, tuple[str, ...]]) -> None:
    abstract = record.item["abstract"]
    assert (abstract,) == said["description"]
    assert len(abstract) == 2409
    assert abstract.startswith("Systemic Sclerosis (SSc) is a rare chronic disease, related to autoimmune")
    assert abstract.endswith("in the management of SSc, probably in association with other therapies.")


def test_the_only_doubt_is_told(record: Record) -> None:
    assert record.remarks == (
        "volume '9': what stands between publishDate and the DOI in spelling; no field confirms it",
    )


def test_all_fields_are_kept(record: Record, said: dict[str, tuple[str, ...]]) -> None:
    assert {name: len(values) for name, values in said.items()} == NUMBER_OF_VALUES
    head = {field.name: field.values for field in record.fields if field.name not in said}
    assert head["(heading)"] == (TITLE,)
    assert head["Main Authors"] == (", ".join(map(" ".join, AUTHORS)),)
    assert head["Published"] == ("Frontiers Media S.A. 2018-09-01",)
    assert head["Language"] == ("English",)


def test_the_page_can_be_written_again_from_the_fields(said: dict[str, tuple[str, ...]]) -> None:
    staff_view = "\n".join(line for name, values in said.items() for line in (f"{name} {values[0]}", *values[1:]))
    assert CONTENT.decode().endswith(f"{URL}\n{staff_view}")


def test_the_source_is_kept_with_its_hash(record: Record) -> None:
    assert record.source.content == CONTENT
    assert record.source.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_spelling_shingle_is_the_copy_of_author_title_series_and_topic(said: dict[str, tuple[str, ...]]) -> None:
    copied = ("author", "title", "contents", "series", "topic")
    assert said["spellingShingle"] == tuple(value for name in copied for value in said.get(name, ()))


def test_the_work_keys_are_made_again_byte_for_byte(said: dict[str, tuple[str, ...]]) -> None:
    assert work_keys(said["title"], said["author"]) == said["work_keys_str_mv"]


def test_the_sort_title_is_the_title_without_article(said: dict[str, tuple[str, ...]]) -> None:
    assert said["title_sort"] == (without_article(said["title"][0]),)
    assert normalised(said["title_sort"][0]) == said["work_keys_str_mv"][0].split(" ")[2]


def test_the_spelling_line_is_consumed_to_its_end(said: dict[str, tuple[str, ...]]) -> None:
    known = spelling.Known(
        identifier=said["id"][0],
        publisher=said["publisher"][0],
        journal=said["series"][0],
        issns=said["issn"],
        date=said["publishDate"][0],
        title=said["title"][0],
        authors=said["author"],
        abstract=said["description"][0],
        addresses=said["url"],
        topics=said["topic"],
    )
    found = spelling.read(said["spelling"][0], known)
    assert found is not None
    assert found.residue == ""
    numbers = found.numbers
    parts = [known.identifier, found.stamp, found.language, known.publisher, known.journal, *found.issns, found.date]
    parts += [numbers.volume, numbers.doi, numbers.publisher_record, known.title]
    parts += [f"{name}{index}" for index, name in enumerate(known.authors)]
    parts += [one.affiliation for one in found.contributors]
    parts += [known.abstract, *known.addresses, *known.topics]
    assert "".join(parts) == said["spelling"][0]


def test_the_summary_is_the_description_cut_at_300_characters_of_its_html(
    record: Record, said: dict[str, tuple[str, ...]]
) -> None:
    (summary,) = next(field.values for field in record.fields if field.name == "(summary)")
    assert len(summary) == 298
    assert len(html.escape(summary.removesuffix("...")).replace("&#x27;", "&#039;")) == 300
    assert page_head.summary_of(said["description"][0]) == summary
    assert said["description"][0].startswith(summary.removesuffix("..."))


def test_the_version_is_the_time_of_indexing(record: Record, said: dict[str, tuple[str, ...]]) -> None:
    time = datetime.fromisoformat(record.item["custom"]["indexed"])
    assert time == datetime(2022, 2, 27, 18, 33, 41, 302_000, tzinfo=UTC)
    assert int(said["_version_"][0]) >> 20 == int(time.timestamp() * 1000)
    assert int(said["_version_"][0]) % 2**20 == 0
