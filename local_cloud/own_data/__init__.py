"""The user's own clickstream and catalogue, made into a history that the lake can take.

    make demo CLICKSTREAM=events.parquet CATALOGUE=products.csv.gz

Files are Parquet, CSV or JSON lines (the latter two also compressed). Where
names differ from ours, CLICKSTREAM_COLUMNS and CATALOGUE_COLUMNS say which
column is which (see column_mapping); CLICKSTREAM_WHERE and CATALOGUE_WHERE leave
rows out:

    make demo CLICKSTREAM=orders.csv CLICKSTREAM_WHERE="Quantity > 0" \\
        CLICKSTREAM_COLUMNS="user_id=CustomerID,session_id=InvoiceNo,item_id=StockCode,\\
    sent_at=InvoiceDate,event_type='purchase',value=UnitPrice*Quantity,segment=Country" SHIFT_DATES=1

What an event needs is a user_id or a session_id, an item_id, a sent_at (a
timestamp, or unix seconds or milliseconds) and an event_type. The rest follows:

* event_id: a hash of the event, so that identical lines are one event, also when loaded again;
* session_id: the user's events without a pause of 30 minutes; an order's number serves well;
* received_at: sent_at;
* segment, an attribute of users: the one told most often;
* the catalogue, when there is none: the items of the clickstream, named by their ids.
"""

from local_cloud.own_data.column_mapping import OwnDataError
from local_cloud.own_data.reading import OwnData, look_at, read

__all__ = ["OwnData", "OwnDataError", "look_at", "read"]
