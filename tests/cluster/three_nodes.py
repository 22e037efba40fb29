"""Run one trial on a cluster of three nodes that wants a token, by its address: a script for the tests."""

import json
import os
import sys
from pathlib import Path

from ray.cluster_utils import Cluster

from simonides.cluster.runtime import run_ray
from simonides.sim.config import Layout, parse_study


def main(study: str, folder: str) -> None:
    import ray

    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80 << 20},
    )
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
        cluster.wait_for_nodes()
        (trial,) = parse_study(json.loads(Path(study).read_text())).trials()
        layout = Layout(runtime="ray", address=cluster.address, world_actors=3, memory_actors=2)
        outcome = run_ray(trial, Path(folder), layout)
        print(json.dumps({"nodes": sum(n["Alive"] for n in ray.nodes()), "errors": outcome.errors, "pid": os.getpid()}))
    finally:
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
