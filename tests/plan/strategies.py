"""Any state that a host could be in, also those that only a person with a shell could make.

All parts are sampled from what there can be of them, which is fast and shrinks well.
"""

from __future__ import annotations

import itertools

from hypothesis import settings
from hypothesis import strategies as st

from restoops.model import Color, Container, HostState, Proxy, Release
from restoops.plan.bluegreen import Wishes
from tests.plan.states import SPEC, V1, V2, V3, V4, Outcome, digest, record, release, run

many = settings(max_examples=150)

RELEASES = (V1, V2, V3, V4, release("v5"), Release("v1", digest("v1, rebuilt")))
MAYBE_COLOR = (None, *Color)
OUTCOMES: tuple[Outcome, ...] = ("done", "done", "failed", "interrupted", "finished", "undone")
_YES_NO = (True, False)
_ALL_UP = tuple(frozenset(c) for n in range(3) for c in itertools.combinations(Color, n))

releases = st.sampled_from(RELEASES)
images = st.frozensets(st.sampled_from(tuple(it.digest for it in RELEASES)))
proxies = st.sampled_from(
    (None, *itertools.starmap(
        Proxy,
        itertools.product(_YES_NO, _YES_NO, MAYBE_COLOR, MAYBE_COLOR, _ALL_UP, _YES_NO),
    ))
)  # fmt: skip
slots = {
    color: st.sampled_from(
        [None]
        + [
            Container(f"id-{color}", color, what, spec, status)
            for what in RELEASES
            for spec in (SPEC, "other")
            for status in ("running", "running", "exited", "restarting", "created")
        ]
    )
    for color in Color
}
records = st.sampled_from(
    [
        record(what, outcome, back_from=before)
        for what in RELEASES
        for outcome in OUTCOMES
        for before in (None, *RELEASES)
    ]
)
histories = st.lists(records, max_size=8).map(tuple)
runs = st.sampled_from(
    [
        run(what, "rollback" if back else "deploy", old=old, new=new, started_new=starts,
            going_back=going_back)
        for what in RELEASES
        for back in _YES_NO
        for old in MAYBE_COLOR
        for new in Color
        for starts in _YES_NO
        for going_back in _YES_NO
    ]
)  # fmt: skip
wishes = st.sampled_from(
    [
        Wishes(SPEC, healthy_s=60, successes=2, drain_s=30, warm_s=warm_s, keep=keep)
        for warm_s in (0, 600)
        for keep in range(1, 6)
    ]
)


@st.composite
def states(draw: st.DrawFn) -> HostState:
    drawn = {color: draw(slot) for color, slot in slots.items()}
    containers = {color: it for color, it in drawn.items() if it}
    return HostState(
        host="web-1",
        ready=draw(st.booleans()),
        proxy=draw(proxies),
        containers=containers,
        images=draw(images) | {it.release.digest for it in containers.values()},
        history=draw(histories),
    )
