"""Claims, the passages that support them, and what a passage is worth."""

from dataclasses import replace
from decimal import Decimal

import pytest

from stromal.evidence.claims import Claim, Support, judged, shipped_claims
from stromal.evidence.claims.base import FOLDER
from stromal.evidence.claims.judging import is_verbatim
from stromal.evidence.claims.numbers import is_printed, numbers

CLAIM = Claim("outcome", "trial:T/placebo", "mRSS_change at week 48", value="-3.92", unit="points")
SUPPORT = Support(
    CLAIM.id,
    "R000",
    "doi:10.1/x",
    "supports",
    "change in modified Rodnan skin score was -3·92",
    text_sha256="0" * 64,
    text_source="https://example.org",
    text_date="2026-11-25",
)
TRIAL = {"custom": {"design": "rct"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fell by 3·92 (95 % CI −7.23 to 0.12)", ["3.92", "95", "-7.23", "0.12"]),
        ("Twenty-two of the seventy patients", ["22", "70"]),
        ("1,100 cells and 2 × 106 cells", ["1100", "2E+6"]),
        ("27.0-33.5%", ["27.0", "33.5"]),
        ("in 2016", ["2016"]),
        ("no number", []),
    ],
)
def test_numbers_are_read_as_papers_print_them(text: str, expected: list[str]) -> None:
    assert numbers(text) == [Decimal(e) for e in expected]


def test_a_number_is_not_found_inside_another() -> None:
    assert not is_printed(Decimal(16), "in 2016, 1.16 and 160")
    assert is_printed(Decimal("-3.9"), "a fall of 3.9")


def test_a_quote_with_value_unit_and_text_is_checked_and_without_any_of_them_it_is_a_draft() -> None:
    assert judged(CLAIM, SUPPORT, TRIAL).status == "checked"
    spoilt = {
        "the quote was not compared with the text of the source": replace(SUPPORT, text_sha256=""),
        "the value (-3.92) is not in the quote": replace(SUPPORT, quote="the modified Rodnan skin score fell by 4"),
        "the unit (points) is not in the quote": replace(SUPPORT, quote="the change was -3.92"),
        "the text reports what another paper found": replace(SUPPORT, secondary=True),
        "the passage names the subject, but not this value": replace(SUPPORT, stance="mentions"),
    }
    for reason, support in spoilt.items():
        judgement = judged(CLAIM, support, TRIAL)
        assert judgement.status == "draft"
        assert reason in judgement.reasons


def test_the_heading_of_a_table_may_name_the_unit() -> None:
    bare = replace(SUPPORT, quote="−3.92 (6.1)")
    assert judged(CLAIM, bare, TRIAL).status == "draft"
    assert judged(CLAIM, replace(bare, label="Total mRSS, mean (SD)"), TRIAL).status == "checked"


def test_a_review_supports_a_mechanism_but_never_a_number() -> None:
    review = {"custom": {"design": "review"}}
    assert judged(CLAIM, SUPPORT, review).status == "draft"
    mechanism = Claim("mechanism", "cell:MSC", "decreases", object="process:fibrosis")
    assert judged(mechanism, replace(SUPPORT, claim=mechanism.id), review).status == "checked"


def test_a_retracted_record_supports_nothing() -> None:
    assert judged(CLAIM, SUPPORT, {"custom": {"design": "rct", "retracted": True}}).status == "rejected"


def test_only_a_named_person_makes_a_checked_support_an_accepted_one() -> None:
    assert judged(CLAIM, replace(SUPPORT, by="A. Reader"), TRIAL).status == "accepted"
    unseen = replace(SUPPORT, by="A. Reader", text_sha256="")
    assert judged(CLAIM, unseen, TRIAL).status == "draft"


def test_a_value_that_follows_by_a_named_rule_is_checked_and_names_the_rule() -> None:
    claim = Claim("outcome", "trial:T/placebo", "dropout_pct at week 52", value="22.7", unit="% patients")
    support = replace(SUPPORT, claim=claim.id, quote="Started 44 44 Completed 34 35 Not completed 10 9")
    assert judged(claim, support, TRIAL).status == "draft", "34 lies between: it could be chance"
    told = replace(support, derivation="percentage of counts", inputs=("10", "44"))
    assert judged(claim, told, TRIAL).derivation == "percentage of counts"
    assert judged(claim, told, TRIAL).status == "checked"
    invented = replace(support, derivation="percentage of counts", inputs=("5", "22"))
    assert judged(claim, invented, TRIAL).status == "draft", "22 is not printed"


def test_the_same_statement_is_one_claim_and_a_corrected_number_another() -> None:
    assert replace(CLAIM).id == CLAIM.id
    assert replace(CLAIM, value="-3.93").id != CLAIM.id


def test_a_quote_is_compared_after_folding_white_space_and_compatibility_forms_only() -> None:
    assert is_verbatim("1 × 10⁶  cells", "about 1 × 106\ncells per kg")
    assert not is_verbatim("immunomodulatory", "antifibrotic, and immunomodulary properties")
    assert not is_verbatim("", "anything")


def test_nothing_ships_as_accepted_and_every_passage_names_a_known_record() -> None:
    base = shipped_claims()
    assert base.supported
    assert {s.judgement.status for s in base.supported} <= {"checked", "draft", "rejected"}
    unknown = {s.support.record for s in base.supported if s.support} - set(base.items)
    assert not unknown


def test_the_founding_review_supports_mechanisms_and_no_number() -> None:
    said = shipped_claims().from_record("doi:10.3389/fimmu.2018.02013")
    assert len(said) >= 10
    assert {s.claim.kind for s in said} == {"mechanism"}
    assert all(s.checked for s in said)


def test_quotes_of_the_founding_review_stand_in_the_shipped_document() -> None:
    text = (FOLDER / "founding_record.txt").read_text(encoding="utf-8")
    said = shipped_claims().from_record("doi:10.3389/fimmu.2018.02013")
    assert all(is_verbatim(s.support.quote, text) for s in said if s.support)


def test_a_parameter_leads_to_its_sentence_and_the_sentence_to_its_parameter() -> None:
    base = shipped_claims()
    mine = base.about("param:kdRTX")
    assert "22 days" in mine[0].support.quote
    assert "param:kdRTX" in {s.claim.subject for s in base.from_record(mine[0].support.record)}
