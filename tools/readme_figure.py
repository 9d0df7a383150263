"""Draws the picture of README.md from a finished run: `python tools/readme_figure.py RUN_FOLDER`."""

import json
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

mpl.rcParams["svg.hashsalt"] = "stromal"  # the same file for the same run
PICTURE = Path(__file__).resolve().parents[1] / "docs" / "figures" / "care-ssc.svg"
ENDPOINT = "mrss_change"
TITLES = {
    "null": "The cells do nothing",
    "reference": "The effect that the design states",
    "prior": "Averaged over what is believed",
}


def main(folder: Path) -> None:
    """One panel per scenario: what single trials of this design would report."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    entry = next(e for e in summary["endpoints"] if e["endpoint"] == ENDPOINT)
    table = pd.read_parquet(folder / "replicates.parquet")
    rows = table[table["endpoint"] == ENDPOINT].dropna(subset=["estimate"])
    bins = np.arange(np.floor(rows["estimate"].min()), rows["estimate"].max() + 1.0, 1.0)
    shares = {
        "null": f"{entry['type_one_error']:.1%} significant, either way",
        "reference": f"{entry['power']:.1%} significant in favour",
        "prior": f"{entry['probability_of_success']:.1%} significant in favour",
    }
    figure, panels = plt.subplots(1, 3, figsize=(10, 2.9), sharey=True, layout="constrained")
    for axes, (scenario, title) in zip(panels, TITLES.items(), strict=True):
        own = rows[rows["scenario"] == scenario]
        axes.hist(own["estimate"], bins, color="#c9ced6")
        found = own["rejects"] if scenario == "null" else own["favours_treatment"]
        axes.hist(own.loc[found, "estimate"], bins, color="#0b6bb5")
        axes.axvline(0.0, color="#333333", linewidth=0.8)
        if scenario == "reference":
            axes.axvline(entry["truth"], color="#b3261e", linestyle="--", linewidth=1.3)
        axes.set_title(f"{title}\n{shares[scenario]}", fontsize=10)
        axes.set_xlabel("estimated effect on mRSS at one year [points]", fontsize=8.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    panels[0].set_ylabel("simulated trials", fontsize=8.5)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
