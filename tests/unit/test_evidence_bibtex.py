"""BibTeX: entries as BibTeX itself takes them, LaTeX to text, and what is not understood left and said."""

from pathlib import Path
from typing import Any

import pytest

from stromal.evidence.records import bibtex, latex, writing
from stromal.evidence.records.record import Record, Rejected

SAMPLE = (Path(__file__).parent / "evidence_samples" / "sample.bib").read_bytes()


def entry(**fields: str) -> Record:
    body = ",\n".join(f"{name} = {{{value}}}" for name, value in {"title": "x", **fields}.items())
    (record,) = bibtex.read(f"@article{{key,\n{body}\n}}".encode(), "x.bib")
    assert isinstance(record, Record)
    return record


def test_every_value_is_read_and_knows_its_field() -> None:
    first, thesis = bibtex.read(SAMPLE, "x.bib")
    assert isinstance(first, Record)
    assert isinstance(thesis, Record)
    assert first.identifiers == ("doi:10.5555/invented.1", "pmid:12345")
    expected = {
        "type": "article-journal",
        "title": "Mesenchymal stromal cells & TGF-β₁ in 50% of SSc",
        "container-title": "Journal of Invented Results",
        "volume": "9",
        "issue": "3",
        "page": "101-109",
        "issued": {"date-parts": [[2018, 9]]},
        "abstract": "First line goes on.\n\nSecond paragraph with \\unknown{thing}.",
        "URL": "https://example.org/~a_b",
        "author": [
            {"family": "Peltzer", "given": "Juliette"},
            {"family": "van der Berg", "given": "Jan", "suffix": "Jr"},
            {"literal": "Example Study Group"},
            {"family": "van Beethoven", "given": "Ludwig"},
            {"family": "Müller", "given": "Éric"},
        ],
    }
    assert {key: first.item.get(key) for key in expected} == expected
    assert first.keywords == ("systemic sclerosis", "Scleroderma, Systemic")
    assert first.origin["container-title"] == "journal"
    assert first.origin["issued"] == "year, month"
    assert (thesis.item["type"], thesis.item["publisher"], thesis.title) == (
        "thesis",
        "University",
        "A (braced) thesis",
    )


def test_fields_hold_the_raw_values_in_their_order_and_the_source_its_bytes() -> None:
    first, thesis = bibtex.read(SAMPLE, "x.bib")
    assert isinstance(first, Record)
    assert isinstance(thesis, Record)
    said = {field.name: field.values[0] for field in first.fields}
    assert list(said)[:4] == ["@Article", "author", "title", "journal"]
    assert said["@Article"] == "Peltzer2018"
    assert said["title"] == "{Mesenchymal} stromal cells \\& {TGF-$\\beta_1$} in 50\\% of {SSc}"
    assert said["journal"] == "jir"
    assert said["x-unknown"] == "kept"
    assert SAMPLE[SAMPLE.index(b"@Article") :].startswith(first.source.content)
    assert first.source.content.endswith(b"}")
    assert thesis.source.content == SAMPLE[SAMPLE.index(b"@phdthesis") :].rstrip()
    assert first.source.place == "line 4"


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (r"M{\"u}ller, M\"uller, \'{E}cole, \'Ecole", "Müller, Müller, École, École"),
        (r"{\o}re \L{}od\'z \ss{} \c{c} \v{s} \H{o} \k{a} \'{\i} \v{\i}", "øre Łodź ß ç š ő ą í ǐ"),
        (r"100\% \& \$5 a\_b \# \{x\}", "100% & $5 a_b # {x}"),
        (r"50% of cells", "50% of cells"),
        (r"$\alpha$-SMA, TGF-$\beta_1$, $10^{-6}$, Ca$^{2+}$", "α-SMA, TGF-β₁, 10⁻⁶, Ca²⁺"),
        (r"$p<0.05$ costs $5 and $6", "p<0.05 costs $5 and $6"),
        (r"P{\textless}0.05 \textgreater 1", "P<0.05 >1"),
        (r"a~b -- c --- d ``q''", "a\u00a0b – c — d “q”"),
        (r"\emph{in vitro} \textit{x} {\em y} {SSc}", "in vitro x y SSc"),
        (r"line\\break", "line\nbreak"),
        ("a\n   b\n\n c", "a b\n\nc"),
        (r"x^2_1", "x^2_1"),
        (r"\textbackslash{}foo\textbraceleft{}\textasciitilde{}", "\\foo{~"),
    ],
)
def test_latex_becomes_the_text_it_prints(written: str, plain: str) -> None:
    assert latex.decoded(written) == (plain, ())


@pytest.mark.parametrize("written", [r"C:\dir\name", r"\unknown{arg} rest", r"\begin{x} y", r"$x^{ab}$ $\frac{1}{2}$"])
def test_latex_that_is_not_known_stays_as_it_is_and_is_named(written: str) -> None:
    plain, unknown = latex.decoded(written)
    assert plain == written
    assert unknown
    assert any("LaTeX left as it is" in remark for remark in entry(note=written).remarks)


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Knuth, Donald E.", [{"family": "Knuth", "given": "Donald E."}]),
        (
            "Donald E. Knuth AND Leslie Lamport",
            [{"family": "Knuth", "given": "Donald E."}, {"family": "Lamport", "given": "Leslie"}],
        ),
        ("{Simon and Schuster} and {WHO}", [{"literal": "Simon and Schuster"}, {"literal": "WHO"}]),
        ("{van der} Berg, Jan", [{"family": "van der Berg", "given": "Jan"}]),
        (r"{\'E}cole", [{"family": "École"}]),
        (r"{\"O}zkan, {\c C}a{\u g}la", [{"family": "Özkan", "given": "Çağla"}]),
        ("Anderson", [{"family": "Anderson"}]),
        ("Last, Jr, First", [{"family": "Last", "given": "First", "suffix": "Jr"}]),
    ],
)
def test_names_follow_the_rules_of_bibtex(written: str, names: list[dict[str, str]]) -> None:
    assert entry(author=written).item["author"] == names


def test_and_others_is_said_and_is_no_name() -> None:
    record = entry(author="Peltzer, J and others")
    assert record.authors == ("J Peltzer",)
    assert any("others" in remark for remark in record.remarks)


@pytest.mark.parametrize(
    ("fields", "issued"),
    [
        ({"year": "2018", "month": "9", "day": "1"}, {"date-parts": [[2018, 9, 1]]}),
        ({"year": "2018", "month": "September"}, {"date-parts": [[2018, 9]]}),
        ({"date": "2018-09-01"}, {"date-parts": [[2018, 9, 1]]}),
        ({"date": "2018-09/2018-10", "year": "2018"}, {"date-parts": [[2018, 9], [2018, 10]]}),
        ({"year": "in press"}, {"literal": "in press"}),
        ({"date": "unclear", "year": "2018"}, {"date-parts": [[2018]]}),
    ],
)
def test_dates_of_bibtex_and_biblatex(fields: dict[str, str], issued: dict[str, Any]) -> None:
    assert entry(**fields).item["issued"] == issued


def test_strings_are_joined_and_an_undefined_one_is_said() -> None:
    content = b'@string(a = "A")\n@book{k, title = a # { b } # "c" # 7, publisher = nowhere, note = "x {"} y"}'
    (record,) = bibtex.read(content, "x")
    assert isinstance(record, Record)
    assert record.title == "A b c7"
    assert record.item["publisher"] == "nowhere"
    assert record.item["note"] == 'x " y'
    assert any("'nowhere' is not defined" in remark for remark in record.remarks)


@pytest.mark.parametrize(
    ("middle", "reason"),
    [
        ("@article{b, title = {unclosed, year = 2019}", "not closed"),
        ('@article{b, title = "unclosed, year = 2019}', "not closed"),
        ("@article{b, title {x}}", "'name = value'"),
        ("@article{b, title = {x} y}", "a comma was expected after title"),
        ("@article{b, title = , year = 1}", "title has no value"),
        ("@article{b title = {x}}", "a key and a comma"),
        ("@article{b, note = {x}}", "neither title"),
    ],
)
def test_a_broken_entry_is_rejected_with_its_line_and_the_others_are_read(middle: str, reason: str) -> None:
    text = f"@article{{a, title={{A}}}}\n\n{middle}\n@article{{c, title={{C}}}}\n"
    found = list(bibtex.read(text.encode(), "x"))
    assert [one.title for one in found if isinstance(one, Record)] == ["A", "C"]
    (rejected,) = (one for one in found if isinstance(one, Rejected))
    assert rejected.place == "line 3"
    assert reason in rejected.reason


def test_a_line_in_an_abstract_that_looks_like_an_entry_is_no_entry() -> None:
    record = entry(abstract="mail\n@example.org{here} or\n@article{this}")
    assert record.item["abstract"] == "mail @example.orghere or @articlethis"


def test_a_missing_comma_is_said_and_takes_nothing_away() -> None:
    (record,) = bibtex.read(b"@article{k, title = {x}\n year = {2018}}", "x")
    assert isinstance(record, Record)
    assert (record.title, record.year) == ("x", 2018)
    assert any("comma is missing after title" in remark for remark in record.remarks)


def test_repeated_fields_inherited_ones_and_unknown_types_are_said() -> None:
    (record,) = bibtex.read(b"@thing{k, title = {x}, Title = {y}, crossref = {z}}", "x")
    assert isinstance(record, Record)
    assert record.title == "x"
    assert [len([r for r in record.remarks if said in r]) for said in ("several times", "crossref", "@thing")] == [
        1,
        1,
        1,
    ]
    assert [field.name for field in record.fields] == ["@thing", "title", "Title", "crossref"]


def test_keys_of_a_file_differ_and_are_plain() -> None:
    (record,) = bibtex.read(rb"@book{k, author={{\'E}mile, J}, title={A Study of x}, year=2018}", "x")
    assert isinstance(record, Record)
    text = writing.text([record] * 28, "bibtex")
    keys = [line[len("@book{") :].rstrip(",") for line in text.splitlines() if line.startswith("@")]
    assert keys[:3] == ["emile2018study", "emile2018study-b", "emile2018study-c"]
    assert keys[26:] == ["emile2018study-aa", "emile2018study-ab"]
    assert len(set(keys)) == 28


def test_what_is_written_is_plain_bibtex() -> None:
    first = next(bibtex.read(SAMPLE, "x.bib"))
    assert isinstance(first, Record)
    text = bibtex.write(first)
    assert "@article{peltzer2018mesenchymal,\n" in text
    assert "  author = {Peltzer, Juliette and {van der Berg}, Jr, Jan and {Example Study Group} and" in text
    assert "  title = {Mesenchymal stromal cells \\& {TGF-β₁} in 50\\% of {SSc}},\n" in text
    assert "  pages = {101--109},\n  year = {2018},\n  month = sep,\n" in text
    assert "  keywords = {systemic sclerosis, {Scleroderma, Systemic}},\n" in text
    assert "  url = {https://example.org/~a_b},\n" in text
