"""Names of ports: they never lead to a stranger's line, whatever became of their owner."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from gridrig.clock.ptys import open_pty, open_serial
from gridrig.devices.wire.named_pty import NamedPty
from gridrig.errors import DriverError

OWNER = """
import asyncio
from gridrig.devices.wire.named_pty import NamedPty
async def main():
    line = NamedPty(asyncio.Protocol())
    line.open()
    print(line.path, flush=True)
    await asyncio.get_running_loop().create_future()
asyncio.run(main())
"""


def test_the_name_of_a_killed_process_leads_nowhere() -> None:
    with subprocess.Popen(
        (sys.executable, "-c", OWNER), stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        name = owner.stdout.readline().strip()
        path = os.path.realpath(name)
        assert path.startswith("/dev/pts/")
        owner.send_signal(signal.SIGKILL)
    strangers = []
    try:
        while path not in {one.slave_path for one in strangers} and len(strangers) < 64:
            strangers.append(open_pty())
        with pytest.raises(DriverError, match="cannot be opened"):
            asyncio.run(open_serial(name, 9600))
    finally:
        for stranger in strangers:
            stranger.close()


def test_a_name_leads_to_its_line_and_back_after_an_outage() -> None:
    async def main() -> list[bytes]:
        heard: list[bytes] = []

        class Hears(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                heard.append(data)
                arrived.set()

        arrived = asyncio.Event()
        line = NamedPty(Hears())
        for said in (b"before", b"after"):
            line.open()
            _, writer = await open_serial(line.path, 9600)
            arrived.clear()
            writer.write(said)
            await arrived.wait()
            writer.close()
            line.unplug()
            assert not os.path.lexists(line.path)
        return heard

    assert asyncio.run(main()) == [b"before", b"after"]
