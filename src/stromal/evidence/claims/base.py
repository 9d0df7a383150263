"""The shipped evidence base as claims: every number of its tables with the passage that supports it.

The folder ``base`` holds the tables (facts), the records of the papers, and the passages (``supports.csv``); a claim is
made from its row, so that no number stands twice. Rows are named by the `id` of their table: A arms, R results, T
trials of MSC, P parameters and M manufacture of MSC; ``model_claims.csv`` holds what parameters of the disease model
rest on, and ``mechanisms.csv`` statements without a number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, cast, final

import pandas as pd

from stromal.evidence.claims.claim import Claim, Spread, Stance, Support
from stromal.evidence.claims.judging import Judgement, judged

FOLDER: Final = Path(__file__).parents[1] / "base"
_ARM_NUMBERS: Final = (
    ("n", "", "patients"),
    ("pct_dcssc", "", "% patients"),
    ("disease_duration_mo_mean", "disease_duration_mo_sd", "months"),
    ("baseline_mrss_mean", "baseline_mrss_sd", "points"),
    ("baseline_fvc_pct_mean", "baseline_fvc_pct_sd", "% predicted"),
    ("baseline_dlco_pct_mean", "baseline_dlco_pct_sd", "% predicted"),
    ("pct_ATA", "", "% patients"),
    ("pct_ACA", "", "% patients"),
    ("pct_RNAP3", "", "% patients"),
    ("pct_female", "", "% patients"),
    ("age_mean", "", "years"),
)
_TRIAL_NUMBERS: Final = (
    ("events_msc", "n_msc", "MSC", "patients"),
    ("events_ctrl", "n_ctrl", "control", "patients"),
    ("mean_msc", "sd_msc", "MSC", ""),
    ("mean_ctrl", "sd_ctrl", "control", ""),
)


@final
@dataclass(frozen=True)
class Supported:
    """A claim with one of its supports, judged.

    Attributes
    ----------
    row : str
        Of the shipped tables.
    """

    row: str
    claim: Claim
    support: Support | None
    judgement: Judgement

    @property
    def checked(self) -> bool:
        """Whether the passage was found and says it."""
        return self.judgement.status in ("checked", "accepted")


@final
@dataclass(frozen=True)
class Base:
    """Claims with their supports, and the records behind them.

    Attributes
    ----------
    supported : tuple of Supported
        One per claim and support, in the order of the tables; a claim without support has one with None.
    items : mapping from CURIE to CSL item
    derivations : mapping from subject to (rule, inputs)
        How the value of a model parameter follows from what a paper reports.
    """

    supported: tuple[Supported, ...]
    items: Mapping[str, Mapping[str, Any]]
    derivations: Mapping[str, tuple[str, tuple[float, ...]]]

    def of_row(self, row: str) -> tuple[Supported, ...]:
        """What a row of a table says."""
        return tuple(s for s in self.supported if s.row == row)

    def about(self, subject: str) -> tuple[Supported, ...]:
        """What is said of a subject, e.g. ``param:kdTCZ``."""
        return tuple(s for s in self.supported if s.claim.subject == subject)

    def from_record(self, curie: str) -> tuple[Supported, ...]:
        """What a record supports."""
        return tuple(s for s in self.supported if s.support and s.support.record == curie)


@cache
def shipped_claims() -> Base:
    """The curated base of this package. Nothing in it is accepted: no person has signed for it."""
    items = {item["id"]: item for item in json.loads((FOLDER / "records.json").read_text(encoding="utf-8"))}
    passages: dict[str, list[dict[str, str]]] = {}
    for line in _rows("supports"):
        passages.setdefault(line["claims"], []).append(line)
    supported: list[Supported] = []
    for row, field, claim in _claims():
        lines = [line for line in passages.get(row, []) if line["field"] in ("", field)]
        mine = [_support(line, row, claim) for line in lines]
        supported += [Supported(row, claim, s, judged(claim, s, items.get(s.record, {}))) for s in mine]
        if not mine:
            nothing = Judgement("draft", ("no passage was found",))
            supported.append(Supported(row, claim, None, nothing))
    return Base(tuple(supported), items, _derivations())


def _support(line: Mapping[str, str], row: str, claim: Claim) -> Support:
    return Support(
        claim=claim.id,
        row=row,
        record=line["record"],
        stance=cast(Stance, line["stance"]),
        quote=line["quote"],
        label=line["label"],
        locator=line["locator"],
        secondary=line["secondary"] == "yes",
        text_sha256=line["text_sha256"],
        text_source=line["text_source"],
        text_date=line["text_date"],
        derivation=line["derivation"],
        inputs=tuple(filter(None, line["inputs"].split(";"))),
        note=line["note"],
    )


def _claims() -> Iterator[tuple[str, str, Claim]]:
    """Row, field of the row (where it has several numbers), claim."""
    makers = {
        "ssc_arms": _arm,
        "ssc_arm_results": _result,
        "msc_trials": _trial,
        "msc_parameters": _parameter,
        "msc_manufacturing": _parameter,
    }
    for table, make in makers.items():
        for line in _rows(table):
            yield from ((line["id"], field, claim) for field, claim in make(line))
    for line in _rows("model_claims"):
        yield line["id"], "", _plain(line, "parameter")
    for line in _rows("mechanisms"):
        yield line["id"], "", _plain(line, "mechanism")


def _arm(line: Mapping[str, str]) -> Iterator[tuple[str, Claim]]:
    subject = f"trial:{line['trial']}/{line['arm']}"
    for name, sd, unit in _ARM_NUMBERS:
        if line[name]:
            claim = Claim("outcome", subject, f"{name} at entry", value=line[name], unit=unit, n=line["n"])
            spread = line[sd] if sd else ""
            yield name, replace(claim, spread=spread, spread_of="between patients") if spread else claim


def _result(line: Mapping[str, str]) -> Iterator[tuple[str, Claim]]:
    statistic = line["stat_type"]
    kind: Spread = "interquartile range" if "IQR" in statistic else "range" if "range" in statistic else ""
    spread = line["sd"] or line["se"]
    spread_of: Spread = "between patients" if line["sd"] else "standard error"
    claim = Claim(
        "outcome",
        f"trial:{line['trial']}/{line['arm']}",
        f"{line['endpoint']} at week {line['timepoint_weeks']}" if line["timepoint_weeks"] else line["endpoint"],
        value=line["value"],
        unit=line["unit"],
        low=line["ci_low"],
        high=line["ci_high"],
        spread=spread,
        spread_of=spread_of if spread else (kind or "confidence interval") if line["ci_low"] else "",
        n=line["n_at_timepoint"],
        context=_present({"detail": line["endpoint_detail"], "statistic": statistic, "patients": line["population"]}),
    )
    yield "", claim


def _trial(line: Mapping[str, str]) -> Iterator[tuple[str, Claim]]:
    given = False
    context = _present({k: line[k] for k in ("disease", "timepoint", "blinded", "dose", "route")})
    for name, second, arm, unit in _TRIAL_NUMBERS:
        if line[name]:
            given = True
            counts = name.startswith("events")
            claim = Claim(
                "outcome",
                f"trial:{line['trial']}/{arm}",
                f"{line['endpoint']}" + (" (patients with the event)" if counts else " (mean)"),
                value=line[name],
                unit=unit,
                spread="" if counts else line[second],
                spread_of="between patients" if line[second] and not counts else "",
                n=line["n_msc" if arm == "MSC" else "n_ctrl"],
                context=context,
            )
            yield name, claim
    if not given:
        said = line["effect_reported"] or line["design"]
        yield "", Claim("outcome", f"trial:{line['trial']}", line["endpoint"], context={**context, "reported": said})


def _parameter(line: Mapping[str, str]) -> Iterator[tuple[str, Claim]]:
    spread: Spread = "range" if line["low"] or line["high"] else ""
    context = {"of": line.get("species_system") or line.get("source_tissue", ""), "context": line["context"]}
    subject = f"msc:{line['category']}"
    given = {k: line[k] for k in ("value", "unit", "low", "high")}
    yield "", Claim("parameter", subject, line["parameter"], spread_of=spread, context=_present(context), **given)


def _plain(line: Mapping[str, str], kind: str) -> Claim:
    columns = [c for c in ("subject", "predicate", "object", "value", "unit", "low", "high") if line.get(c)]
    parts = {c: line[c] for c in columns}
    context = _present({"context": line.get("context", "")})
    return Claim(kind, context=context, **parts)  # type: ignore[arg-type]  # columns are field names


def _present(values: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in values.items() if v}


def _derivations() -> dict[str, tuple[str, tuple[float, ...]]]:
    lines = [line for line in _rows("model_claims") if line["inputs"]]
    return {x["subject"]: (x["derivation"], tuple(float(v) for v in x["inputs"].split(";"))) for x in lines}


def _rows(name: str) -> list[dict[str, str]]:
    table = pd.read_csv(FOLDER / f"{name}.csv", dtype=str, keep_default_na=False)
    return cast("list[dict[str, str]]", table.to_dict("records"))
