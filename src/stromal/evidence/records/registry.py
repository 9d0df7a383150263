"""Studies of ClinicalTrials.gov as its API (version 2) gives them: one, a page of them (``studies``), a list, or lines.

The registration becomes an item of type ``dataset``. What a trial is and found stands in ``custom.registry``, with
numbers as the decimal text that was posted; what is not known is not there:

* the trial: ``id``, ``acronym``, ``other_ids``, ``status``, ``why_stopped``, ``type``, ``phases``, ``allocation``,
  ``model``, ``purpose``, ``masking``, ``masked``, ``enrollment`` {``count``, ``type``}, ``dates`` {``start``,
  ``primary_completion``, ``completion``, ``first_posted``, ``results_posted``, ``last_updated``}, ``sponsor``,
  ``collaborators``, ``conditions``, ``eligibility``, ``countries``;
* ``arms`` [{``label``, ``type``, ``description``, ``interventions``}];
* ``interventions`` [{``type``, ``name``, ``description``, ``arms``, ``other_names``}];
* ``outcomes`` [{``type`` (primary, secondary, other), ``measure``, ``description``, ``time_frame``}];
* ``references`` [{``id``, ``type``, ``citation``}];
* ``results`` {``flow``, ``baseline``, ``measures``, ``adverse_events``}; ``baseline`` and ``measures`` are lists of
  {``type``, ``title``, ``description``, ``population``, ``time_frame``, ``unit``, ``statistic``, ``dispersion``,
  ``posted``, ``groups`` [{``id``, ``title``, ``description``}], ``counts`` [{``group``, ``units``, ``value``}],
  ``values`` [{``group``, ``class``, ``category``, ``value``, ``spread``, ``low``, ``high``, ``comment``, ``n``}],
  ``analyses`` (as posted)}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from stromal.evidence.records.draft import Draft
from stromal.evidence.records.identifiers import normalised
from stromal.evidence.records.json_text import (
    Element,
    elements,
    fields_of,
    list_of,
    object_of,
    objects_of,
    text_of,
)
from stromal.evidence.records.record import Record, Rejected, Source

FORMAT: Final = "registry"

LISTS: Final = (("studies",),)
_PUBLISHER: Final = "ClinicalTrials.gov"
_ADDRESS: Final = "https://clinicaltrials.gov/study/"


def looks_like(keys: frozenset[str]) -> bool:
    """Whether an object with these keys is a study of ClinicalTrials.gov or a page of studies."""
    return "protocolSection" in keys or "studies" in keys


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Studies of a file of ClinicalTrials.gov's JSON.

    Raises
    ------
    InputError
        The file is not JSON, or none of it can be read.
    """
    for element in elements(content, file, LISTS):
        yield _record(element, file) if isinstance(element, Element) else element


def _record(element: Element, file: str) -> Record | Rejected:
    said = element.value
    protocol = object_of(said.get("protocolSection"))
    identity = object_of(protocol.get("identificationModule"))
    number = text_of(identity.get("nctId"))
    if normalised("nct", number) is None:
        return Rejected(file, element.place, f"no NCT number at protocolSection.identificationModule.nctId: {number!r}")
    draft = Draft(Source(FORMAT, element.content, file, element.place), fields_of(said))
    draft.identify("nct", number, _at("identificationModule.nctId"))
    draft.put("type", "dataset", "the format of the file (a registration of a trial)")
    draft.put("genre", "Clinical trial registration", "the format of the file")
    for key in ("officialTitle", "briefTitle"):
        draft.put("title", text_of(identity.get(key)), _at(f"identificationModule.{key}"))
    for key in ("acronym", "briefTitle"):
        draft.put("title-short", text_of(identity.get(key)), _at(f"identificationModule.{key}"))
    described = object_of(protocol.get("descriptionModule"))
    parts = [text_of(described.get(key)) for key in ("briefSummary", "detailedDescription")]
    draft.put("abstract", "\n\n".join(part for part in parts if part.strip()), _at("descriptionModule"))
    sponsors = object_of(protocol.get("sponsorCollaboratorsModule"))
    sponsor = text_of(object_of(sponsors.get("leadSponsor")).get("name"))
    draft.put_names("author", [{"literal": sponsor}] if sponsor else [], _at("sponsorCollaboratorsModule.leadSponsor"))
    draft.put("publisher", _PUBLISHER, "the format of the file")
    status = object_of(protocol.get("statusModule"))
    for key in ("studyFirstPostDateStruct", "studyFirstSubmitDate", "startDateStruct"):
        draft.put_date("issued", _date(status.get(key)), _at(f"statusModule.{key}"))
    conditions = object_of(protocol.get("conditionsModule"))
    for key in ("conditions", "keywords"):
        draft.add_keywords(map(text_of, list_of(conditions.get(key))), _at(f"conditionsModule.{key}"))
    draft.put("number", number, _at("identificationModule.nctId"))
    draft.put_url(f"{_ADDRESS}{number}", _at("identificationModule.nctId (as an address)"))
    draft.put("source", _PUBLISHER, "the format of the file")
    registry = {**_design(protocol), **_parts(protocol), **_results(object_of(said.get("resultsSection")))}
    draft.put_custom("registry", registry, "protocolSection and resultsSection")
    if said.get("resultsSection") is None and said.get("hasResults") is True:
        draft.remark("the study has results that this file leaves out: download it with its results section")
    if text_of(status.get("overallStatus")) == "WITHDRAWN":
        draft.remark("the study was withdrawn before anybody was enrolled")
    return draft.finished()


def _at(path: str) -> str:
    return f"protocolSection.{path}"


def _date(value: Any) -> str:
    return text_of(value.get("date")) if isinstance(value, dict) else text_of(value)


def _kept(**values: Any) -> dict[str, Any]:
    """The values that say something."""
    return {key: value for key, value in values.items() if value not in ("", None, [], {})}


def _texts(value: Any) -> list[str]:
    return [text_of(one) for one in list_of(value) if text_of(one)]


def _design(protocol: Mapping[str, Any]) -> dict[str, Any]:
    identity = object_of(protocol.get("identificationModule"))
    status = object_of(protocol.get("statusModule"))
    design = object_of(protocol.get("designModule"))
    info = object_of(design.get("designInfo"))
    masking = object_of(info.get("maskingInfo"))
    sponsors = object_of(protocol.get("sponsorCollaboratorsModule"))
    others = [object_of(identity.get("orgStudyIdInfo")), *objects_of(identity.get("secondaryIdInfos"))]
    enrolled = object_of(design.get("enrollmentInfo"))
    eligible = object_of(protocol.get("eligibilityModule"))
    places = objects_of(object_of(protocol.get("contactsLocationsModule")).get("locations"))
    dates = (
        *(("start", "startDateStruct"), ("primary_completion", "primaryCompletionDateStruct")),
        *(("completion", "completionDateStruct"), ("first_posted", "studyFirstPostDateStruct")),
        *(("results_posted", "resultsFirstPostDateStruct"), ("last_updated", "lastUpdatePostDateStruct")),
    )
    return _kept(
        id=text_of(identity.get("nctId")),
        acronym=text_of(identity.get("acronym")),
        other_ids=[text_of(one.get("id")) for one in others if text_of(one.get("id"))],
        status=text_of(status.get("overallStatus")),
        why_stopped=text_of(status.get("whyStopped")),
        type=text_of(design.get("studyType")),
        phases=_texts(design.get("phases")),
        allocation=text_of(info.get("allocation")),
        model=text_of(info.get("interventionModel")) or text_of(info.get("observationalModel")),
        purpose=text_of(info.get("primaryPurpose")),
        masking=text_of(masking.get("masking")),
        masked=_texts(masking.get("whoMasked")),
        enrollment=_kept(count=text_of(enrolled.get("count")), type=text_of(enrolled.get("type"))),
        dates=_kept(**{ours: _date(status.get(theirs)) for ours, theirs in dates}),
        sponsor=text_of(object_of(sponsors.get("leadSponsor")).get("name")),
        collaborators=[text_of(one.get("name")) for one in objects_of(sponsors.get("collaborators"))],
        conditions=_texts(object_of(protocol.get("conditionsModule")).get("conditions")),
        eligibility=_kept(
            criteria=text_of(eligible.get("eligibilityCriteria")),
            sex=text_of(eligible.get("sex")),
            minimum_age=text_of(eligible.get("minimumAge")),
            maximum_age=text_of(eligible.get("maximumAge")),
        ),
        countries=list(
            dict.fromkeys(text_of(place.get("country")) for place in places if text_of(place.get("country")))
        ),
    )


def _parts(protocol: Mapping[str, Any]) -> dict[str, Any]:
    given = object_of(protocol.get("armsInterventionsModule"))
    outcomes = object_of(protocol.get("outcomesModule"))
    return _kept(
        arms=[
            _kept(
                label=text_of(arm.get("label")),
                type=text_of(arm.get("type")),
                description=text_of(arm.get("description")),
                interventions=_texts(arm.get("interventionNames")),
            )
            for arm in objects_of(given.get("armGroups"))
        ],
        interventions=[
            _kept(
                type=text_of(one.get("type")),
                name=text_of(one.get("name")),
                description=text_of(one.get("description")),
                arms=_texts(one.get("armGroupLabels")),
                other_names=_texts(one.get("otherNames")),
            )
            for one in objects_of(given.get("interventions"))
        ],
        outcomes=[
            _kept(
                type=kind,
                measure=text_of(one.get("measure")),
                description=text_of(one.get("description")),
                time_frame=text_of(one.get("timeFrame")),
            )
            for kind in ("primary", "secondary", "other")
            for one in objects_of(outcomes.get(f"{kind}Outcomes"))
        ],
        references=[
            _kept(
                id=normalised("pmid", text_of(one.get("pmid"))) or "",
                type=text_of(one.get("type")),
                citation=text_of(one.get("citation")),
            )
            for one in objects_of(object_of(protocol.get("referencesModule")).get("references"))
        ],
    )


def _results(results: Mapping[str, Any]) -> dict[str, Any]:
    baseline = object_of(results.get("baselineCharacteristicsModule"))
    measures = objects_of(object_of(results.get("outcomeMeasuresModule")).get("outcomeMeasures"))
    shared: dict[str, Any] = {key: baseline[key] for key in ("groups", "denoms") if key in baseline}
    found = _kept(
        flow=_flow(object_of(results.get("participantFlowModule"))),
        baseline=[_measure({**shared, **one}) for one in objects_of(baseline.get("measures"))],
        measures=[_measure(one) for one in measures],
        adverse_events=_adverse(object_of(results.get("adverseEventsModule"))),
    )
    return {"results": found} if found else {}


def _groups(said: Any) -> list[dict[str, Any]]:
    return [_kept(**{key: text_of(one.get(key)) for key in ("id", "title", "description")}) for one in objects_of(said)]


def _counts(said: Any) -> list[dict[str, Any]]:
    return [
        _kept(
            group=text_of(one.get("groupId")), units=text_of(denominator.get("units")), value=text_of(one.get("value"))
        )
        for denominator in objects_of(said)
        for one in objects_of(denominator.get("counts"))
    ]


def _measure(said: Mapping[str, Any]) -> dict[str, Any]:
    return _kept(
        type=text_of(said.get("type")),
        title=text_of(said.get("title")),
        description=text_of(said.get("description")),
        population=text_of(said.get("populationDescription")),
        time_frame=text_of(said.get("timeFrame")),
        unit=text_of(said.get("unitOfMeasure")),
        statistic=text_of(said.get("paramType")),
        dispersion=text_of(said.get("dispersionType")),
        posted=text_of(said.get("reportingStatus")),
        groups=_groups(said.get("groups")),
        counts=_counts(said.get("denoms")),
        values=list(_values(said)),
        analyses=[
            _kept(**{key: value if isinstance(value, list) else text_of(value) for key, value in one.items()})
            for one in objects_of(said.get("analyses"))
        ],
    )


def _values(said: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one_class in objects_of(said.get("classes")):
        counts = {count["group"]: count.get("value") for count in _counts(one_class.get("denoms")) if "group" in count}
        for category in objects_of(one_class.get("categories")):
            for one in objects_of(category.get("measurements")):
                group = text_of(one.get("groupId"))
                named = {
                    "group": group,
                    "class": text_of(one_class.get("title")),
                    "category": text_of(category.get("title")),
                    "value": text_of(one.get("value")),
                    "spread": text_of(one.get("spread")),
                    "low": text_of(one.get("lowerLimit")),
                    "high": text_of(one.get("upperLimit")),
                    "comment": text_of(one.get("comment")),
                    "n": counts.get(group),
                }
                yield _kept(**named)


def _flow(said: Mapping[str, Any]) -> dict[str, Any]:
    return _kept(
        groups=_groups(said.get("groups")),
        steps=[
            _kept(
                period=text_of(period.get("title")),
                milestone=text_of(step.get("type")),
                group=text_of(one.get("groupId")),
                count=text_of(one.get("numSubjects")),
                comment=text_of(one.get("comment")),
            )
            for period in objects_of(said.get("periods"))
            for step in objects_of(period.get("milestones"))
            for one in objects_of(step.get("achievements"))
        ],
    )


def _adverse(said: Mapping[str, Any]) -> dict[str, Any]:
    affected = (
        *(("deaths", "deathsNumAffected"), ("deaths_at_risk", "deathsNumAtRisk"), ("serious", "seriousNumAffected")),
        *(("serious_at_risk", "seriousNumAtRisk"), ("other", "otherNumAffected"), ("other_at_risk", "otherNumAtRisk")),
    )
    return _kept(
        time_frame=text_of(said.get("timeFrame")),
        description=text_of(said.get("description")),
        groups=[
            {**group, **_kept(**{ours: text_of(one.get(theirs)) for ours, theirs in affected})}
            for group, one in zip(_groups(said.get("eventGroups")), objects_of(said.get("eventGroups")), strict=True)
        ],
        events=[
            _kept(
                kind=kind,
                term=text_of(event.get("term")),
                organ_system=text_of(event.get("organSystem")),
                group=text_of(one.get("groupId")),
                affected=text_of(one.get("numAffected")),
                at_risk=text_of(one.get("numAtRisk")),
                events=text_of(one.get("numEvents")),
            )
            for kind in ("serious", "other")
            for event in objects_of(said.get(f"{kind}Events"))
            for one in objects_of(event.get("stats"))
        ],
    )
