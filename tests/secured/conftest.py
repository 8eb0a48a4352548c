"""The broker that the tests of access share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.secured.broker import SecuredBroker, secured_broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    with secured_broker(tmp_path_factory.mktemp("secured")) as found:
        yield found
