"""The tables of a report, as rows of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from stromal.biology import parameter_table
from stromal.design.endpoints import EndPoint
from stromal.design.trial import TrialDesign
from stromal.evidence.claims import shipped_claims
from stromal.evidence.page import cited_as
from stromal.report.learned import learned_medians
from stromal.report.wording import (
    DASH,
    EVENT_NAMES,
    MEASURE_NAMES,
    UNITS,
    comparison,
    count,
    number,
    outcome,
    percent,
    percent_with_error,
    plain,
    row_of,
    scale,
    unit,
    value_with_error,
)

Summary = Mapping[str, Any]
Row = dict[str, str]
ESTIMANDS: Final = {
    "hypothetical": "hypothetical: the value had nobody died or left",
    "composite": "composite: who died or left is no responder",
    "treatment_policy": "treatment policy: counted whatever else happened",
}
ANALYSES: Final = {
    "ancova": "ANCOVA, adjusted for baseline",
    "risk_difference": "difference in proportions, Newcombe interval, Fisher's exact test",
    "mean_change": "mean change, Student's interval",
    "proportion": "proportion, Wilson's interval",
}
ORIGIN_ORDER: Final = ("assumed", "calibrated", "derived", "measured")


def endpoint_rows(design: TrialDesign, summary: Summary) -> list[Row]:
    """One row per end point with its operating characteristics."""
    return [_endpoint_row(e, row_of(summary, e.name), int(summary["replicates"])) for e in design.endpoints]


def _endpoint_row(endpoint: EndPoint, row: Mapping[str, Any], replicates: int) -> Row:
    factor, digits = scale(endpoint), 2 if endpoint.kind == "change" else 1

    def scaled(key: str) -> float | None:
        return None if row[key] is None else row[key] * factor

    test = f"{percent(endpoint.alpha)}, {'two' if endpoint.sides == 2 else 'one'}-sided"
    tested = endpoint.contrast is not None
    return {
        "name": endpoint.name,
        "what": outcome(endpoint),
        "groups": comparison(endpoint),
        "role": endpoint.role,
        "unit": unit(endpoint),
        "estimand": ESTIMANDS["hypothetical" if endpoint.kind == "change" else endpoint.estimand],
        "analysis": f"{ANALYSES[endpoint.analysis]}; level {test}" if tested else ANALYSES[endpoint.analysis],
        "truth": value_with_error(scaled("truth"), scaled("truth_mcse"), digits),
        "effect": number(scaled("effect_mean"), digits),
        "sd": number(scaled("effect_sd"), digits),
        "bias": value_with_error(scaled("bias"), scaled("bias_mcse"), digits),
        "coverage": percent_with_error(row["coverage"], row["coverage_mcse"], replicates, brief=True),
        "without": number(_mean(row, "estimates_null", factor), digits),
        **{
            key: percent_with_error(row[key], row[f"{key}_mcse"], replicates, brief=True) if tested else DASH
            for key in ("type_one_error", "power", "probability_of_success")
        },
    }


def _mean(row: Mapping[str, Any], key: str, factor: float) -> float | None:
    mean = row[key]["mean"]
    return None if mean is None else mean * factor


def baseline_rows(summary: Summary) -> list[Row]:
    """The simulated patients at baseline."""
    rows = []
    for name, entry in summary["baseline"].items():
        if set(entry) == {"mean", "sd"} and not isinstance(entry["mean"], str) and name in MEASURE_NAMES:
            digits = 0 if name == "fvc_ml" else 1
            value = f"{number(entry['mean'], digits)} (SD {number(entry['sd'], digits)}) {UNITS[name]}"
            rows.append(
                {"what": MEASURE_NAMES[name].split(" (")[0] + (" (mL)" if name == "fvc_ml" else ""), "value": value}
            )
        else:
            shares = ", ".join(f"{plain(k)} {percent(v, 0)}" for k, v in entry.items())
            rows.append({"what": plain(name), "value": shares})
    return rows


def safety_rows(summary: Summary) -> list[Row]:
    """Events by the last visit, per arm, under the effect that the design states."""
    rows = []
    for arm in summary["safety"]:
        types = ", ".join(f"{k} {percent(v)}" for k, v in arm["organ_failure_types"].items())
        rows.append(
            {
                "arm": plain(arm["arm"]),
                "patients": count(arm["patients"]),
                **{
                    event: percent_with_error(arm[event], arm[f"{event}_mcse"], max(arm["patients"], 1), brief=True)
                    for event in EVENT_NAMES
                },
                "reactions": number(arm["infusion_reactions_per_patient"], 2),
                "types": types or "none",
            }
        )
    return rows


def parameter_groups() -> list[dict[str, object]]:
    """The parameters of the model by origin, those that are only assumed first."""
    table = parameter_table()
    groups: list[dict[str, object]] = []
    for origin in ORIGIN_ORDER:
        own = table[table["origin"] == origin]
        if len(own):
            groups.append({"origin": origin, "count": len(own), "rows": [_parameter(r) for r in own.itertuples()]})
    return groups


def _parameter(row: Any) -> dict[str, object]:
    varies = row.distribution == "lognormal"
    between = [f"log-normal, log-SD {row.spread:g}" if varies else "same in all patients"]
    if row.symbol in learned_medians():
        between.append(learned_medians()[row.symbol])
    return {
        "symbol": row.symbol,
        "name": row.name,
        "value": f"{row.value:.4g}",
        "unit": row.unit,
        "range": f"{row.low:.3g} to {row.high:.3g}",
        "between": "; ".join(between),
        "source": row.source,
        "passages": _passages(row.symbol),
    }


def _passages(symbol: str) -> list[Row]:
    """The sentences that a parameter rests on."""
    base = shipped_claims()
    return [
        {
            "row": said.row,
            "status": said.judgement.status,
            "claim": said.claim.sentence.partition(": ")[2],
            "quote": said.support.quote,
            "record": _paper(said.support.record, base.items.get(said.support.record, {})),
            "why": "; ".join(said.judgement.reasons),
        }
        for said in base.about(f"param:{symbol}")
        if said.support
    ]


def _paper(curie: str, item: Mapping[str, Any]) -> str:
    return curie.removeprefix("doi:") if curie.startswith("doi:") else cited_as(item, curie)


def provenance_rows(provenance: Mapping[str, object], path: str = "") -> Iterator[Row]:
    """Provenance as name and value, nested names joined."""
    for key, value in provenance.items():
        name = f"{path} {plain(key)}".strip()
        if isinstance(value, Mapping):
            yield from provenance_rows(value, name)
        else:
            yield {"what": name, "value": str(value)}
