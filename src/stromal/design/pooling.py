"""What a user writes to pool studies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stromal.design.base import FrozenMapping, Spec

EffectMeasure = Literal["OR", "RR", "RD", "MD", "SMD"]


class PoolColumns(Spec):
    """Columns of the table of studies.

    Attributes
    ----------
    label : str
        Name of the study.
    events1, n1, events2, n2 : str
        Counts of the treated and of the control group.
    mean1, sd1, mean2, sd2 : str
        Of a continuous outcome, with `n1` and `n2`.
    """

    label: str = "trial"
    events1: str = "events_msc"
    n1: str = "n_msc"
    events2: str = "events_ctrl"
    n2: str = "n_ctrl"
    mean1: str = "mean_msc"
    sd1: str = "sd_msc"
    mean2: str = "mean_ctrl"
    sd2: str = "sd_ctrl"


class PoolSpec(Spec):
    """Which studies are pooled, and how.

    Attributes
    ----------
    title : str
        Of the answer.
    intervention : str
        What the treated groups got, in the plural, for the finding.
    table : str
        ``msc_trials`` for the shipped trials of MSC, else the path of a CSV file, seen from the file of this spec.
    where : mapping from column to value
        Rows that are taken: those with just these values.
    measure : {"OR", "RR", "RD", "MD", "SMD"}
        Effect of each study: odds ratio, risk ratio (both pooled as logarithms), risk difference, mean difference,
        standardised mean difference.
    benefit : {"higher", "lower"}
        Whether more events, or a higher mean, is better for the patient.
    columns : PoolColumns
    groups : tuple of str
        Columns by which subgroups are pooled as well, one after another.
    method : str
        Estimator of the variance between studies; "EE" for a common effect.
    test : {"z", "knha", "adhoc"}
        Normal, Hartung-Knapp-Sidik-Jonkman, or the latter never narrower than the former.
    prediction : {"z", "t_k1", "t_k2"}
        Quantile of the prediction interval.
    double_zero : {"keep", "drop"}
        What is done with studies without any event.
    """

    title: str
    intervention: str = "the treatment"
    table: str = "msc_trials"
    where: FrozenMapping[str] = Field(default_factory=FrozenMapping)
    measure: EffectMeasure
    benefit: Literal["higher", "lower"]
    columns: PoolColumns = Field(default_factory=PoolColumns)
    groups: Annotated[tuple[str, ...], Field(strict=False, max_length=5)] = ()
    method: Literal["EE", "DL", "PM", "REML", "ML", "HE", "HS", "SJ"] = "REML"
    test: Literal["z", "knha", "adhoc"] = "knha"
    prediction: Literal["z", "t_k1", "t_k2"] = "t_k1"
    double_zero: Literal["keep", "drop"] = "drop"
    level: float = Field(default=0.95, gt=0.0, lt=1.0)
