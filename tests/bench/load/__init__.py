"""Load on real sockets: a lean client, two relays to compare with, and what an idle connection weighs.

    python -m tests.bench.load.compare    turns a second and latency, stock relay against ours
    python -m tests.bench.load.memory     memory of an idle connection, stock against ours
    python -m tests.bench.load.fanout     one event to many sockets, stock against ours

To drive something else, write an `Adapter` (drive.py) and use `open_conversations`, `saturate` and `steady`.
"""
