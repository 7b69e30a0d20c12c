from __future__ import annotations

from collections import Counter

from local_cloud import ministack_alias_weights
from local_cloud.ministack_alias_weights import draw, register


def test_an_additional_version_takes_its_share_and_the_alias_the_rest() -> None:
    ministack_alias_weights._draw.seed(1)
    drawn = Counter(draw({"7": 0.1}) for _ in range(2000))
    assert set(drawn) == {"7", None}
    assert 150 < drawn["7"] < 250
    assert draw({}) is None
    assert draw({"7": 1.0}) == "7"


def test_what_an_api_invokes_follows_the_weights() -> None:
    from ministack.services import lambda_svc

    before = lambda_svc._effective_func_record_for_qualifier
    function = {
        "config": {},
        "versions": {name: {"config": {"Version": name}} for name in ("1", "2")},
        "aliases": {
            "live": {"FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 1.0}}}
        },
    }
    register()
    try:
        weighted = lambda_svc._effective_func_record_for_qualifier(function, "live")
        exact = lambda_svc._effective_func_record_for_qualifier(function, "1")
    finally:
        lambda_svc._effective_func_record_for_qualifier = before
    assert [record[1]["Version"] for record in (weighted, exact)] == ["2", "1"]
