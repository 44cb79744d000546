from collections.abc import Iterator

import pytest

from gridrig.settlement.chain.extra import web3

web3()  # before a test imports it by itself and the recursion limit of the whole session is raised

from anvil import Anvil, executables, running_anvil  # noqa: E402

from gridrig.settlement.chain.local_node import NAMED_BY  # noqa: E402


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


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the product find the node that the tests start."""
    monkeypatch.setenv(NAMED_BY, str(executables()[0]))
