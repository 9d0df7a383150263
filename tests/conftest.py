"""Settings of all tests: Hypothesis repeats the same examples unless asked to explore."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable",
    derandomize=True,  # a test run gives the same answer on every machine
    database=None,
    deadline=None,  # the first call compiles a model; time is not what these tests claim
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")
