"""All benchmarks."""

from tests.bench import (
    container,
    demo,
    deploy,
    fleet,
    images,
    infra,
    load,
    playbook,
    start,
    trouble,
)
from tests.bench.attempt import Benchmark

ALL = (
    Benchmark("start", "Start of the program", start.ABOUT, start.measure),
    Benchmark("deploy", "Deploy and rollback", deploy.ABOUT, deploy.measure, True),
    Benchmark("channels", "SSH channels", deploy.ABOUT_CHANNELS, deploy.channels, True),
    Benchmark("trouble", "When something goes wrong", trouble.ABOUT, trouble.measure, True),
    Benchmark("load", "Latency during deploys", load.ABOUT, load.measure, True),
    Benchmark("proxy", "Exchange of the proxy", load.ABOUT_PROXY, load.proxy, True),
    Benchmark("playbook", "Deploy by playbook", playbook.ABOUT, playbook.measure, True),
    Benchmark("naive", "The naive script", load.ABOUT_NAIVE, load.naive_script),
    Benchmark("demo", "The guided tour", demo.ABOUT, demo.measure),
    Benchmark("fleet", "Deploy to many hosts", fleet.ABOUT, fleet.measure),
    Benchmark("images", "Many images", images.ABOUT, images.measure),
    Benchmark("plan", "Summary of a large plan", infra.ABOUT, infra.measure),
    Benchmark("container", "Build of the reference image", container.ABOUT, container.measure),
)
"""In the order in which they are run and shown."""
