"""``stromal evidence``: what the numbers rest on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stromal.biology import parameter_table
from stromal.cli.console import answer, say
from stromal.cli.library import evidence_export, evidence_import, evidence_same, evidence_search, evidence_show
from stromal.cli.options import AsJson, Out
from stromal.compute.errors import InputError
from stromal.compute.runfolder import write_atomic
from stromal.design.reading import read_pool
from stromal.evidence.claims import shipped_claims
from stromal.evidence.claims.base import Supported
from stromal.evidence.page import cited_as
from stromal.evidence.pooled_table import chosen, pool_studies, studies_of
from stromal.evidence.usable import shipped_audit
from stromal.report.pool_figures import forest_plot, funnel_plot
from stromal.report.publish import summary_text

evidence = typer.Typer(help="Records, claims and what they support; pooling of studies.", no_args_is_help=True)
evidence.command("import")(evidence_import)
evidence.command("search")(evidence_search)
evidence.command("show")(evidence_show)
evidence.command("export")(evidence_export)
evidence.command("same")(evidence_same)


@evidence.command("audit")
def evidence_audit(
    every: Annotated[
        bool, typer.Option("--all", help="List every result of an arm without a checked passage.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What the evidence base lacks, the share of assumed parameters first."""
    found = shipped_audit(parameter_table())
    if as_json:
        answer(True, found.summary())
        return
    say(f"{found.share_assumed:.0%} of {sum(found.origins.values())} parameters are assumed")
    say(", ".join(f"{n} {origin}" for origin, n in found.origins.items()))
    say("")
    for table, (claims, checked) in found.rows.items():
        say(f"{table}: {checked} of {claims} claims have a checked passage")
    say(f"{found.accepted} claims are accepted by a person; {found.unverified} passages were compared with no text")
    say("")
    say("measured or derived parameters without a checked passage:")
    for gap in found.parameters_without:
        say(f"  {gap.what}: {'; '.join(gap.reasons)}")
    say("parameters that are not what their passage gives:")
    for symbol, value, derived, rule in found.disagreeing:
        say(f"  {symbol}: {value:.4g}, reported {derived:.4g} ({rule})")
    say(f"usable results of arms without a checked passage: {len(found.rows_without)}")
    for gap in found.rows_without if every else ():
        say(f"  {gap.what} {gap.claim}: {'; '.join(gap.reasons)}")
    say(f"contradictions: {len(found.contradictions)}")
    for contradiction in found.contradictions:
        say(f"  {contradiction}")
    say(f"retracted records: {', '.join(found.retracted) or 'none known'}")


@evidence.command("claims")
def evidence_claims(
    name: Annotated[
        str, typer.Argument(help="A parameter (kdRTX), a row (R001), a trial (SENSCIS) or a record (doi:...).")
    ],
    as_json: AsJson = False,
) -> None:
    """The sentences that something rests on, or what rests on a record."""
    base = shipped_claims()
    mine = _about(name)
    if not mine:
        remedy = "a symbol of `stromal model show`, a row or a trial of docs/evidence-base.md, or the DOI of a paper"
        raise InputError("nothing is claimed about this", place="NAME", value=name, remedy=remedy)
    if as_json:
        answer(True, {"claims": [_plain(s) for s in mine]})
        return
    for s in mine:
        say(f"{s.row} [{s.judgement.status}] {s.claim.sentence}")
        if s.support:
            item = base.items.get(s.support.record, {})
            say(f'    "{s.support.quote}"')
            say(f"    {cited_as(item, s.support.record)}, {s.support.record}, {s.support.locator}")
        for reason in s.judgement.reasons:
            say(f"    - {reason}")


@evidence.command("pool")
def evidence_pool(
    spec: Annotated[Path, typer.Argument(metavar="SPEC.yaml", help="As examples/pooling/msc.yaml.")],
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Pool studies, all and by group; `--out` writes forest and funnel plots and the numbers."""
    asked = read_pool(spec)
    studies = chosen(studies_of(asked.table, spec.parent), asked.where)
    options = {"method": asked.method, "test": asked.test, "prediction": asked.prediction, "level": asked.level}
    result = pool_studies(
        studies,
        asked.measure,
        asked.columns.model_dump(),
        groups=asked.groups,
        double_zero=asked.double_zero,
        **options,
    )
    finding = result.finding(asked.benefit, asked.intervention)
    summary = {"title": asked.title, "finding": finding, **result.summary()}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        by = asked.groups[0] if asked.groups else None
        write_atomic(out / "forest.svg", forest_plot(result, asked.title, by))
        write_atomic(out / "funnel.svg", funnel_plot(result.overall, result.scale, asked.title))
        write_atomic(out / "pool.json", summary_text(summary).encode())
    answer(as_json, summary, f"{asked.title}\n\n{finding}", *([f"\nFigures: {out}"] if out else []))


def _about(name: str) -> tuple[Supported, ...]:
    base = shipped_claims()
    for found in (base.about(f"param:{name}"), base.about(name), base.of_row(name), base.from_record(name)):
        if found:
            return found
    as_doi = base.from_record(f"doi:{name.lower()}")
    return as_doi or tuple(s for s in base.supported if s.claim.subject.startswith(f"trial:{name}"))


def _plain(s: Supported) -> dict[str, object]:
    support = s.support
    return {
        "row": s.row,
        "id": s.claim.id,
        "claim": s.claim.sentence,
        "value": s.claim.value,
        "unit": s.claim.unit,
        "status": s.judgement.status,
        "reasons": list(s.judgement.reasons),
        "derivation": s.judgement.derivation,
        "quote": support.quote if support else "",
        "record": support.record if support else "",
        "locator": support.locator if support else "",
        "text": {"sha256": support.text_sha256, "source": support.text_source, "date": support.text_date}
        if support
        else {},
    }
