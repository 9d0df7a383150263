"""Which records are of one work, from what is known of each pair; the order of import plays no part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from itertools import combinations, pairwise
from typing import Final, TypeVar

from stromal.evidence.library.comparison import conflict, contradictory
from stromal.evidence.library.traits import DECISIVE, Traits

Pair = tuple[int, int]
Group = frozenset[int]
_N = TypeVar("_N", bound=Hashable)
_NOTICES: Final = frozenset(("erratum", "retraction", "concern"))
"""Works of their own, even where they bear the identifier of the paper that they are about."""


def partition(
    records: Mapping[int, Traits], alike: Collection[Pair], same: Collection[Pair], apart: Collection[Pair]
) -> list[Group]:
    """The works among some records.

    What a person says precedes everything, and "not the same" precedes a chain of "same". Then records with an
    identifier in common are together unless better identifiers differ, then those that are alike. A record that could
    be of two works that are surely different stays alone.

    Parameters
    ----------
    records : mapping
        By their id, any numbers.
    alike : pairs
        That the comparison took for the same.
    same, apart : pairs
        That a person called the same, or not the same.

    Returns
    -------
    list of frozenset of int
        Each record is in one of them.
    """
    if len(records) == 1:
        return [frozenset(records)]
    known = _Known(records, apart)
    groups = _joined({r: frozenset((r,)) for r in records}, sorted(same, key=known.order), known.divided, _itself)
    known.decide(groups)
    if known.agree():
        return [frozenset(records)]
    groups = _joined(groups, sorted(known.sharing(), key=known.order), known.differ, known.kind)
    known.atoms = groups
    groups = _joined(groups, sorted(alike, key=known.order), known.unlike, _itself)
    return list(dict.fromkeys(groups[r] for r in records))


class _Known:
    """What is known of the records of one component."""

    def __init__(self, records: Mapping[int, Traits], apart: Collection[Pair]) -> None:
        self.records = records
        self.apart: defaultdict[int, set[int]] = defaultdict(set)
        for a, b in apart:
            self.apart[a].add(b)
            self.apart[b].add(a)
        self.decided: dict[int, Group] = {}
        self.atoms: dict[int, Group] = {}
        self.names: dict[int, frozenset[str]] = {}

    def decide(self, groups: dict[int, Group]) -> None:
        """Take over what a person joined: the identifiers of those records stand for one another from now on."""
        self.decided = groups
        joined = _components(
            {c for r in self.records.values() for c in r.identifiers},
            (
                pair
                for group in set(groups.values())
                if len(group) > 1
                for pair in pairwise(sorted({c for r in group for c in self.records[r].identifiers}))
            ),
        )
        stands_for = {c: f"{c.split(':', 1)[0]}:{min(group)}" for group in joined for c in group}
        self.names = {r: frozenset(stands_for[c] for c in t.identifiers) for r, t in self.records.items()}

    def order(self, pair: Pair) -> list[tuple[list[str], str]]:
        """Sorts pairs by what the records say, not by when they were imported."""
        return sorted((sorted(self.records[r].identifiers), self.records[r].digest) for r in pair)

    def sharing(self) -> Iterator[Pair]:
        """Pairs with an identifier in common, enough of them to connect all that have one in common."""
        bearers: defaultdict[str, dict[Hashable, list[int]]] = defaultdict(dict)
        for record in sorted(self.records, key=lambda r: self.order((r, r))):
            for name in self.names[record]:
                bearers[name].setdefault(self._signature(record), []).append(record)
        for kinds in bearers.values():
            for members in kinds.values():
                yield from pairwise(members)
            yield from combinations([members[0] for members in kinds.values()], 2)

    def agree(self) -> bool:
        """Whether all have a DOI in common and nothing speaks against it: the common case, and then a quick one."""
        first, *others = self.names.values()
        kinds = {(r.notice, r.preprint) for r in self.records.values()}
        common = first.intersection(*others)
        return len(kinds) == 1 and not self.apart and any(name.startswith("doi:") for name in common)

    def divided(self, first: Group, second: Group) -> bool:
        """Whether a person said that two groups are not of the same work."""
        return any(not self.apart[r].isdisjoint(second) for r in first if r in self.apart)

    def differ(self, first: Group, second: Group) -> bool:
        """Whether two groups are surely of different works, by a person's word or by what identifies them."""
        kinds = [{self._signature(r): r for r in group}.values() for group in (first, second)]
        return self.divided(first, second) or any(self._conflict(r, s) for r in kinds[0] for s in kinds[1])

    def unlike(self, first: Group, second: Group) -> bool:
        """Whether two groups differ, or hold records that contradict each other.

        Records with an identifier in common count as one, of which each says part of the truth.
        """
        if self.differ(first, second):
            return True
        atoms = [{self.atoms[r] for r in group} for group in (first, second)]
        return any(
            all(contradictory(self.records[r], self.records[s]) for r in x for s in y)
            for x in atoms[0]
            for y in atoms[1]
        )

    def kind(self, group: Group) -> Hashable:
        """Groups with the same one do not `differ`."""
        if any(r in self.apart for r in group):
            return group
        return frozenset(self._signature(r) for r in group)

    def _signature(self, record: int) -> Hashable:
        """Records with the same one conflict with the same others."""
        traits = self.records[record]
        group = self.decided[record]
        return self.names[record], traits.notice, traits.preprint, group if len(group) > 1 else None

    def _conflict(self, r: int, s: int) -> bool:
        if self.decided[r] is self.decided[s]:
            return False
        a, b = self.records[r], self.records[s]
        if a.notice != b.notice and not _NOTICES.isdisjoint((a.notice, b.notice)):
            return True
        if conflict(self.names[r], self.names[s]):
            return True
        shared = any(name.split(":", 1)[0] in DECISIVE for name in self.names[r] & self.names[s])
        return not shared and (a.notice != b.notice or a.preprint != b.preprint)


def _itself(group: Group) -> Hashable:
    return group


def _joined(
    groups: dict[int, Group],
    pairs: list[Pair],
    differ: Callable[[Group, Group], bool],
    kind: Callable[[Group], Hashable],
) -> dict[int, Group]:
    """Groups joined along pairs, as far as they do not differ; groups of one kind never differ from each other."""
    result = dict(groups)
    edges = list(dict.fromkeys((groups[a], groups[b]) for a, b in pairs if groups[a] is not groups[b]))
    for component in _components({g for edge in edges for g in edge}, edges):
        if any(differ(a, b) for a, b in combinations({kind(g): g for g in component}.values(), 2)):
            whole = _joined_with_care([e for e in edges if e[0] in component], differ)
        else:
            whole = [frozenset().union(*component)]
        for group in whole:
            result.update(dict.fromkeys(group, group))
    return result


def _joined_with_care(edges: list[tuple[Group, Group]], differ: Callable[[Group, Group], bool]) -> list[Group]:
    """Groups that were joined, of a component in which some differ.

    A group with two neighbours that differ could be of either: it is joined to none.
    """
    edges = [(a, b) for a, b in edges if not differ(a, b)]
    neighbours: defaultdict[Group, set[Group]] = defaultdict(set)
    for a, b in edges:
        neighbours[a].add(b)
        neighbours[b].add(a)
    doubtful = {g for g, near in neighbours.items() if any(differ(a, b) for a, b in combinations(near, 2))}
    now = {g: g for g in neighbours}
    for a, b in edges:
        first, second = now[a], now[b]
        if a in doubtful or b in doubtful or first is second or differ(first, second):
            continue
        both = first | second
        now.update({g: both for g, group in now.items() if group is first or group is second})
    return list(dict.fromkeys(now.values()))


def _components(nodes: Iterable[_N], edges: Iterable[tuple[_N, _N]]) -> list[set[_N]]:
    """Connected components (union-find)."""
    parent = {node: node for node in nodes}

    def root(node: _N) -> _N:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in edges:
        parent[root(a)] = root(b)
    found: defaultdict[_N, set[_N]] = defaultdict(set)
    for node in parent:
        found[root(node)].add(node)
    return list(found.values())
