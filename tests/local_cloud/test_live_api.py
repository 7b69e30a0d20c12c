from __future__ import annotations

import pytest

from local_cloud.connection import Connection, LocalCloudError
from local_cloud.live_api import LiveApi, local_url


def test_an_apis_url_on_aws_is_found_in_the_local_cloud() -> None:
    url = "https://a1b2c3d4.execute-api.us-east-1.amazonaws.com/v1/"
    assert local_url(Connection(4566), url) == "http://127.0.0.1:4566/_aws/execute-api/a1b2c3d4/v1/"
    with pytest.raises(LocalCloudError, match="is not https"):
        local_url(Connection(4566), "https://example.com/v1/")


def test_a_customers_recommendations_are_asked_for_by_placement() -> None:
    api = LiveApi("http://here/v1/", "http://there/v1/", None, ("recommended-for-you", "similar-items"))
    assert api.url_for("a/b c") == "http://here/v1/recommendations/a%2Fb%20c?placement=recommended-for-you"
    assert api.url_for("u1", placement="similar-items", item_id="i1").endswith(
        "?placement=similar-items&item_id=i1"
    )
