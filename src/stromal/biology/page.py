"""Write the pages of the documentation that describe the model, from the model itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import jinja2
import libsbml
import numpy as np
import pandas as pd

from stromal.biology.check import initial_rates, unannotated
from stromal.biology.composition import model, ports, sbml, source_texts
from stromal.biology.organ_events import organ_events
from stromal.biology.parameters import neutral, parameter_table
from stromal.biology.reference import CASES, natural_history, predicted, treated
from stromal.biology.registry import MECHANISMS, THERAPIES, Action, Therapy
from stromal.engine.model_text import reactions
from stromal.evidence.claims import shipped_claims
from stromal.evidence.page import anchor

TEMPLATES: Final = Path(__file__).parent / "pages"
STEP: Final = 1e-4
YEARS: Final = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)

Row = dict[str, str]


def model_page() -> str:
    """Text of ``docs/model.md``: the model for a reader who knows the disease."""
    texts = source_texts()
    return _rendered(
        "model.md.j2",
        rules=len(set(model().rules) - reactions(model())),
        states=_states(),
        mediators=_rules(texts["mediators"]),
        readouts=_rules(texts["readouts"]) + _rules(texts["hazards"]),
        mechanisms=[_file(stem, texts[stem]) for stem in MECHANISMS],
        drugs=[_file(stem, texts[stem]) for stem in texts if stem not in MECHANISMS],
        ports=list(ports(texts).values()),
        therapies=[row for therapy in THERAPIES for row in _products(therapy)],
        organ_events=list(organ_events().itertuples()),
        parameters=[_parameter(row) for row in parameter_table().itertuples()],
        origins=parameter_table()["origin"].value_counts().to_dict(),
        mendings=[row for row in parameter_table().itertuples() if not np.isnan(row.neutral)],
        history=_history(),
        arms=_arms(),
        system=model(),
    )


def agreement_page(known: pd.DataFrame) -> str:
    """Text of ``docs/prototype-agreement.md``.

    Parameters
    ----------
    known : DataFrame
        The prototype's printed tables, as of ``tests/known_answer/prototype_tables.csv``.
    """
    rows = known.assign(neutral=predicted(known, neutral()), shipped=predicted(known))
    rows["digits"] = rows["value"].map(lambda printed: len(printed.partition(".")[2]) + 1)
    rows["deviation"] = (rows["neutral"] - rows["value"].astype(float)).abs()
    groups = [
        {"name": name, "rows": list(group.itertuples()), "n": len(group), "worst": group["deviation"].max()}
        for name, group in rows.groupby("table", sort=False)
    ]
    return _rendered("prototype-agreement.md.j2", groups=groups)


def _rendered(template: str, **values: object) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown of this package's own data
    )
    return environment.get_template(template).render(**values)


def _states() -> list[Row]:
    described = libsbml.readSBMLFromString(sbml()).getModel()
    reasons = unannotated()
    healthy = initial_rates(model())
    rows = []
    for i in range(described.getNumSpecies()):
        species = described.getSpecies(i)
        name = species.getId()
        start = species.getInitialAmount()
        slope = (initial_rates(model(), {name: start + STEP})[name] - healthy[name]) / STEP
        rows.append(
            {
                "name": name,
                "meaning": species.getName(),
                "place": _name(described.getCompartment(species.getCompartment())),
                "healthy": f"{start:g}",
                "days": f"{-1 / slope:.3g}" if slope < 0 else "never",
                "identity": _identity(species) or f"none: {reasons[name]}",
            }
        )
    return rows


def _name(element: libsbml.SBase) -> str:
    return str(element.getName() or element.getId())


def _identity(species: libsbml.Species) -> str:
    terms = (species.getCVTerm(i) for i in range(species.getNumCVTerms()))
    return ", ".join(term.getResources().getValue(0).rsplit("/", 1)[-1] for term in terms)


def _rules(text: str) -> list[Row]:
    names = dict(re.findall(r'\b(\w+) is "([^"]*)"', text))
    rules = re.findall(r"(?m)^\s*(\w+) := ([^;]+);", text)
    return [{"name": n, "meaning": names[n], "formula": _plain(f)} for n, f in rules if n in names]


def _file(stem: str, text: str) -> Row:
    lines = text.splitlines()
    head = [line for line in lines if line.startswith("//")]
    words = " ".join(line.removeprefix("//").strip() for line in head[1:])
    body = "\n".join(line for line in lines if not line.startswith("//")).strip("\n")
    source, _, meaning = words.partition(" In words: ")
    return {
        "stem": stem,
        "title": head[0].removeprefix("//").strip().rstrip("."),
        "source": source.removeprefix("Source: "),
        "words": meaning,
        "equations": _plain("\n".join(line for line in body.splitlines() if not _is_annotation(line))),
    }


def _is_annotation(line: str) -> bool:
    return bool(re.match(r'\s*\w+ (?:is|identity|hypernym) "[^"]*";\s*$', line))


def _plain(formula: str) -> str:
    return re.sub(r"(?<=\d) dimensionless\b", "", formula)


def _products(therapy: Therapy) -> list[Row]:
    return [
        {
            "product": product,
            "file": therapy.name if therapy.equations else "",
            "action": _described(action),
            "source": therapy.source,
        }
        for product, action in therapy.products.items()
    ]


def _described(action: Action) -> str:
    if action.while_taken:
        return f"while taken, {action.while_taken} = share of the standard dose"
    symbol = {"bolus": "+=", "scale": "*=", "set": "="}
    given = "; ".join(f"{c.target} {symbol[c.kind]} {c.amount}" for c in action.changes)
    local = "; ".join(f"{c.target} {symbol[c.kind]} {c.amount}" for c in action.local)
    return f"intravenous: {given}. Local: {local}" if local else given


def _parameter(row: object) -> Mapping[str, object]:
    values: dict[str, object] = row._asdict()  # type: ignore[attr-defined]
    spread = f"log-normal, {values['spread']:g}" if values["distribution"] == "lognormal" else ""
    return values | {"value": f"{values['value']:g}", "between": spread, "claims": _claims(str(values["symbol"]))}


def _claims(symbol: str) -> str:
    """Links to the sentences that a parameter rests on."""
    subject = f"param:{symbol}"
    said = shipped_claims().about(subject)
    links = {f"[{s.row}](evidence-base.md#{anchor(subject)}) ({s.judgement.status})": None for s in said}
    return f"; claim {', '.join(links)}" if links else ""


def _history() -> list[Row]:
    days = np.array(YEARS) * 365.0
    course = natural_history(days)
    return [
        {"case": case, "year": f"{year:g}"} | {q: f"{course.at[(case, day), q]:z.1f}" for q in course.columns}
        for case in CASES
        for year, day in zip(YEARS, days, strict=True)
    ]


def _arms() -> list[Row]:
    course = treated(np.array([0.0, 182.0, 364.0, 728.0]))
    rows = []
    for arm, own in course.groupby(level="case", sort=False):
        day = own.droplevel("case")
        change = day - day.loc[0.0]
        row = {f"{q}_{int(d)}": f"{change.at[d, q]:+z.1f}" for q in ("mRSS", "FVC") for d in (182.0, 364.0, 728.0)}
        rows.append({"arm": str(arm), **row, "N": f"{day.at[728.0, 'N']:.2f}", "Ab": f"{day.at[728.0, 'Ab']:.1f}"})
    return rows
