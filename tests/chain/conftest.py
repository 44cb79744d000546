from collections.abc import Iterator

import pytest

from gridrig.settlement.chain.extra import web3

web3()  # before a test imports it by itself and the recursion limit of the whole session is raised

from anvil import Anvil, running_anvil  # noqa: E402


@pytest.fixture(scope="module")
def module_node() -> Iterator[Anvil]:
    with running_anvil() as running:
        yield running


@pytest.fixture
def node(module_node: Anvil) -> Iterator[Anvil]:
    """One node for a file; what a test did to its chain is undone after it."""
    before = module_node.rpc("evm_snapshot")
    yield module_node
    assert module_node.rpc("evm_revert", before)
