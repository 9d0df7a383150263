"""What calibration learned as figures: prior and posterior of the numbers learned, and of the MSC effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from stromal.population.hyperparameters import hyperparameters
from stromal.population.msc_effect import points_of_effect
from stromal.population.recipe import LogNormal, MscEffect, Normal, shipped_recipe
from stromal.report.drawing import FAINT, HUES, INK, inline, style
from stromal.report.wording import NBSP, number, percent, plain

Array = NDArray[np.float64]
MIDDLE_90: Final = (0.05, 0.95)
MIDDLE_50: Final = (0.25, 0.75)
MARKED: Final = (0.25, 0.5, 1.0, 2.0)
"""Values of `msc_effect` whose meaning in points is marked."""
BARELY: Final = 3.0
"""Odds that change by less are worth no more than a bare mention (Kass and Raftery 1995, doi:10.2307/2291091)."""
_TICKS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_BINS: Final = 16
_PRIOR, _POSTERIOR = FAINT, HUES[1]


@final
@dataclass(frozen=True, eq=False)
class _Learned:
    """A number before and after, on the scale on which its prior is normal; `log` says whether that is a logarithm."""

    label: str
    prior: Normal
    draws: Array
    log: bool

    @property
    def contraction(self) -> float:
        return float(1.0 - self.draws.var() / self.prior.sd**2)

    def ends(self, middle: tuple[float, float]) -> tuple[Array, Array]:
        """Ends of prior and posterior in the unit of the number."""
        before = stats.norm.ppf(middle, self.prior.mean, self.prior.sd)
        after = np.quantile(self.draws, middle)
        return (np.exp(before), np.exp(after)) if self.log else (np.asarray(before), np.asarray(after))


def hyperparameter_figure(draws: pd.DataFrame) -> str:
    """Prior and posterior of every number learned, with its contraction.

    Parameters
    ----------
    draws : DataFrame
        Of a posterior, with the columns of `population.posterior`.

    Returns
    -------
    str
        SVG. Thin bars hold 90 %, thick ones 50 %; contraction is 1 less the posterior variance over the prior variance
        (on the logarithm, but for drifts), so that 0 is nothing learned and 1 all.
    """
    groups = _groups(draws)
    sizes = [len(numbers) for _, numbers in groups]
    with style():
        figure = Figure(figsize=(7.4, 0.62 * len(groups) + 0.3 * sum(sizes) + 0.3), layout="constrained")
        every = figure.subplots(len(groups), 1, height_ratios=[n + 0.6 for n in sizes])
        for axes, (xlabel, numbers) in zip(every, groups, strict=True):
            _group(axes, xlabel, numbers)
        every[0].text(1.02, 1.0, "contraction", transform=every[0].transAxes, va="bottom", fontweight="bold")
        every[0].set_title("grey: prior; blue: posterior", fontweight="normal")
        learned = [n for _, numbers in groups for n in numbers]
        spoken = "; ".join(f"{n.label} {_spoken(n)}" for n in learned)
        return inline(figure, "learned", f"90 % before and after calibration, and contraction: {spoken}.")


def _groups(draws: pd.DataFrame) -> list[tuple[str, list[_Learned]]]:
    """Axis and numbers: factors on medians, SDs, drifts."""
    own, study = hyperparameters(), hyperparameters().study
    factors = [n for n, h in own.hyperparameters.items() if h.fluctuation is None]
    activities = [n for n, h in own.hyperparameters.items() if h.fluctuation is not None]

    def logarithm(name: str) -> _Learned:
        return _Learned(plain(name), own.hyperparameters[name].log_prior(), draws[name].to_numpy(float), log=True)

    def spread(name: str, label: str, prior: LogNormal) -> _Learned:
        on_log = Normal(mean=float(np.log(prior.median)), sd=prior.log_sd)
        return _Learned(label, on_log, np.log(draws[name].to_numpy(float)), log=True)

    drifts = [
        _Learned("skin score: mean drift [points]", study.mrss_drift, draws["mrss_drift"].to_numpy(float), log=False),
        _Learned("FVC: mean drift [% predicted]", study.fvc_drift, draws["fvc_drift"].to_numpy(float), log=False),
    ]
    spreads = [
        *(logarithm(n) for n in activities),
        spread("mrss_sd", "skin score: SD of studies [points]", study.mrss_sd),
        spread("fvc_sd", "FVC: SD of studies [% predicted]", study.fvc_sd),
    ]
    return [
        ("factor on the median of what it moves", [logarithm(n) for n in factors]),
        ("SD", spreads),
        ("drift of measured values in a study within months", drifts),
    ]


def _group(axes: Axes, xlabel: str, numbers: list[_Learned]) -> None:
    transform = axes.get_yaxis_transform()
    for y, learned in enumerate(numbers):
        for middle, width in ((MIDDLE_90, 1.1), (MIDDLE_50, 4.0)):
            for ends, shift, colour in zip(learned.ends(middle), (-0.17, 0.17), (_PRIOR, _POSTERIOR), strict=True):
                axes.plot(ends, [y + shift] * 2, color=colour, linewidth=width, solid_capstyle="butt")
        axes.text(1.02, y, number(learned.contraction, 2), transform=transform, va="center")
    axes.set_yticks(range(len(numbers)), [n.label for n in numbers])
    axes.set_ylim(len(numbers) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if numbers[0].log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(_TICKS))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.axvline(1.0 if numbers[0].log else 0.0, color=INK, linewidth=0.6, zorder=0)
    axes.set_xlabel(xlabel)


def _spoken(learned: _Learned) -> str:
    before, after = (" to ".join(number(float(e), 2) for e in ends) for ends in learned.ends(MIDDLE_90))
    return f"{before}, then {after}, {number(learned.contraction, 2)}"


def msc_figure(effects: ArrayLike, prior: MscEffect | None = None) -> str:
    """Prior and posterior of the MSC effect: the mass at zero as bars, and the density of the rest.

    Parameters
    ----------
    effects : (n_draws,)
        Posterior draws of `msc_effect`.
    prior : MscEffect, optional
        Default that of the shipped recipe.

    Returns
    -------
    str
        SVG. Densities have the area of the mass that is not at zero; the axis above the effect is its meaning in the
        reference patient.
    """
    drawn, belief = np.asarray(effects, dtype=float), prior or shipped_recipe().msc_effect
    with style():
        figure = Figure(figsize=(7.4, 2.9), layout="constrained")
        mass, density = figure.subplots(1, 2, width_ratios=[1.0, 2.6])
        _mass_at_zero(mass, belief.share_at_zero, float((drawn == 0.0).mean()))
        _density(density, drawn, belief)
        return inline(figure, "msc-effect", msc_sentence(drawn, belief))


def _mass_at_zero(axes: Axes, before: float, after: float) -> None:
    values = [100.0 * before, 100.0 * after]
    bars = axes.bar(["prior", "posterior"], values, color=[_PRIOR, _POSTERIOR], width=0.6)
    axes.bar_label(bars, labels=[f"{v:.0f} %" for v in values], padding=2)
    axes.set_ylim(0.0, 108.0)
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("belief that the effect is zero [%]")
    axes.set_title("No effect")


def _density(axes: Axes, effects: Array, prior: MscEffect) -> None:
    some = effects[effects > 0.0]
    reach = max(3.0 * prior.scale, 1.02 * float(some.max(initial=0.0)))
    grid = np.linspace(0.0, reach, 200)
    before = (1.0 - prior.share_at_zero) * stats.halfnorm.pdf(grid, scale=prior.scale)
    axes.fill_between(grid, 0.0, before, color=_PRIOR, alpha=0.3, linewidth=0)
    axes.plot(grid, before, color=_PRIOR, linewidth=1.2, label="prior")
    if len(some):
        counts, edges = np.histogram(some, bins=_BINS, range=(0.0, reach))
        axes.stairs(counts / (len(effects) * np.diff(edges)), edges, color=_POSTERIOR, linewidth=1.5, label="posterior")
    axes.set_xlim(0.0, reach)
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel("density (area: belief in some effect)")
    axes.set_xlabel("MSC effect")
    axes.legend(loc="upper right")
    shown = [e for e in MARKED if e <= reach]
    above = axes.secondary_xaxis("top")
    above.set_xticks(shown, [number(float(p)) for p in points_of_effect(shown)])
    above.set_xlabel("change of the skin score in the reference patient at a year [points]")


def msc_sentence(effects: ArrayLike, prior: MscEffect | None = None) -> str:
    """What the data do and do not say about the effect of cells, from the masses at zero before and after.

    Parameters
    ----------
    effects, prior
        As for `msc_figure`.
    """
    drawn, belief = np.asarray(effects, dtype=float), prior or shipped_recipe().msc_effect
    before, after = belief.share_at_zero, float((drawn == 0.0).mean())
    begin = (
        f"The belief that cells have no effect was {percent(before, 0)} before the data and is {percent(after, 0)} "
        f"after them ({len(drawn)} draws)."
    )
    return f"{begin} {_odds(before, after, len(drawn))} {_size(drawn, belief)}"


def _odds(before: float, after: float, draws: int) -> str:
    """By how much the odds of some effect changed."""
    if after in (0.0, 1.0):
        which = "no" if after == 0.0 else "every"
        return f"As {which} draw is zero, the change of the odds is beyond what {draws} draws can tell."
    factor = (1.0 - after) / after * before / (1.0 - before)
    strength = max(factor, 1.0 / factor)
    towards = "some effect" if factor > 1.0 else "no effect"
    if strength < BARELY:
        return (
            f"That is a factor of {number(strength, 1)} on the odds in favour of {towards}, worth no more than a bare "
            "mention: these data do not identify whether cells act."
        )
    return (
        f"That is a factor of {number(strength, 1)} on the odds in favour of {towards}, if the model and its prior "
        "are right: the fitted series has no control arm, so that only the model says what had happened without cells."
    )


def _size(effects: Array, prior: MscEffect) -> str:
    """90 % of the effect, given that there is one, before and after."""
    some = effects[effects > 0.0]
    if not len(some):
        return "No draw has an effect, so its size is not described."
    before = stats.halfnorm.ppf(MIDDLE_90, scale=prior.scale)
    small, large, after_small, after_large = points_of_effect([*before, *np.quantile(some, MIDDLE_90)])
    return (
        f"If there is an effect, 90{NBSP}% of what is believed of its size in the reference patient lies between "
        f"{number(after_small)} and {number(after_large)} points of skin score at a year "
        f"(before: {number(small)} and {number(large)})."
    )
