"""Words of which synthetic records are made: those of the field, and invented ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

FIELD_WORDS: Final = tuple(
    """
    the of and in with a to for patients sclerosis systemic cells stromal mesenchymal skin fibrosis is was were by
    cell treatment therapy disease clinical study from after as stem on lung human score scleroderma interstitial
    autologous allogeneic umbilical cord bone marrow adipose derived transplantation haematopoietic expression growth
    factor collagen fibroblasts myofibroblast endothelial vascular microvascular digital ulcers raynaud phenomenon
    autoantibodies topoisomerase centromere polymerase immune inflammation cytokines interleukin interferon transforming
    tumour necrosis connective tissue matrix extracellular vesicles exosomes secretome paracrine immunomodulatory
    antifibrotic angiogenesis hypoxia oxidative stress reactive oxygen species macrophages lymphocytes regulatory
    diffuse cutaneous limited early progressive refractory severe safety efficacy phase randomised controlled trial
    placebo open label pilot cohort registry prospective retrospective multicentre blinded outcome baseline change
    modified rodnan forced vital capacity diffusing carbon monoxide survival mortality adverse events infusion
    intravenous injection dose response cyclophosphamide mycophenolate methotrexate rituximab tocilizumab nintedanib
    abatacept iloprost bosentan sildenafil pulmonary hypertension arterial cardiac renal crisis gastrointestinal hand
    function quality life disability health assessment questionnaire biomarkers serum plasma proteome transcriptome
    single sequencing gene pathway signalling receptor inhibitor antibody mouse model bleomycin induced murine in
    vitro culture expansion passage senescence donor potency viability cryopreserved manufacturing good practice
    meta analysis systematic review recommendations classification criteria pathogenesis mechanisms rational challenges
    """.split()  # noqa: SIM905 - a list would be ten times as long
)
SUBJECTS: Final = (
    *("systemic sclerosis", "scleroderma", "mesenchymal stromal cells", "mesenchymal stem cells", "fibrosis"),
    *("cell therapy", "autoimmunity", "interstitial lung disease", "vasculopathy", "digital ulcers", "adipose tissue"),
    *("skin score", "stem cell transplantation", "immunosuppression", "extracellular vesicles", "Raynaud phenomenon"),
    *("clinical trial", "pulmonary hypertension", "autoantibodies", "macrophages"),
)
JOURNALS: Final = (
    *("Annals of the Rheumatic Diseases", "Arthritis and Rheumatology", "Frontiers in Immunology", "Rheumatology"),
    *("Arthritis Research and Therapy", "Journal of Scleroderma and Related Disorders", "The Lancet Rheumatology"),
    *("Journal of Rheumatology", "Clinical and Experimental Rheumatology", "Autoimmunity Reviews", "Cytotherapy"),
    *("Stem Cell Research and Therapy", "Stem Cells Translational Medicine", "Bone Marrow Transplantation"),
    *("Seminars in Arthritis and Rheumatism", "Scientific Reports", "Clinical Rheumatology", "PLoS ONE", "Cells"),
    *("International Journal of Molecular Sciences", "Journal of Translational Medicine", "Joint Bone Spine"),
    *("Orphanet Journal of Rare Diseases", "Stem Cells International", "Trials", "BMJ Open"),
)
GIVEN_NAMES: Final = (
    *("Anna", "Bruno", "Chiara", "Daniel", "Elena", "François", "Giulia", "Hiroshi", "Ines", "João", "Katarzyna"),
    *("Lars", "Mei", "Nadia", "Olga", "Pierre", "Qing", "Rosa", "Søren", "Tomás", "Ursula", "Věra", "Wei", "Xavier"),
    *("Yuki", "Zoë", "Jean-Luc", "Mary Anne", "A. B.", "K.-H."),
)
_ONSETS: Final = (
    "b",
    "br",
    "c",
    "ch",
    "d",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "l",
    "m",
    "n",
    "p",
    "ph",
    "r",
    "s",
    "st",
    "t",
    "v",
)
_VOWELS: Final = ("a", "e", "i", "o", "u", "ae", "io", "ou")
_CODAS: Final = ("", "", "n", "r", "s", "x", "l", "m", "nd", "st")


def invented_words(rng: np.random.Generator, n: int) -> Iterator[str]:
    """`n` different words of two to four syllables, none of the field."""
    known = set(FIELD_WORDS)
    made = 0
    while made < n:
        draws = rng.integers(0, 1_000_000, (4_096, 4, 3))
        lengths = rng.integers(2, 5, 4_096)
        for syllables, length in zip(draws.tolist(), lengths.tolist(), strict=True):
            word = "".join(
                _ONSETS[a % len(_ONSETS)] + _VOWELS[b % len(_VOWELS)] + _CODAS[c % len(_CODAS)]
                for a, b, c in syllables[:length]
            )
            if word not in known and made < n:
                known.add(word)
                made += 1
                yield word
