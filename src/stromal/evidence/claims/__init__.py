"""Claims: what is said to be so, and the sentence of the paper that says it."""

from stromal.evidence.claims.audit import Audit, audit
from stromal.evidence.claims.base import shipped_claims
from stromal.evidence.claims.claim import Claim, Support
from stromal.evidence.claims.judging import Judgement, judged

__all__ = ["Audit", "Claim", "Judgement", "Support", "audit", "judged", "shipped_claims"]
