"""A chat site: where a conversation that begins with one of its buttons goes."""

import pytest

from channels.webchat.site import Site

REPLIES = (
    {"id": "order", "label": {"en": "My order"}, "flow": "order-status"},
    {"id": "bill", "label": {"en": "My bill"}, "queue": "billing"},
    {"id": "person", "label": {"en": "A person"}, "flow": ""},
)


@pytest.mark.parametrize(
    ("choice", "flow", "queue"),
    [
        (None, "main-menu", "support"),
        ("order", "order-status", "support"),
        ("bill", "main-menu", "billing"),
        ("person", "", "support"),
        ("made up", "main-menu", "support"),
    ],
)
def test_button_says_where_it_leads(choice: str | None, flow: str, queue: str) -> None:
    site = Site(id="shop", queue="support", flow="main-menu", quick_replies=REPLIES)
    assert (site.flow_for(choice), site.queue_for(choice, is_message=False)) == (flow, queue)
