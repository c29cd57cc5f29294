"""A street for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.carrier.street import Street


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    """A carrier and its customer, with nothing left behind at the end."""
    opened = Street.open()
    yield opened
    await opened.close()
