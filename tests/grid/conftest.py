"""The one network, loaded once, and a feeder for each engine, handed out with its PCC closed."""

from collections.abc import Iterator

import pytest
from feeder_injections import utc

from gridrig.grid import (
    ENGINES,
    Feeder,
    Network,
    Profiles,
    load_network,
    load_profiles,
    make_feeder,
)

RURAL = "simbench:1-LV-rural1--2-no_sw"


@pytest.fixture(scope="session")
def network() -> Network:
    return load_network(RURAL)


@pytest.fixture(scope="session")
def june(network: Network) -> Profiles:
    return load_profiles(network, utc(2016, 6, 21), utc(2016, 6, 30))


@pytest.fixture(scope="session")
def every_feeder(network: Network) -> dict[str, Feeder]:
    return {name: make_feeder(name, network, "trafo:0") for name in ENGINES}


@pytest.fixture
def feeders(every_feeder: dict[str, Feeder]) -> Iterator[dict[str, Feeder]]:
    yield every_feeder
    for feeder in every_feeder.values():
        feeder.source_v_pu = feeder.network.source.v_pu
        feeder.close_pcc()
        for trafo in feeder.network.transformers:
            feeder.set_tap(trafo.name, trafo.tap_steps)
        for branch in feeder.out:
            feeder.switch(branch, closed=True)


@pytest.fixture(params=list(ENGINES))
def feeder(request: pytest.FixtureRequest, feeders: dict[str, Feeder]) -> Feeder:
    return feeders[request.param]
