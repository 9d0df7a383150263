"""The committed pages are what the model says today; `make docs` writes them again."""

from pathlib import Path

import pandas as pd

from stromal.biology.page import agreement_page, model_page

ROOT = Path(__file__).parents[2]
KNOWN = ROOT / "tests/known_answer/prototype_tables.csv"


def test_the_model_page_is_current():
    assert (ROOT / "docs/model.md").read_text(encoding="utf-8") == model_page()


def test_the_agreement_page_is_current():
    known = pd.read_csv(KNOWN, keep_default_na=False, dtype={"value": str})
    assert (ROOT / "docs/prototype-agreement.md").read_text(encoding="utf-8") == agreement_page(known)
