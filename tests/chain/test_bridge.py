"""The bridge: what its ends refuse, what relays do when a chain forks, and that counts tell."""

from collections.abc import Awaitable, Callable

import pytest
from anvil import GENESIS_S, Anvil, Deployed, deploy
from criteria import assert_fails
from keccak_oracle import keccak

from gridrig.clock import Clock, run_virtual
from gridrig.errors import SettlementError
from gridrig.promises.crossing import RELAYS, Crossing, local_crossing
from gridrig.settlement.chain.bridge import Crossing as Message
from gridrig.settlement.chain.bridge import receive
from gridrig.settlement.chain.local_node import NAMED_BY, node_executable

UNAUTHORISED = "AccessControlUnauthorizedAccount"
MINTED_WH = 100_000
NOBODY = "0x" + 40 * "0"
SHORT = keccak(b"ERC20InsufficientBalance(address,uint256,uint256)")[:4]


@pytest.fixture
def far(node: Anvil) -> Deployed:
    admin, *relays = node.accounts[:4]
    return deploy(node, "BridgedToken", "Energy", "WH", 3, admin, relays, 2)


def test_two_relays_of_three_mint_once_and_one_alone_never(far: Deployed) -> None:
    admin, one, two, three, guest = far.node.accounts[:5]
    said = ("receiveMessage", 1, guest, 5)
    assert far.refusal(admin, *said) == UNAUTHORISED
    assert far.refusal(one, "receiveMessage", 1, guest, 0) == "AmountEmpty"
    far.do(one, *said)
    assert far.refusal(one, *said) == "SaidAlready"
    far.do(two, "receiveMessage", 1, guest, 6)  # another message under the same number
    far.do(three, "receiveMessage", 1, one, 5)
    assert far.ask("totalSupply") == 0
    far.do(two, *said)
    assert (far.ask("totalSupply"), far.ask("balanceOf", guest)) == (5, 5)
    for relay in (one, two, three):
        for amount in (5, 6):
            assert far.refusal(relay, "receiveMessage", 1, guest, amount) == "MessageRepeated"
    assert far.refusal(guest, "send", guest, 6) == "ERC20InsufficientBalance"
    assert far.refusal(guest, "send", guest, 0) == "AmountEmpty"
    assert far.refusal(guest, "send", NOBODY, 5) == "AccountEmpty"
    far.do(guest, "send", guest, 5)
    assert (far.ask("totalSupply"), far.ask("sent")) == (0, 1)


@pytest.mark.parametrize("quorum", [0, 4])
def test_a_quorum_that_nobody_or_none_can_reach_is_refused(node: Anvil, quorum: int) -> None:
    admin, *relays = node.accounts[:4]
    with pytest.raises(AssertionError, match="BridgedToken"):
        deploy(node, "BridgedToken", "Energy", "WH", 3, admin, relays, quorum)


def test_a_vault_keeps_all_of_what_it_is_sent_or_nothing(node: Anvil) -> None:
    admin, *relays = node.accounts[:4]
    token = deploy(node, "FeeToken")
    token.do(admin, "mint", admin, 1_000)
    vault = deploy(node, "BridgeVault", token.address, admin, relays, 2)
    token.do(admin, "approve", vault.address, 1_000)
    assert vault.refusal(admin, "send", admin, 100) == "AmountShort"
    assert vault.refusal(admin, "send", admin, 0) == "AmountEmpty"
    assert vault.refusal(admin, "send", NOBODY, 100) == "AccountEmpty"
    # What it never kept it cannot release, whoever says so.
    for relay in relays[:1]:
        vault.do(relay, "receiveMessage", 1, admin, 7)
    assert vault.refusal(relays[1], "receiveMessage", 1, admin, 7) == f"0x{SHORT.hex()}"


def crossed(act: Callable[[Crossing], Awaitable[None]], confirmations: int = 3) -> Crossing:
    made: list[Crossing] = []

    async def main(clock: Clock) -> None:
        with local_crossing(MINTED_WH, clock) as crossing:
            crossing.confirmations = confirmations
            await crossing.build()
            await act(crossing)
            made.append(crossing)

    run_virtual(main, start_utc_s=GENESIS_S)
    return made[0]


@pytest.mark.usefixtures("installed")
def test_a_hasty_relay_makes_a_second_copy_which_the_count_finds_and_then_it_stops() -> None:
    async def act(crossing: Crossing) -> None:
        with pytest.raises(SettlementError) as refused:
            await crossing.mistreat(10_000)
        assert refused.value.code == "settlement.bridge_forked"

    crossing = crossed(act, confirmations=1)
    assert crossing.live_wh[-1] == ("the chain at home took it back", MINTED_WH + 10_000)
    assert crossing.beyond_wh() == 10_000
    assert_fails(crossing.beyond_wh(), "test_two_regions.units_beyond_minted_wh")


@pytest.mark.usefixtures("installed")
def test_two_relays_that_lie_together_are_found_by_the_count_alone() -> None:
    async def act(crossing: Crossing) -> None:
        guest = crossing.far.account("guest")
        lie = receive(crossing.vault, crossing.bridged, Message(1, guest, 7))
        for name in RELAYS[:2]:
            await crossing.far.finish(name, lie)
        crossing.count("they lied")
        unlike = abs(crossing.far_wh() - crossing.vault_wh())
        assert unlike == 7
        assert_fails(unlike, "test_two_regions.vault_unlike_bridged_wh")
        assert_fails(crossing.far_wh(), "test_two_regions.crossed_wh")

    assert crossed(act).beyond_wh() == 7


def test_a_machine_without_a_node_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAMED_BY, "no-such-node")
    with pytest.raises(SettlementError, match=r"no node no-such-node: install .* GRIDRIG_EVM_NODE"):
        node_executable()
