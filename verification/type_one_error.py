"""Type-I error of the shipped designs over many replicates in which the cells do nothing.

Writes `docs/verification.md` and its figure; exit status 1 if a bound is missed. Pieces are kept in
`runs/verify-...`, so an interrupted run goes on where it stopped. About 45 minutes on two processors.
"""

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from rich.progress import track
from scipy import stats

from stromal.compute.content import content_hash
from stromal.compute.executor import processors, run_pieces
from stromal.compute.provenance import processor
from stromal.compute.runfolder import open_run
from stromal.design import read_design
from stromal.report.publish import run_identity
from stromal.trial.replicates import PieceResult, pieces, run_piece

mpl.rcParams["svg.hashsalt"] = "stromal"  # the same file for the same numbers

ROOT = Path(__file__).resolve().parents[1]
SEED = 20261
COMMAND = "python verification/type_one_error.py"


@dataclass(frozen=True)
class Case:
    """A design, how often it is simulated, and which of its end points must hold its level."""

    design: str
    replicates: int
    endpoint: str
    bounded: bool


CASES = (
    Case("two-arm-60", 10_000, "mrss_change", bounded=True),
    Case("care-ssc", 3_000, "mrss_change", bounded=False),
)


def estimates(case: Case) -> pd.DataFrame:
    """Estimates of every replicate under `null`."""
    design = read_design(ROOT / "examples" / f"{case.design}.yaml")
    identity = run_identity(design, case.replicates, SEED) | {"scenarios": "null"}
    folder = open_run(ROOT / "runs" / f"verify-{case.design}-{content_hash(identity)[:8]}", identity, resume=True)
    todo = pieces(design, SEED, case.replicates, scenarios=("null",), keep_data=False, patients=4000)
    done = {k: v for k, v in folder.done().items() if isinstance(v, PieceResult)} if not folder.complete else {}
    missing = [k for k in range(len(todo)) if k not in done]
    work = run_pieces(run_piece, [todo[k] for k in missing], processors())
    for position, result in track(work, description=case.design, total=len(missing)):
        folder.keep(missing[position], result)
        done[missing[position]] = result
    return pd.concat([done[k].estimates for k in range(len(todo))], ignore_index=True)


def row(case: Case, rows: pd.DataFrame, alpha: float) -> tuple[dict[str, str], bool]:
    """A line of the table, and whether the bound holds."""
    rate = float(rows["rejects"].mean())
    error = math.sqrt(alpha * (1.0 - alpha) / len(rows))
    holds = abs(rate - alpha) <= 3.0 * error
    favour = float(rows["favours_treatment"].mean())
    uniform = stats.kstest(rows["p_value"].dropna(), "uniform")
    return {
        "design": f"`examples/{case.design}.yaml`",
        "end point": case.endpoint,
        "replicates": f"{len(rows):,}",
        "patients analysed (mean)": f"{(rows['n_treated'] + rows['n_control']).mean():.1f}",
        "rejection rate": f"{rate:.4f}",
        "three Monte Carlo errors around alpha": f"{alpha - 3 * error:.4f} to {alpha + 3 * error:.4f}",
        "in favour of treatment": f"{favour:.4f}",
        "p-values uniform (Kolmogorov-Smirnov p)": f"{uniform.pvalue:.3f}",
        "verdict": ("holds" if holds else "MISSED") if case.bounded else ("holds" if holds else "outside, reported"),
    }, holds or not case.bounded


def draw(found: dict[str, pd.DataFrame]) -> None:
    """Share of trials with a p-value below each level: on the diagonal if the test keeps its level."""
    figure, axes = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
    levels = np.linspace(0.0, 0.2, 201)
    for name, rows in found.items():
        axes.plot(levels, [(rows["p_value"] <= a).mean() for a in levels], label=name, linewidth=1.4)
    axes.plot(levels, levels, color="#888888", linewidth=0.8, linestyle="--", label="exact")
    axes.locator_params(nbins=5)
    axes.set_xlabel("level of the test")
    axes.set_ylabel("share of trials that reject, cells doing nothing")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    (ROOT / "docs" / "figures").mkdir(exist_ok=True)
    figure.savefig(ROOT / "docs" / "figures" / "type-one-error.svg", metadata={"Date": None})


def main() -> int:
    """Run all cases, write the page."""
    begun = time.perf_counter()
    lines, found, sound = [], {}, True
    for case in CASES:
        design = read_design(ROOT / "examples" / f"{case.design}.yaml")
        alpha = next(e.alpha for e in design.endpoints if e.name == case.endpoint)
        table = estimates(case)
        rows = table[table["endpoint"] == case.endpoint]
        line, holds = row(case, rows, alpha)
        lines.append(line)
        sound = sound and holds
        found[f"{case.design}, n = {design.sample_size}"] = rows
    draw(found)
    table = "| " + " | ".join(lines[0]) + " |\n|" + "---|" * len(lines[0]) + "\n"
    table += "".join("| " + " | ".join(line.values()) + " |\n" for line in lines)
    minutes = (time.perf_counter() - begun) / 60.0
    page = (
        "# Verification\n\n"
        f"Made by `{COMMAND}` (seed {SEED}; part of `make verify`), {minutes:.0f} minutes on {processors()} processors "
        f"({processor()}).\n\n## The test keeps its level when the cells do nothing\n\n{table}\n"
        "The primary analysis is an analysis of covariance of those who stayed. Under `null` every arm "
        "takes the same true course, so each rejection is a false one.\n\n"
        "![Share of trials below each level](figures/type-one-error.svg)\n"
    )
    (ROOT / "docs" / "verification.md").write_text(page, encoding="utf-8")
    print(table)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
