"""Export and import again give the same record, in every format that is written."""

import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stromal.evidence.records import bibtex, csl, ris, table, writing
from stromal.evidence.records.record import Record, Rejected
from stromal.evidence.records.vocabulary import CSL_TYPES

Read = Callable[[bytes | BinaryIO, str], Iterator[Record | Rejected]]
READERS: dict[str, Read] = {
    "ris": ris.read,
    "bibtex": bibtex.read,
    "csl": csl.read,
    "jsonl": csl.read,
    "csv": table.read,
}
SHARED = (
    *("type", "title", "container-title", "volume", "issue", "page", "issued", "DOI", "PMID", "PMCID", "URL"),
    *("abstract", "ISSN", "publisher", "language"),
)
AWKWARD = [
    *(
        "=1+1",
        "+1",
        "-2+3",
        "@SUM(A1)",
        "'=1",
        "''",
        "\uff1d1",
        "a and b",
        "and",
        "others",
        "A & B",
        "50%",
        "x_1^2 ~y #3 $5",
    ),
    *(
        "{",
        "}",
        "{}",
        "}{",
        "\\",
        "\\\\",
        "\\textbf{x}",
        "\\'e",
        '"',
        '"quoted"',
        "``x''",
        "--",
        "---",
        "a -- b",
        "'",
        "`",
    ),
    *(
        "AB  - x",
        "ER  - ",
        "TY  - JOUR",
        "@article{a, title={x}}",
        "PMID- 1",
        "a;b",
        "a, b",
        ";",
        ",",
        "a\\;b",
        "a\\,b",
    ),
    *(
        "Müller",
        "e\u0301",
        "\u0131",
        "李明",
        "\u00a0x",
        "\u2028",
        "\x85",
        "\x1c",
        "😀",
        "<i>x</i>",
        "&amp;",
        "[x]",
        "%PDF",
        "//x",
    ),
    *(
        "one\ntwo",
        "one\n\ntwo",
        "one\n\n\n\ntwo\n",
        "  lead",
        "\ttab",
        "x\n      y",
        "\r\na\rb",
        "x\\\ny",
        "van der",
        "O’Brien",
    ),
    *(
        "$a_1$",
        "$5 and $6",
        "null",
        "true",
        "1e5",
        "A.",
        "Dr.",
        "x:",
        "doi:10.1000/x",
        "NCT04356287",
        "\ufeffx",
        "http://x",
    ),
]
PLAIN = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
TEXT = st.one_of(
    st.text(PLAIN, min_size=1, max_size=30),
    st.sampled_from(AWKWARD),
    *(st.lists(st.sampled_from(AWKWARD), min_size=2, max_size=4).map(between.join) for between in (" ", "\n")),
).filter(lambda text: text.strip() != "")
WORD = st.text(
    st.characters(codec="ascii", categories=("L", "N"), include_characters="-._()/"), min_size=1, max_size=12
)
DOI = st.builds(lambda prefix, rest: f"10.{prefix}/{rest}x", st.integers(1000, 99999), WORD)
URL = st.builds(
    "https://{}.example.org/{}".format,
    st.sampled_from(["a", "b"]),
    st.from_regex(r"[\w~%&=?#._'()*+;-]+", fullmatch=True),
)
URL = URL.filter(str.isascii)


@st.composite
def some_dates(draw: st.DrawFn) -> dict[str, Any]:
    year = draw(st.integers(1, 2100))
    kind = draw(st.sampled_from(["year", "month", "day", "season", "range", "about", "words"]))
    if kind == "words":
        return {"literal": draw(TEXT)}
    part = [year, *([draw(st.integers(1, 12))] if kind in ("month", "day", "range") else [])]
    if kind == "day":
        part.append(draw(st.integers(1, 28)))
    found: dict[str, Any] = {"date-parts": [part]}
    if kind == "range":
        found["date-parts"].append([year + draw(st.integers(0, 2)), draw(st.integers(1, 12))])
    if kind == "season":
        found["season"] = draw(st.integers(1, 4))
    if kind == "about":
        found["circa"] = True
    return found


def some_names(text: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    person = st.fixed_dictionaries({"family": text, "given": text}, optional={"suffix": text})
    return st.one_of(person, st.fixed_dictionaries({"literal": TEXT}), st.fixed_dictionaries({"family": WORD}))


def some_items(name_part: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    texts = ("container-title", "volume", "issue", "page", "publisher", "language", "abstract")
    return st.fixed_dictionaries(
        {"type": st.sampled_from(sorted(CSL_TYPES)), "title": TEXT},
        optional={
            **dict.fromkeys(texts, TEXT),
            "author": st.lists(some_names(name_part), max_size=4),
            "issued": some_dates(),
            "DOI": DOI,
            "PMID": st.integers(1, 999999999).map(str),
            "PMCID": st.integers(1, 999999999).map("PMC{}".format),
            "URL": URL,
            "ISSN": st.sampled_from(["1664-3224", "0140-673X", "1664-3224, 1474-547X"]),
            "custom": st.fixed_dictionaries(
                {}, optional={"keywords": st.lists(TEXT, max_size=4), "mesh": st.lists(TEXT)}
            ),
        },
    )


def one(read: Read, content: bytes) -> Record:
    (record,) = read(content, "x")
    assert isinstance(record, Record), record
    return record


def shared(record: Record) -> dict[str, Any]:
    found = {key: record.item[key] for key in SHARED if key in record.item}
    return {**found, "author": record.item.get("author", []), "keywords": record.keywords}


def check_round_trip(item: dict[str, Any], form: str) -> None:
    first = one(csl.read, json.dumps([item]).encode())
    text = writing.text([first], form)
    again = one(READERS[form], text.encode())
    assert shared(again) == shared(first)
    assert set(again.identifiers) == set(first.identifiers)
    # What was written once is written the same for ever.
    assert writing.text([again], form) == text


NO_COMMA = TEXT.map(lambda text: text.replace(",", "."))


@pytest.mark.parametrize("form", ["bibtex", "csl", "jsonl", "csv"])
@given(item=some_items(TEXT))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_record_survives_export_and_import(form: str, item: dict[str, Any]) -> None:
    check_round_trip(item, form)


@given(item=some_items(NO_COMMA))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_record_survives_ris_which_has_no_way_to_write_a_comma_inside_a_name(item: dict[str, Any]) -> None:
    check_round_trip(item, "ris")
