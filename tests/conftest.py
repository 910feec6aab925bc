"""One hypothesis profile for every test: examples are the same in each run, and none is timed."""

import golden
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("suite", max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate-golden", action="store_true", help="write the files under tests/golden anew")


def pytest_configure(config: pytest.Config) -> None:
    golden.regenerate = config.getoption("--regenerate-golden")
