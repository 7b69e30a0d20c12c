from __future__ import annotations

import numpy as np

from local_cloud.personalize.recommenders import IdColumn, Interactions, train


def test_a_column_is_a_sequence_of_what_was_put_in() -> None:
    column = IdColumn(["b", "a"])
    column.extend(["b", "c"])
    column.append("a")

    assert list(column) == ["b", "a", "b", "c", "a"]
    assert (column[3], column[-1], column[1:3]) == ("c", "a", ["a", "b"])
    assert column.distinct == ["b", "a", "c"]
    assert column.codes().tolist() == [0, 1, 0, 2, 1]


def test_a_model_is_the_same_from_columns_as_from_lists(shop: Interactions) -> None:
    columns = Interactions(
        user_ids=IdColumn(shop.user_ids), item_ids=IdColumn(shop.item_ids), timestamps=shop.timestamps
    )

    from_lists, from_columns = (train("aws-user-personalization", given) for given in (shop, columns))

    assert from_lists.metrics == from_columns.metrics
    assert from_lists.recommend(user_id="u3", item_id=None, count=99) == from_columns.recommend(
        user_id="u3", item_id=None, count=99
    )


def test_the_codes_of_a_column_are_a_copy_so_that_it_can_go_on_growing() -> None:
    column = IdColumn(["a"])
    codes = column.codes()
    column.append("b")

    assert codes.tolist() == [0]
    assert codes.dtype == np.int32
