from __future__ import annotations

import io
import json
from collections.abc import Mapping

import pytest

from local_cloud.personalize.csv_import import read_table
from local_cloud.personalize.errors import Refused
from local_cloud.personalize.filter_masks import ItemColumns, mask_of
from local_cloud.personalize.filters import Facts, parse_filter
from local_cloud.personalize.recommenders import Catalogue
from local_cloud.personalize.schemas import Field, Schema
from local_cloud.personalize.streamed import Touch
from tests.local_cloud.personalize.harness import Cloud, Shop, error_of

USERS_SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Users",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [{"name": "USER_ID", "type": "string"}, {"name": "BUDGET", "type": ["float", "null"]}],
        "version": "1.0",
    }
)
ITEMS: Mapping[str, Mapping[str, object]] = {
    "a": {"CATEGORY": "shoes", "PRICE": 10.0},
    "b": {"CATEGORY": "hats|sale", "PRICE": 20.0},
    "c": {"CATEGORY": "hats", "PRICE": None},
}
FACTS = Facts(
    touches=[Touch("u", "a", 1, "Purchase", None), Touch("u", "b", 2, "view", None)],
    item=lambda item: ITEMS.get(item, {}),
    user={"SEGMENT": "gold", "AGE": 30},
    current_item={"CATEGORY": "hats|sale", "PRICE": 15.0},
)


@pytest.mark.parametrize(
    ("expression", "values", "left"),
    [
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")', {}, "bcd"),
        ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase", "view")', {}, "ab"),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", {}, "cd"),
        ('include itemid where items.category in ("hats")', {}, "bc"),
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("Hats")', {}, ""),
        ('INCLUDE ItemID WHERE Items.CATEGORY NOT IN ("sale")', {}, "acd"),
        ("INCLUDE ItemID WHERE Items.PRICE >= 15", {}, "b"),
        ("INCLUDE ItemID WHERE Items.PRICE != 10", {}, "bcd"),
        ('INCLUDE ItemID WHERE Items.PRICE NOT IN ("10")', {}, "bcd"),
        ('INCLUDE ItemID WHERE Items.PRICE IN ("10", "x")', {}, "a"),
        ('INCLUDE ItemID WHERE Items.PRICE > "x"', {}, ""),
        ('INCLUDE ItemID WHERE Items.ITEM_ID IN ("a", "z")', {}, "a"),
        ('EXCLUDE ItemID WHERE Items.ITEM_ID < "c"', {}, "cd"),
        ('INCLUDE ItemID WHERE Items.NONE NOT IN ("x")', {}, "abcd"),
        ('INCLUDE ItemID WHERE Items.PRICE < 15 OR Items.CATEGORY = "sale" AND Items.PRICE = 20', {}, "ab"),
        ("INCLUDE ItemID WHERE Items.CATEGORY IN ($C)", {"C": '"shoes","sale"'}, "ab"),
        ("EXCLUDE ItemID WHERE Items.PRICE > $LEAST", {"LEAST": "15"}, "acd"),
        ("EXCLUDE ItemID WHERE Items.PRICE > $LEAST", {}, "abcd"),
        (
            'INCLUDE ItemID WHERE Items.CATEGORY IN ("hats") | '
            'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")',
            {},
            "c",
        ),
        ("INCLUDE ItemID WHERE Items.PRICE > CurrentItem.PRICE", {}, "b"),
        ("INCLUDE ItemID WHERE Items.CATEGORY IN (CurrentItem.CATEGORY)", {}, "bc"),
        # As an example of the guide has it, without parentheses
        ("INCLUDE ItemID WHERE Items.PRICE < 50 AND Items.CATEGORY IN CurrentItem.CATEGORY", {}, "b"),
        ('EXCLUDE ItemID WHERE Items.PRICE > 5 IF CurrentUser.SEGMENT = "gold"', {}, "cd"),
        ("EXCLUDE ItemID WHERE Items.PRICE > 5 IF CurrentUser.AGE > 65", {}, "abcd"),
    ],
)
def test_a_filter_lets_pass_what_it_says(expression: str, values: dict[str, str], left: str) -> None:
    """Developer guide, "Filter expression structure and elements" and its examples."""
    allowed = parse_filter(expression).allows(FACTS, values)
    assert "".join(item for item in "abcd" if allowed(item)) == left
    assert passing_at_once(expression, values) == left


def passing_at_once(expression: str, values: Mapping[str, str]) -> str:
    """By columns: `a` and `b` as imported, `c` as streamed in place of what was imported, `d` unknown."""
    fields = (("ITEM_ID", "string"), ("CATEGORY", "string"), ("PRICE", "double"))
    schema = Schema(
        dataset_type="ITEMS",
        fields=tuple(Field(name=name, kind=kind, nullable=True, textual=False) for name, kind in fields),
    )
    csv = "ITEM_ID,CATEGORY,PRICE\na,shoes,10\nc,shoes,10\nb,hats|sale,20\n"
    table = read_table([("items.csv", io.BytesIO(csv.encode()))], schema)
    columns = ItemColumns(table, {"c": ITEMS["c"]})
    applied = parse_filter(expression).applied(FACTS, values)
    mask = mask_of(applied, FACTS, columns, Catalogue("dcba"), 4)
    return "".join(item for item, passes in zip("abcd", mask, strict=True) if passes)


@pytest.mark.parametrize(
    ("expression", "left"),
    [
        (
            'INCLUDE ItemID WHERE Items.CATEGORY IN ("hats") | '
            'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view") | '
            "EXCLUDE ItemID WHERE Items.PRICE > 50",
            ("bc", "acd"),
        ),
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")', ("abcd", "acd")),
        (
            'INCLUDE ItemID WHERE Items.CATEGORY IN ("hats") | '
            'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")',
            None,
        ),
    ],
)
def test_what_goes_by_items_is_told_apart_unless_interactions_include(
    expression: str, left: tuple[str, str] | None
) -> None:
    parts = parse_filter(expression).apart()

    passing = parts and tuple(
        "".join(item for item in "abcd" if part.allows(FACTS, {})(item)) for part in parts
    )
    assert passing == left


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("EXCLUDE", "expected ItemID"),
        ("EXCLUDE ItemID WHERE", "expected"),
        ('EXCLUDE ItemID WHERE Interactions.PRICE IN ("1")', "by EVENT_TYPE only"),
        ("EXCLUDE ItemID WHERE Items.CATEGORY NOT IN ($C)", "Placeholders are not allowed with NOT_IN"),
        ('EXCLUDE ItemID WHERE Items.A = "1" AND Interactions.EVENT_TYPE IN ("v")', "cannot mix"),
        ('EXCLUDE ItemID WHERE Items.A = "1" ; DROP', "unexpected"),
        ('EXCLUDE ItemID WHERE Items.A = "1" "2"', "expected the end"),
        ("EXCLUDE ItemID WHERE Items.A IN (*)", "every Interactions.EVENT_TYPE only"),
        ('EXCLUDE ItemID WHERE Items.A IN "1"', "expected (, got "),
        ('INCLUDE UserID WHERE Users.A = "1"', "is not in the local cloud"),
    ],
)
def test_a_wrong_filter_is_refused_with_what_is_wrong(expression: str, said: str) -> None:
    """Developer guide, "Filter expressions", "Guidelines and requirements"; text of NOT_IN as seen."""
    with pytest.raises(Refused) as refused:
        parse_filter(expression)
    assert refused.value.code == "InvalidInputException"
    assert said in refused.value.message


def test_a_filter_sees_the_event_just_sent(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Filtering recommendations and user segments": new interactions count."""
    arn = here.control.create_filter(
        name="seen",
        datasetGroupArn=shop.group,
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")',
    )["filterArn"]
    here.settled("filter", arn)
    (best,) = here.recommended(shop.campaign, "newcomer", numResults=1, filterArn=arn)
    here.sends(shop.tracking_id, "s", [best], userId="newcomer")
    assert best not in here.recommended(shop.campaign, "newcomer", numResults=500, filterArn=arn)


def test_a_filter_that_was_used_before_sees_what_changed_since(here: Cloud, shop: Shop) -> None:
    arn = here.control.create_filter(
        name="cheap",
        datasetGroupArn=shop.group,
        filterExpression="INCLUDE ItemID WHERE Items.PRICE <= $MOST | "
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")',
    )["filterArn"]
    here.settled("filter", arn)

    def cheap(most: str) -> set[str]:
        return set(
            here.recommended(
                shop.campaign, "thrifty", numResults=100, filterArn=arn, filterValues={"MOST": most}
            )
        )

    assert cheap("0") == {"shoe-0", "hat-0"}
    assert cheap("10") == {"shoe-0", "hat-0", "shoe-1", "hat-1"}
    here.events.put_items(
        datasetArn=shop.items, items=[{"itemId": "hat-7", "properties": '{"brand": "acme", "price": 5}'}]
    )
    here.sends(shop.tracking_id, "s", ["hat-0"], userId="thrifty")
    assert cheap("0") == {"shoe-0"}
    assert cheap("10") == {"shoe-0", "shoe-1", "hat-1", "hat-7"}


def test_a_filter_by_the_user_is_not_shared_between_users(here: Cloud, shop: Shop) -> None:
    schema = here.schema(USERS_SCHEMA, "users")
    users = here.dataset(shop.group, schema, "Users")
    here.events.put_users(
        datasetArn=users,
        users=[
            {"userId": "rich", "properties": '{"budget": 190}'},
            {"userId": "poor", "properties": '{"budget": 0}'},
        ],
    )
    arn = here.control.create_filter(
        name="affordable",
        datasetGroupArn=shop.group,
        filterExpression="INCLUDE ItemID WHERE Items.PRICE <= CurrentUser.BUDGET",
    )["filterArn"]
    here.settled("filter", arn)

    sizes = [
        len(here.recommended(shop.campaign, user, numResults=100, filterArn=arn))
        for user in ("rich", "poor", "rich")
    ]

    assert sizes == [40, 2, 40]


def test_an_including_filter_needs_its_values(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Filtering real-time recommendations": INCLUDE requires its values, EXCLUDE not."""
    arn = here.control.create_filter(
        name="kind",
        datasetGroupArn=shop.group,
        filterExpression="INCLUDE ItemID WHERE Items.CATEGORY IN ($KIND)",
    )["filterArn"]
    here.settled("filter", arn)
    error = error_of(lambda: here.recommended(shop.campaign, "user-1", filterArn=arn))
    assert "value for the parameter KIND" in error["Message"]
    unquoted = error_of(
        lambda: here.recommended(shop.campaign, "u", filterArn=arn, filterValues={"KIND": "shoes"})
    )
    assert "in quotation marks" in unquoted["Message"]
    shoes = here.recommended(shop.campaign, "user-1", filterArn=arn, filterValues={"KIND": '"shoess"'})
    assert shoes == []
    assert len(here.recommended(shop.campaign, "u", filterArn=arn, filterValues={"KIND": '"shoes"'})) == 20
