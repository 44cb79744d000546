"""What holds for every property test: no clock judges it, and it tries the same cases each time."""

from hypothesis import settings

settings.register_profile("gridrig", deadline=None, derandomize=True)
settings.load_profile("gridrig")
