"""Commands of a bridge between two chains."""

import argparse

from gridrig.cli.arguments import AddCommand, whole
from gridrig.cli.sending import add_sending

DECIMALS_MAX = 255


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    bridge = command(
        "bridge",
        "deploy a bridge between two chains, and run one of its relays",
        "examples:\n  gridrig bridge deploy --home http://127.0.0.1:8545 --far "
        "http://127.0.0.1:9545 --token 0x... --relay 0x... --relay 0x... --quorum 2 "
        "--keystore key.json --outbox bridge.db\n"
        "  gridrig bridge relay --home http://127.0.0.1:8545 --far http://127.0.0.1:9545 "
        "--vault 0x... --bridged 0x... --keystore relay.json --outbox relay.db\n"
        "relay carries both ways what is final by now, once; run it again for more.\n"
        "The password of the keystore is asked for, or read from standard input.\n"
        "exit codes: 0 done, 1 a transaction failed, 2 refused, 3 not final yet: run it again",
    )
    steps = bridge.add_subparsers(dest="step", required=True, metavar="STEP")
    deploy = steps.add_parser("deploy", help="deploy a vault at home and a token over there")
    deploy.add_argument("--token", required=True, metavar="ADDRESS", help="what crosses, at home")
    deploy.add_argument("--name", default="Energy", help="of the far token; default: Energy")
    deploy.add_argument("--symbol", default="WH", help="default: WH")
    deploy.add_argument(
        "--decimals", type=whole(0, DECIMALS_MAX), default=3, help="default: 3, one unit is 1 Wh"
    )
    deploy.add_argument(
        "--relay", action="append", required=True, metavar="ADDRESS", help="may be given again"
    )
    deploy.add_argument("--quorum", type=whole(1), required=True, metavar="N")
    relay = steps.add_parser("relay", help="say on each chain what the other sent")
    relay.add_argument("--vault", required=True, metavar="ADDRESS")
    relay.add_argument("--bridged", required=True, metavar="ADDRESS")
    for name in ("--home-block", "--far-block"):
        text = "block of the deployment, where reading begins; default 0"
        relay.add_argument(name, type=whole(0), default=0, metavar="N", help=text)
    for step in (deploy, relay):
        _both_chains(step)
    bridge.set_defaults(act=_bridge)


def _both_chains(step: argparse.ArgumentParser) -> None:
    step.add_argument("--home", required=True, metavar="URL", help="JSON-RPC where the token is")
    step.add_argument("--far", required=True, metavar="URL", help="JSON-RPC of the other chain")
    add_sending(step, finality="as each chain says")


def _bridge(args: argparse.Namespace) -> int:
    from gridrig.settlement.chain import bridge_commands as commands
    from gridrig.settlement.chain.bridging import BridgeToken

    options = commands.BridgeOptions(
        args.home,
        args.far,
        args.keystore,
        args.outbox,
        args.fee_gwei_max,
        args.confirmations,
        args.allow_public,
        args.wait_s,
        args.json,
    )
    if args.step == "deploy":
        named = BridgeToken(args.name, args.symbol, args.decimals)
        return commands.deploy_command(
            options, token=args.token, named=named, relays=args.relay, quorum=args.quorum
        )
    blocks = (args.home_block, args.far_block)
    return commands.relay_command(
        options, vault=args.vault, bridged=args.bridged, first_blocks=blocks
    )
