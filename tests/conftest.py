"""One hypothesis profile for every test: examples are the same in each run, and none is timed."""

from hypothesis import HealthCheck, settings

settings.register_profile("suite", max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.load_profile("suite")
