"""How a box's key is enrolled: what the trust file would say of it."""

from gridrig.metering.keccak_signing import KeccakSigner
from gridrig.metering.keys import EnrolledKey

ALGORITHM = "ecdsa-secp256k1"


def glow_key(
    meter: str, equipment: int, signer: KeccakSigner, *, power_milliwatt_max: int
) -> EnrolledKey:
    """Return the entry of a box of Glow's kind, of a place that gives so much at most. [mW]"""
    return EnrolledKey(
        meter=meter,
        serial=str(equipment),
        algorithm=ALGORITHM,
        public_key=signer.public_key_x,
        key_form="even-x",
        format="glow",
        valid_from_s=0,
        export_power_milliwatt_max=power_milliwatt_max,
    )


def arkreen_key(
    meter: str, signer: KeccakSigner, *, power_milliwatt_max: int, tolerance_permille: int = 20
) -> EnrolledKey:
    """Return the entry of a miner, and how far its energy may be from its power. [mW, 1/1000]"""
    return EnrolledKey(
        meter=meter,
        serial=signer.address,
        algorithm=ALGORITHM,
        public_key=signer.public_key_der,
        format="arkreen",
        valid_from_s=0,
        export_power_milliwatt_max=power_milliwatt_max,
        power_tolerance_permille=tolerance_permille,
    )
