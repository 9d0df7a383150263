"""The page of a record."""

from html.parser import HTMLParser

from stromal.evidence.claims import shipped_claims
from stromal.evidence.records.record import Field, Record, Source
from stromal.report.record_page import SUMMARY, record_page

ABSTRACT = "Mesenchymal stromal cells were given. " * 20
RECORD = Record(
    identifiers=("doi:10.1/x", "pmid:1"),
    item={
        "type": "article-journal",
        "title": "Cells <b>& skin</b>",
        "author": [{"family": "Peltzer", "given": "Juliette", "affiliation": [{"name": "Clamart"}]}],
        "issued": {"date-parts": [[2018, 9]]},
        "container-title": "Frontiers in Immunology",
        "volume": "9",
        "abstract": ABSTRACT,
        "URL": "javascript:alert(1)",
    },
    source=Source("ris", b"TY  - JOUR"),
    keywords=("cell therapy",),
    fields=(Field("AU", ("Peltzer, Juliette", "Someone, Else")),),
    remarks=("the volume was not told apart",),
)


class Text(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "img", "link", "iframe", "b")
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_record_page_shows_all_parts_of_a_catalogue_page_and_the_fields_of_the_source() -> None:
    page = record_page(RECORD, similar=[RECORD], citations={"Vancouver": "Peltzer J. Cells."})
    titles = [p.title for p in page.parts]
    assert titles == [
        "Summary",
        "Full description",
        "Bibliographic details",
        "Subjects",
        "Online access",
        "Cite this",
        "Similar items",
        "What a reader should know",
        "Fields of the source",
    ]
    text = page.text()
    assert all(
        word in text for word in ("Juliette Peltzer (Clamart)", "2018-09", "Someone, Else", RECORD.source.sha256)
    )


def test_a_long_abstract_is_cut_in_the_summary_and_whole_in_the_description() -> None:
    parts = {p.title: p.rows[0][1] for p in record_page(RECORD).parts if p.title in ("Summary", "Full description")}
    assert parts["Summary"].endswith("...")
    assert len(parts["Summary"]) <= SUMMARY + 3
    assert parts["Full description"] == ABSTRACT.strip()


def test_text_of_a_record_is_never_markup_and_only_web_addresses_are_links() -> None:
    page = Text(record_page(RECORD).html())
    assert "Cells <b>& skin</b>" in page.words
    assert page.links
    assert all(link.startswith("https://") for link in page.links)


def test_a_record_leads_to_what_rests_on_it() -> None:
    base = shipped_claims()
    record = next(s.support.record for s in base.supported if s.support and s.checked)
    page = record_page(RECORD, claims=base.from_record(record)).text()
    assert "What rests on it" in page
    assert "[checked]" in page
