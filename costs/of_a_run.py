"""The prices that a run of the state machine is told, so that it can say what it cost."""

from __future__ import annotations

from typing import Any

from costs.prices import PriceError, Prices


def prices_of_a_run(region: str | None, architecture: str) -> dict[str, Any] | None:
    """Plain JSON for the state machine's definition; None where there is no price file of the Region.

    Of prices that fall with use the first tier is taken: a night is a small part of a month.

    :param architecture: of the functions, `arm64` or `x86_64`.
    """
    try:
        prices = Prices.of(region or "")
    except PriceError:
        return None
    return {
        "region": prices.region,
        "currency": prices.currency,
        "as_of": prices.as_of.isoformat(),
        "stale_after": prices.stale_after.isoformat(),
        "training_hour": prices.one("personalize.training_hour"),
        "v2_training_1000_interactions": prices.one("personalize.v2.training_1000_interactions"),
        "recommendations_1000": prices.tiered("personalize.recommendations_1000", 1),
        "v2_recommendations_1000": prices.tiered("personalize.v2.recommendations_1000", 1),
        "transitions_1000": prices.one("step_functions.transitions_1000"),
        "lambda_gb_second": prices.one(f"lambda.{architecture}_gb_second"),
        "lambda_requests_million": prices.one("lambda.requests_million"),
        "glue_dpu_hour": prices.one("glue.dpu_hour"),
    }
