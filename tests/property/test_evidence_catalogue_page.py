"""Pages are made from an article as DOAJ and VuFind make them; what is read is the article, or there is a remark."""

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stromal.evidence.records import catalogue_page
from stromal.evidence.records.record import Record, Rejected
from stromal.evidence.records.work_keys import only_latin, work_keys

LANGUAGES = (("eng", "English"), ("fre", "French"), ("spa", "Spanish"), ("rus", "Russian"), ("chi", "Chinese"))


@dataclass(frozen=True)
class Author:
    name: str
    affiliation: str = ""
    email: str = ""
    orcid: str = ""


@dataclass(frozen=True)
class Article:
    """What DOAJ knows of an article; empty texts are not known."""

    key: str
    stamp: str
    language: tuple[str, str]
    publisher: str
    journal: str
    issns: tuple[str, ...]
    date: str
    numbers: tuple[str, str, str, str]
    doi: str
    number_of_publisher: str
    title: str
    authors: tuple[Author, ...]
    abstract: str
    url: str
    keywords: tuple[str, ...]
    version: int


def one_line(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text).strip(" ")


def spelling(article: Article) -> str:
    """All texts of the XML in DOAJ's order, run together."""
    texts = [f"doaj-{article.key}", article.stamp, article.language[0], article.publisher, article.journal]
    texts += [*article.issns, article.date, *article.numbers, article.doi, article.number_of_publisher, article.title]
    affiliations: list[str] = []
    for author in article.authors:
        texts += [author.name, author.email]
        if author.affiliation:
            texts.append(str(len(affiliations)))
            affiliations.append(author.affiliation)
        texts.append(author.orcid)
    return one_line("".join([*texts, *affiliations, article.abstract, article.url, *article.keywords]))


def index_fields(article: Article) -> dict[str, list[str]]:
    """The stored fields of the index, in stored order."""
    names = [author.name for author in article.authors]
    title = [article.title]
    fields = {
        "id": [f"doaj-{article.key}"],
        "record_format": ["Article"],
        "spelling": [spelling(article)],
        "collection": ["DOAJ"],
        "language": [article.language[1]],
        "format": ["Article"],
        "author": names,
        "spellingShingle": [*names, article.title, article.journal, *article.keywords],
        "author_facet": names,
        "author_sort": names[:1],
        **dict.fromkeys(("title", "title_short", "title_full", "title_fullStr", "title_full_unstemmed"), title),
        "title_sort": [article.title.lower()],
        "publisher": [article.publisher],
        "series": [article.journal],
        "issn": list(article.issns),
        "publishDate": [article.date],
        "description": [article.abstract] if article.abstract else [],
        "topic": list(article.keywords),
        "url": [article.url] if article.url else [],
        "work_keys_str_mv": list(work_keys(title, names)),
        "_version_": [str(article.version)],
    }
    return {name: values for name, values in fields.items() if values}


def summary(abstract: str) -> str:
    escaped = html.escape(abstract).replace("&#x27;", "&#039;")
    return abstract if len(escaped) <= 300 else html.unescape(escaped[:300]) + "..."


def head(article: Article) -> list[str]:
    names = ", ".join(author.name for author in article.authors)
    lines = [article.title, ""]
    if article.abstract:
        lines += [*summary(article.abstract).split("\n"), "", "Full description", ""]
    lines += ["Bibliographic Details", f"Main Authors: {names}", "Format: Article", f"Language:{article.language[1]}"]
    lines += [f"Published: {article.publisher} {article.date}", f"Series:{article.journal}", "Subjects:"]
    return [*lines, f"Online Access:{article.url}"]


def page(
    article: Article, *, in_order: bool = False, headed: bool = True, without: tuple[str, ...] = (), end: str = "\n"
) -> bytes:
    """Text of the page, without an end of the last line."""
    fields = index_fields(article)
    lines = head(article) if headed else []
    for name in sorted(fields) if in_order else fields:
        if name not in without:
            lines += "\n".join([f"{name} {fields[name][0]}", *fields[name][1:]]).split("\n")
    return end.join(lines).encode()


FIELD_NAMES = "language format series topic title author physical contents url description id edition era publisher"
FIELD_WORDS = FIELD_NAMES.split()
WORDS = [
    *FIELD_WORDS,
    "genre",
    "building",
    "cell",
    "Therapy",
    "fibrosis",
    "in",
    "l'état",
    "Sjögren's",
    "e\u0301tude",
    "IL-6",
]
WORDS += ["системный", "склероз", "σκλήρυνση", "硬皮病", "10.1234/x", "A&B", "<i>", "2018-09-01", "the", "Q10"]
phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
keywords = st.lists(phrases, max_size=6, unique=True)
names = st.tuples(
    st.sampled_from(["Juliette", "Jean-Jacques", "J. W.", "Мария", "Νίκος", "Ana María", "Li"]),
    st.sampled_from(["Peltzer", "van der Berg", "O'Neill", "Иванова", "Παπαδόπουλος", "Wang", "García López"]),
).map(" ".join)
places = st.tuples(
    st.sampled_from(
        ["Department of Medicine", "UMR7648 Laboratoire", "McGill University", "Service d'Hématologie (CHU)"]
    ),
    st.sampled_from(["Clamart", "Paris, 75013", "Łódź", "New York, NY"]),
    st.sampled_from(["France", "USA", "Poland.", "中国"]),
).map(", ".join)
authors = st.builds(
    Author,
    names,
    st.one_of(st.just(""), places),
    st.sampled_from(["", "", "a.b@example.org", "x@hopital.fr"]),
    st.sampled_from(["", "", "https://orcid.org/0000-0002-1825-0097"]),
)
dois = st.sampled_from(
    ["10.3389/fimmu.2018.02013", "10.1186/s13287-019-1", "10.1155/2018/123456", "10.3390/ijms19092615", ""]
)
addresses = [
    "https://www.frontiersin.org/article/{}/full",
    "https://doi.org/{}",
    "http://x.org/?doi={}&a=b",
    "http://x.org/7",
    "",
]


@st.composite
def articles(draw: st.DrawFn, lines_of_abstract: int = 4) -> Article:
    doi = draw(dois)
    url = draw(st.sampled_from(addresses)).format(doi)
    number = st.sampled_from(["", "1", "9", "12", "e04"])
    time = draw(st.integers(1_330_000_000_000, 1_900_000_000_000))
    return Article(
        key=draw(st.text("0123456789abcdef", min_size=32, max_size=32)),
        stamp=datetime.fromtimestamp(time // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        language=draw(st.sampled_from(LANGUAGES)),
        publisher=draw(st.sampled_from(["Frontiers Media S.A.", "eLife Sciences", "MDPI AG", "Медицина"])),
        journal=draw(st.sampled_from(["Frontiers in Immunology", "Stem Cells", "series in medicine", "Вестник"])),
        issns=draw(st.sampled_from([("1664-3224",), ("1664-3224", "2073-441X"), ()])),
        date=f"{draw(st.integers(1950, 2030))}-{draw(st.integers(1, 12)):02d}-01",
        numbers=(draw(number), draw(number), draw(number), draw(number)),
        doi=doi,
        number_of_publisher=draw(st.sampled_from(["", "406327", "ijms19092615", "10.1186/s13287-019-1", "a/b"])),
        title="On " + draw(phrases),
        authors=tuple(draw(st.lists(authors, max_size=7))),
        abstract="\n".join(draw(st.lists(phrases, max_size=lines_of_abstract))),
        url=url,
        keywords=tuple(draw(keywords)),
        version=(time << 20) + draw(st.integers(0, 2**20 - 1)),
    )


def read_one(content: bytes) -> Record:
    (record,) = catalogue_page.read(content, "page.txt")
    assert isinstance(record, Record), record
    return record


def assert_texts(record: Record, article: Article) -> None:
    """What several fields repeat is read as it was."""
    item = record.item
    assert item["title"] == article.title
    assert item.get("abstract", "") == article.abstract
    assert record.keywords == tuple(dict.fromkeys(article.keywords))
    assert list(record.authors) == [author.name for author in article.authors]
    assert item["publisher"] == article.publisher
    assert item["container-title"] == article.journal
    assert item.get("ISSN", "") == ", ".join(article.issns)
    assert item.get("URL", "") == article.url
    assert f"doaj:{article.key}" in record.identifiers
    assert item["custom"]["indexed"].startswith(
        datetime.fromtimestamp((article.version >> 20) / 1000, UTC).strftime("%Y-%m-%dT%H:%M")
    )
    assert item["custom"].get("work_keys", []) == list(work_keys([article.title], [a.name for a in article.authors]))
    year, month, _ = map(int, article.date.split("-"))
    assert item["issued"]["date-parts"] == [[year] if month == 1 else [year, month]]


def assert_right_or_told(record: Record, article: Article) -> None:
    """What only `spelling` says is right, or missing with a remark."""
    item, remarks = record.item, " ".join(record.remarks)
    custom = item["custom"]
    assert custom["harvested"] == article.stamp
    assert item.get("DOI", "") in (article.doi, "")
    if article.doi and "DOI" not in item:
        assert "the DOI in" in remarks
        assert custom["unsplit_doi"] == article.doi + article.number_of_publisher
    if "DOI" in item and "spelling" in record.origin["DOI"]:
        assert custom.get("publisher_record", "") == article.number_of_publisher
    together = "".join(article.numbers)
    if "volume" in item:
        assert together == item["volume"]  # one sign, told in a remark
        assert "no field confirms it" in remarks
    elif article.doi and together:
        assert custom["unsplit_numbers"] == together
        assert "not told apart" in remarks
    for author, name in zip(article.authors, item.get("author", ()), strict=True):
        affiliation = name.get("affiliation", [{"name": ""}])[0]["name"]
        assert affiliation == author.affiliation or (not affiliation and "the affiliations are kept as they" in remarks)
        assert name.get("ORCID", "") == author.orcid
        assert name.get("email", "") == author.email
    if "affiliations" in custom:
        assert custom["affiliations"] == "".join(a.affiliation for a in article.authors)


def begins_like_a_field(article: Article) -> bool:
    """Whether a line of text is, word for word, the line that begins a field: no copy can tell which is which."""
    lines = page(article, headed=False).decode().split("\n")
    return any(lines.count(f"{name} {values[0]}".split("\n")[0]) > 1 for name, values in index_fields(article).items())


@settings(max_examples=150)
@given(articles(), st.booleans(), st.booleans(), st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_page_gives_back_its_article(article: Article, in_order: bool, headed: bool, end: str) -> None:
    assume(not begins_like_a_field(article))
    content = page(article, in_order=in_order, headed=headed, end=end)
    record = read_one(content)
    assert_texts(record, article)
    assert_right_or_told(record, article)
    assert record.source.content == content
    assert catalogue_page.looks_like(content)


def in_latin(article: Article) -> bool:
    return all(map(only_latin, (article.title, *(author.name for author in article.authors))))


DOUBTS = re.compile(r"may be text that goes on|not of (?:the|its) form|has one value|taken for a field of a name")


@settings(max_examples=100)
@given(articles(), st.booleans(), st.booleans())
def test_without_copies_of_the_texts_a_page_is_right_or_doubted(article: Article, in_order: bool, headed: bool) -> None:
    copies = ("spelling", "spellingShingle", "author_facet")
    record = read_one(page(article, in_order=in_order, headed=headed, without=copies))
    if not any(DOUBTS.search(remark) for remark in record.remarks):
        assert_texts(record, article)
    assert "DOI" not in record.item or "doi.org" in article.url


@settings(max_examples=40)
@given(st.lists(st.tuples(articles(), st.booleans()), min_size=2, max_size=3), st.booleans(), st.booleans())
def test_pages_behind_each_other_are_told_apart_or_refused(
    several: list[tuple[Article, bool]], in_order: bool, spaced: bool
) -> None:
    contents = [page(article, in_order=in_order, headed=headed) for article, headed in several]
    between = b"\n\n" if spaced else b"\n"
    found = list(catalogue_page.read(between.join(contents), "pages.txt"))
    alone = [read_one(content) for content in contents]
    if any(isinstance(one, Rejected) for one in found):
        assert any("run into each other" in one.reason for one in found if isinstance(one, Rejected))
        known = [record.item for record in alone]
        assert all(one.item in known for one in found if isinstance(one, Record))
    else:
        assert [one.item for one in found] == [record.item for record in alone]
        assert b"".join(one.source.content for one in found) == between.join(contents)


CUT = re.compile(
    r"cut off|differ|not the keys|not of its form|behind the Staff View|is not at character|no field gives"
    r"|may be text that goes on|there is no Staff View"
)


@settings(max_examples=100)
@given(articles(), st.booleans(), st.booleans(), st.data())
def test_a_page_that_is_cut_off_says_so(article: Article, in_order: bool, headed: bool, data: st.DataObject) -> None:
    text = page(article, in_order=in_order, headed=headed).decode()
    cut = data.draw(st.integers(0, len(text) - 1), label="cut")
    if not text[:cut].strip():
        return
    for one in catalogue_page.read(text[:cut].encode(), "cut.txt"):
        if isinstance(one, Record):
            # The keys of titles in other scripts cannot be made again, and half a number is a number.
            last = text[:cut].split("\n")[-1].removeprefix("work_keys_str_mv ")
            unseen = text[cut:].lstrip("\n").startswith(("work_keys_str_mv", "_version_"))
            unseen |= ("\nwork_keys_str_mv " in text[:cut] and not in_latin(article)) or last.startswith("_version_ ")
            assert unseen or any(CUT.search(remark) for remark in one.remarks), (text[:cut][-80:], one.remarks)
            if "there is no Staff View" not in " ".join(one.remarks):
                assert one.item.get("DOI", article.doi) == article.doi
        else:
            assert one.reason


@given(st.text(max_size=300), st.lists(st.sampled_from(FIELD_WORDS), max_size=8), st.booleans())
def test_any_text_gives_records_or_reasons(text: str, words: list[str], before: bool) -> None:
    lines = [f"{word} {text}" for word in words]
    content = "\n".join([text, *lines] if before else [*lines, text]).replace("\0", "").encode("utf-8", "replace")
    if content.strip(b"\r\n \t"):
        assert all(isinstance(one, Record | Rejected) for one in catalogue_page.read(content, "any.txt"))
