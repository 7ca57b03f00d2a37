"""A plan as a comment: it fits, and what others named cannot become markup."""

import re
from datetime import date

import pytest

from restoops.adapters.prices import read_prices
from restoops.plan.cost import prices_of
from restoops.plan.infra_summary import Summary, summarise
from restoops.report.markdown import summary_in_markdown
from tests.plan.plans import changing, droplet, plan_of

PRICES = prices_of(read_prices())
TODAY = date(2025, 6, 2)
GITHUB_TAKES = 65_536


def summary(plan: dict[str, object]) -> Summary:
    return summarise("dev", plan, PRICES)


def test_a_small_plan_is_a_table_with_what_is_lost_above() -> None:
    text = summary_in_markdown(
        summary(plan_of(droplet("a", ["delete"]), droplet("b", ["create"]))), TODAY
    )

    assert text.index("[!CAUTION]") < text.index("| action |")
    assert '| **destroy** | `digitalocean_droplet.web["a"]` | dev-a |' in text
    assert "<details>" not in text


@pytest.mark.parametrize("number", [21, 2000])
@pytest.mark.parametrize("actions", [["create"], ["delete"]])
def test_a_large_plan_is_folded_and_fits(number: int, actions: list[str]) -> None:
    changes = [
        changing(f'module.x.digitalocean_droplet.web["{n}"]', actions, {"name": f"dev-{n}" * 5})
        for n in range(number)
    ]

    text = summary_in_markdown(summary(plan_of(*changes)), TODAY)

    assert len(text) < GITHUB_TAKES
    assert text.count("<details>") == text.count("</details>") == 1
    shown = len(re.findall(r"^\| \*{0,2}(?:create|destroy)", text, re.MULTILINE))
    rest = re.search(r"(\d+) more do not fit", text)
    assert shown + int(rest[1] if rest else 0) == number


@pytest.mark.parametrize(
    "name",
    ["a | b", "a`b", "<img src=x>", "[a](http://b)", "*a*", "a\nb", "@everybody", "</details>"],
)
def test_a_name_is_a_text_and_nothing_else(name: str) -> None:
    plan = plan_of(changing("digitalocean_tag.x", ["create"], None, {"name": name}))

    (row,) = [it for it in summary_in_markdown(summary(plan), TODAY).splitlines()
              if it.startswith("| create")]  # fmt: skip

    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    assert not re.search(r"(?<!\\)[<*\[]|@e", row.replace("| `digitalocean_tag.x` |", ""))
