"""Relations between works: corrections, retractions, comments, versions; and the words that sources have for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stromal.evidence.records.vocabulary import pairs

PUBMED: Final[Mapping[str, str]] = pairs(
    """
    RetractionIn=retracted_by RetractionOf=retracts PartialRetractionIn=partly_retracted_by
    PartialRetractionOf=partly_retracts ErratumIn=corrected_by ErratumFor=corrects
    CorrectedandRepublishedIn=republished_in CorrectedandRepublishedFrom=republished_from
    RetractedandRepublishedIn=republished_in RetractedandRepublishedFrom=republished_from
    RepublishedIn=republished_in RepublishedFrom=republished_from ExpressionOfConcernIn=concern_in
    ExpressionOfConcernFor=concern_about CommentIn=commented_by CommentOn=comments_on UpdateIn=updated_by
    UpdateOf=updates SummaryForPatientsIn=summary_for_patients_in OriginalReportIn=original_report_in
    AssociatedDataset=has_dataset AssociatedPublication=has_publication ReprintOf=reprint_of ReprintIn=reprinted_in
    Cites=cites
    """
)
"""`RefType` of CommentsCorrections in PubMed XML -> type of relation."""

NBIB: Final[Mapping[str, str]] = pairs(
    """
    RIN=retracted_by ROF=retracts PRIN=partly_retracted_by PROF=partly_retracts EIN=corrected_by EFR=corrects
    CRI=republished_in CRF=republished_from RRI=republished_in RRF=republished_from RPI=republished_in
    RPF=republished_from ECI=concern_in ECF=concern_about CIN=commented_by CON=comments_on UIN=updated_by
    UOF=updates SPIN=summary_for_patients_in ORI=original_report_in DDIN=has_dataset DRIN=has_publication
    """
)
"""Tag of the MEDLINE format -> type of relation."""

CROSSREF: Final[Mapping[str, tuple[str, str]]] = {
    "retraction": ("retracts", "retracted_by"),
    "removal": ("retracts", "retracted_by"),
    "withdrawal": ("retracts", "retracted_by"),
    "partial_retraction": ("partly_retracts", "partly_retracted_by"),
    "correction": ("corrects", "corrected_by"),
    "corrigendum": ("corrects", "corrected_by"),
    "erratum": ("corrects", "corrected_by"),
    "expression_of_concern": ("concern_about", "concern_in"),
}
"""Type of an update in Crossref -> relation of the notice to the work, and of the work to the notice."""
CROSSREF_OTHER: Final = ("updates", "updated_by")
"""The same for every other type of update."""

RETRACTED_TYPES: Final = frozenset({"retracted publication", "retracted article"})
"""Publication types, in lower case, that say that the work itself was retracted."""
