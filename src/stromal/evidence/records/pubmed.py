"""PubMed XML: ``PubmedArticle`` and ``PubmedBookArticle``, single or in a set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import Element

from stromal.evidence.records import names, pubmed_terms
from stromal.evidence.records.draft import Draft
from stromal.evidence.records.record import Record, Rejected, Source
from stromal.evidence.records.relations import PUBMED
from stromal.evidence.records.xml_text import XmlRecord, fields_of, text_of, xml_records

FORMAT: Final = "pubmed"

_RECORDS: Final = frozenset({"PubmedArticle", "PubmedBookArticle"})


def looks_like(head: str) -> bool:
    """Whether the first text of an XML file is PubMed's."""
    return re.search(r"<(?:PubmedArticleSet|PubmedArticle|PubmedBookArticleSet|PubmedBookArticle)\b", head) is not None


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Records of a PubMed XML file, read one by one.

    Raises
    ------
    InputError
        The file is not well-formed XML, or is not safe to read; see `xml_text.xml_records`.
    """
    for one in xml_records(content, file, _RECORDS):
        yield _record(one, file) if isinstance(one, XmlRecord) else one


def _record(one: XmlRecord, file: str) -> Record | Rejected:
    draft = Draft(Source(FORMAT, one.content, file, one.place), fields_of(one.element))
    citation = one.element.find("MedlineCitation")
    book = one.element.find("BookDocument")
    if citation is not None:
        _article(draft, one.element, citation)
    elif book is not None:
        _book(draft, book)
    else:
        return Rejected(file, one.place, "there is neither MedlineCitation nor BookDocument in it")
    draft.put("source", pubmed_terms.SOURCE, "the format of the file")
    return draft.finished()


def _said(element: Element | None, path: str) -> str:
    return text_of(element.find(path)) if element is not None else ""


def _all(element: Element | None, path: str) -> list[str]:
    return [text_of(one) for one in element.findall(path)] if element is not None else []


def _article(draft: Draft, whole: Element, citation: Element) -> None:
    article = citation.find("Article")
    pubmed_terms.put_types(draft, _all(article, "PublicationTypeList/PublicationType"), "PublicationType")
    pubmed_terms.put_title(draft, _said(article, "ArticleTitle"), "ArticleTitle")
    draft.put("original-title", _said(article, "VernacularTitle"), "VernacularTitle")
    journal = article.find("Journal") if article is not None else None
    draft.put("container-title", _said(journal, "Title"), "Journal/Title")
    draft.put("container-title-short", _said(journal, "ISOAbbreviation"), "Journal/ISOAbbreviation")
    draft.put("container-title-short", _said(citation, "MedlineJournalInfo/MedlineTA"), "MedlineTA")
    draft.put("volume", _said(journal, "JournalIssue/Volume"), "Volume")
    draft.put("issue", _said(journal, "JournalIssue/Issue"), "Issue")
    pubmed_terms.put_pages(draft, _pages(article), "Pagination")
    draft.put("language", _said(article, "Language"), "Language")
    if len(_all(article, "Language")) > 1:
        draft.remark(f"Language: the paper is in {', '.join(_all(article, 'Language'))}; the first was taken")
    draft.put("abstract", _abstract(article.find("Abstract") if article is not None else None), "Abstract")
    people = article.find("AuthorList") if article is not None else None
    draft.put_names("author", _people(people), "AuthorList")
    if people is not None and people.get("CompleteYN") == "N":
        draft.remark("AuthorList: the list of authors is not complete")
    _dates(draft, article, journal)
    draft.add_keywords(_all(citation, "KeywordList/Keyword"), "Keyword")
    draft.put_custom("mesh", [_heading(one) for one in citation.findall("MeshHeadingList/MeshHeading")], "MeshHeading")
    draft.add_keywords(_all(citation, "MeshHeadingList/MeshHeading/DescriptorName"), "MeshHeading")
    issns = [*_all(journal, "ISSN"), *_all(citation, "MedlineJournalInfo/ISSNLinking")]
    draft.put_issn(issns, "ISSN and ISSNLinking")
    draft.identify("pmid", _said(citation, "PMID"), "PMID")
    _identifiers(draft, whole, article)
    banks = article.findall("DataBankList/DataBank/AccessionNumberList/AccessionNumber") if article is not None else []
    pubmed_terms.put_trials(draft, map(text_of, banks), "DataBankList")
    for other in citation.findall("CommentsCorrectionsList/CommentsCorrections"):
        kind = PUBMED.get(other.get("RefType", ""), other.get("RefType", "related").lower())
        text = " ".join(part for part in (_said(other, "RefSource"), _said(other, "Note")) if part.strip())
        pubmed_terms.relate(draft, kind, text, f"CommentsCorrections ({other.get('RefType')})", _said(other, "PMID"))


def _pages(article: Element | None) -> str:
    pages = _said(article, "Pagination/MedlinePgn").strip()
    if pages:
        return pages
    start, end = _said(article, "Pagination/StartPage").strip(), _said(article, "Pagination/EndPage").strip()
    location = article.find("ELocationID[@EIdType='pii']") if article is not None else None
    return f"{start}-{end}" if start and end else start or (text_of(location) if len(text_of(location)) < 12 else "")


def _abstract(abstract: Element | None) -> str:
    """Its parts, each a paragraph that begins with its label."""
    parts = []
    for part in abstract.findall("AbstractText") if abstract is not None else ():
        label, text = part.get("Label", "").strip(), names.one_line(text_of(part))
        parts.append(f"{label}: {text}" if label and text else text)
    return "\n".join(part for part in parts if part)


def _people(people: Element | None) -> Iterator[dict[str, Any]]:
    for one in people.findall("Author") if people is not None else ():
        family, given = _said(one, "LastName"), _said(one, "ForeName") or _said(one, "Initials")
        name = names.normal({"family": family, "given": given, "suffix": _said(one, "Suffix")})
        name = name if family.strip() else names.normal({"literal": _said(one, "CollectiveName") or given})
        if name is None:
            continue
        name.update(names.affiliations(_all(one, "AffiliationInfo/Affiliation")))
        for identifier in one.findall("Identifier"):
            if identifier.get("Source") == "ORCID" and (address := names.orcid(text_of(identifier))):
                name["ORCID"] = address
        yield name


def _date(element: Element | None) -> str:
    if element is None:
        return ""
    if whole := _said(element, "MedlineDate").strip():
        return whole
    year, month, day = (_said(element, name).strip() for name in ("Year", "Month", "Day"))
    if month.isdigit():
        return "-".join(part for part in (year, month, day) if part)
    return " ".join(part for part in (year, month, day, _said(element, "Season").strip()) if part)


def _dates(draft: Draft, article: Element | None, journal: Element | None) -> None:
    draft.put_date("issued", _date(journal.find("JournalIssue/PubDate") if journal is not None else None), "PubDate")
    electronic = _date(article.find("ArticleDate") if article is not None else None)
    draft.put_date("available-date", electronic, "ArticleDate")
    draft.put_date("issued", electronic, "ArticleDate")


def _heading(heading: Element) -> str:
    """A MeSH heading as MEDLINE writes it: ``Scleroderma, Systemic/*therapy``."""
    parts = [heading.find("DescriptorName"), *heading.findall("QualifierName")]
    return "/".join(
        ("*" if part.get("MajorTopicYN") == "Y" else "") + text_of(part) for part in parts if part is not None
    )


def _identifiers(draft: Draft, whole: Element, article: Element | None) -> None:
    for one in article.findall("ELocationID") if article is not None else ():
        if one.get("EIdType") == "doi" and one.get("ValidYN", "Y") == "Y":
            draft.identify("doi", text_of(one), "ELocationID")
    for one in whole.findall("PubmedData/ArticleIdList/ArticleId"):  # not those of its references
        kind = one.get("IdType", "")
        if kind == "doi":
            draft.identify("doi", text_of(one), "ArticleId")
        elif kind == "pmc":
            draft.identify("pmcid", text_of(one), "ArticleId")
        elif kind == "pii":
            draft.put_custom("pii", text_of(one).strip(), "ArticleId")


def _book(draft: Draft, document: Element) -> None:
    title = _said(document, "ArticleTitle")
    pubmed_terms.put_types(draft, ["Book Chapter"] if title.strip() else ["Book"], "BookDocument")
    pubmed_terms.put_title(draft, title, "ArticleTitle")
    draft.put("title" if not title.strip() else "container-title", _said(document, "Book/BookTitle"), "BookTitle")
    draft.put("publisher", _said(document, "Book/Publisher/PublisherName"), "PublisherName")
    draft.put("publisher-place", _said(document, "Book/Publisher/PublisherLocation"), "PublisherLocation")
    draft.put("ISBN", ", ".join(_all(document, "Book/Isbn")), "Isbn")
    draft.put("language", _said(document, "Language"), "Language")
    draft.put("abstract", _abstract(document.find("Abstract")), "Abstract")
    draft.put_names("author", _people(document.find("AuthorList")), "AuthorList")
    for people in document.findall("Book/AuthorList"):
        key = "editor" if people.get("Type") == "editors" else "author"
        draft.put_names(key, _people(people), "Book/AuthorList")
    draft.put_date("issued", _date(document.find("Book/PubDate")), "PubDate")
    draft.add_keywords(_all(document, "KeywordList/Keyword"), "Keyword")
    draft.identify("pmid", _said(document, "PMID"), "PMID")
    for one in document.findall("ArticleIdList/ArticleId"):
        if one.get("IdType") == "doi":
            draft.identify("doi", text_of(one), "ArticleId")
