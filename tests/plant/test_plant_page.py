"""The page on the plant names every setting of the functions, and none that does not exist."""

import re
from pathlib import Path

from gridrig.plant import World

PAGE = Path(__file__).parents[2] / "docs" / "plant.md"


def test_the_page_names_every_function_setting_and_no_other() -> None:
    world = World(s_base_va=1e3, seed=1)
    known = set(world.functions(world.add_pv("pv", {"s_va": 1e3})))
    assert len(known) > 35
    text = PAGE.read_text(encoding="utf-8")
    table = text[text.index("| function | keys") : text.index("**Open-loop response.**")]
    named = {word for word in re.findall(r"`([a-z_]+)`", table) if "_" in word}
    words = {"power_factor", "volt_var", "watt_var", "volt_watt", "required_reactive"}
    named -= words | {"response_s"}  # values of a setting, and what an inverter is built with
    assert named - known == set()
    missing = {key for key in known if f"`{key}`" not in table}
    assert missing == set()
