"""The commands of the evidence base, on a library of their own."""

import json
import sys
from pathlib import Path

import pytest

from stromal import cli
from stromal.evidence.claims.base import FOLDER
from stromal.evidence.records.writing import WRITERS

FOUNDING = "10.3389/fimmu.2018.02013"
PAGE = FOLDER / "founding_record.txt"


@pytest.fixture
def stromal(monkeypatch, capsys, tmp_path):
    """Run a command on a library of its own: exit status, standard output, standard error."""
    monkeypatch.setenv("STROMAL_LIBRARY", str(tmp_path / "evidence.sqlite"))

    def command(*args):
        monkeypatch.setattr(sys, "argv", ["stromal", "evidence", *map(str, args)])
        capsys.readouterr()
        status = 0
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        out, err = capsys.readouterr()
        return status, out, err

    return command


def test_the_founding_document_is_there_from_the_start_and_importing_it_changes_nothing(stromal):
    status, out, _ = stromal("import", PAGE, "--json")
    assert status == 0
    assert json.loads(out)["counts"] == {"duplicate": 1}


@pytest.mark.parametrize("form", WRITERS)
def test_what_is_exported_and_imported_again_is_no_new_work(stromal, tmp_path, form):
    out = tmp_path / f"out.{form}"
    assert stromal("export", "--format", form, "--query", f"doi:{FOUNDING}", "--out", out)[0] == 0
    status, answer, _ = stromal("import", out, "--json")
    assert status == 0
    assert "rejected" not in json.loads(answer)["counts"]
    found = json.loads(stromal("search", FOUNDING, "--json")[1])
    assert (found["total"], found["hits"][0]["id"]) == (1, f"doi:{FOUNDING}")


def test_a_record_is_shown_with_its_fields_claims_and_citations_and_as_a_page_without_requests(stromal, tmp_path):
    page = tmp_path / "page.html"
    status, out, _ = stromal("show", FOUNDING)
    assert status == 0
    for word in ("École Polytechnique", "2018-09", "F01", "vancouver: Peltzer J", "spellingShingle", "Similar items"):
        assert word in out
    assert stromal("show", FOUNDING, "--html", page)[0] == 0
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "src=" not in text


def test_search_counts_facets_and_pages_do_not_overlap(stromal):
    first, second = (
        json.loads(stromal("search", "*", "--size", "20", "--page", p, "--facet", "design", "--json")[1])
        for p in (1, 2)
    )
    assert first["total"] > 200
    assert {h["id"] for h in first["hits"]}.isdisjoint(h["id"] for h in second["hits"])
    assert "rct" in {v["value"] for v in first["facets"]["design"]}
    trials = json.loads(stromal("search", "*", "--where", "design=rct", "--json")[1])["total"]
    assert 0 < trials < first["total"]


@pytest.mark.parametrize("query", ['"open', "(open", "nofield:x", "", "x" * 20_000, "a AND", "title:"])
def test_a_query_that_cannot_be_read_is_an_error_with_its_place(stromal, query):
    status, out, err = stromal("search", query)
    assert status == 2
    assert "write instead" in err
    assert out == ""


def test_a_wrong_file_is_named_with_its_remedy(stromal, tmp_path):
    zipped = tmp_path / "records.zip"
    zipped.write_bytes(b"PK\x03\x04" + bytes(100))
    for path in (zipped, tmp_path / "none.ris"):
        status, _, err = stromal("import", path)
        assert status == 2
        assert path.name in err
        assert "write instead" in err


def test_a_broken_record_is_rejected_with_its_place_and_the_others_are_added(stromal, tmp_path):
    path = tmp_path / "two.ris"
    path.write_text("TY  - JOUR\nTI  - A work of skin\nER  - \nTY  - JOUR\nER  - \n", encoding="utf-8")
    status, out, _ = stromal("import", path, "--json")
    counts = json.loads(out)["counts"]
    assert (status, counts["added"], counts["rejected"]) == (3, 1, 1)


def test_quotes_are_looked_up_again_in_a_text_that_a_user_imports(stromal, tmp_path):
    status, out, _ = stromal("import", PAGE, "--text-of", FOUNDING, "--source", "https://doaj.org", "--json")
    quotes = json.loads(out)["quotes"]
    assert status == 0
    assert len(quotes) >= 10
    assert all(q["found"] for q in quotes)
    other = tmp_path / "other.txt"
    other.write_text("Another text.", encoding="utf-8")
    status, out, _ = stromal("import", other, "--text-of", FOUNDING, "--source", "x")
    assert status == 3
    assert "NOT FOUND" in out


def test_a_decision_of_a_person_survives_the_next_import(stromal, tmp_path):
    path = tmp_path / "two.ris"
    entries = [f"TY  - JOUR\nTI  - {title}\nDO  - 10.1000/{k}\nER  - \n" for k, title in enumerate(("Skin", "Lung"))]
    path.write_text("".join(entries), encoding="utf-8")
    assert stromal("import", path)[0] == 0
    assert stromal("same", "10.1000/0", "10.1000/1", "--by", "A. Reader", "--why", "a test")[0] == 0
    assert stromal("import", path)[0] == 0
    assert json.loads(stromal("search", "10.1000/1", "--json")[1])["hits"][0]["id"] == "doi:10.1000/0"


def test_the_audit_prints_the_share_of_assumed_parameters_first(stromal):
    status, out, _ = stromal("audit")
    assert status == 0
    assert "parameters are assumed" in out.splitlines()[0]
    data = json.loads(stromal("audit", "--json")[1])
    assert 0.5 < data["share_assumed"] < 1.0
    assert data["accepted"] == 0


def test_a_parameter_a_row_and_a_paper_lead_to_the_same_sentence(stromal):
    sentences = [stromal("claims", name)[1] for name in ("kdRTX", "B_kdRTX")]
    assert sentences[0] == sentences[1]
    assert "22 days" in sentences[0]
    assert stromal("claims", "no such thing")[0] == 2


def test_pooling_writes_its_figures_and_numbers(stromal, tmp_path):
    spec = Path(__file__).resolve().parents[2] / "examples" / "pooling" / "msc.yaml"
    status, out, _ = stromal("pool", spec, "--out", tmp_path / "pool")
    assert status == 0
    assert "blinded = yes" in out
    assert {p.name for p in (tmp_path / "pool").iterdir()} == {"forest.svg", "funnel.svg", "pool.json"}
