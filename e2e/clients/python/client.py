"""redis-py against nodes of Kvorum: does what its first argument names, prints JSON of what came of it, and fails where something is wrong.

    alone PORT PROTOCOL         values, pipelines, scans and refusals in one connection
    cluster PORT PREFIX COUNT   writes COUNT keys in cluster mode, and reads them at owners
    replicas PORT PREFIX COUNT  reads them at replicas
    load PORT PREFIX            writes in cluster mode until its input ends, then reads back what was acknowledged
"""

import json
import sys
import threading
import time

import redis
from redis.cluster import RedisCluster

HOST = "127.0.0.1"
THREADS = 3
PAUSE_SECONDS = 0.002
TIMEOUT_SECONDS = 8


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} is not {expected!r}")


def refused(word, work):
    try:
        work()
    except redis.RedisError as error:
        if word not in str(error):
            raise
    else:
        raise AssertionError(f"nothing was refused with {word}")


def alone(port, protocol):
    client = redis.Redis(host=HOST, port=int(port), protocol=int(protocol), socket_timeout=TIMEOUT_SECONDS)
    equal(client.ping(), True)
    equal(client.set("py:k", "v", ex=100), True)
    equal(client.get("py:k"), b"v")
    equal(client.ttl("py:k"), 100)
    equal(client.get("py:none"), None)
    equal(client.ttl("py:none"), -2)
    name = bytes(range(256))
    equal(client.set(name, name), True)
    equal(client.get(name), name)
    large = b"x" * (1 << 20)
    equal(client.set("py:large", large), True)
    equal(client.get("py:large"), large)
    equal(client.getrange("py:large", -3, -1), b"xxx")
    equal(client.strlen("py:large"), 1 << 20)
    pairs = {f"py:m:{i}": f"{i}" for i in range(50)}
    equal(client.mset(pairs), True)
    equal(client.mget([*pairs, "py:none"]), [*(v.encode() for v in pairs.values()), None])
    equal({key.decode() for key in client.scan_iter(match="py:m:*", count=20)}, set(pairs))
    pipeline = client.pipeline(transaction=False)
    for key in pairs:
        pipeline.set(key, "again").get(key)
    equal(pipeline.execute(), [True, b"again"] * 50)
    equal(client.exists("py:k", "py:none", "py:k"), 2)
    equal(client.delete(name, "py:large", "py:none", *pairs), 52)
    equal(client.type("py:k"), b"string")
    version = client.execute_command("KV.SET", "py:v", "1", "W", "all")
    equal(client.execute_command("KV.VERSION", "py:v"), version)
    equal(client.execute_command("KV.GET", "py:v", "R", "all"), b"1")
    refused("NEEDS_LINEARIZABLE", lambda: client.incr("py:n"))
    refused("NEEDS_LINEARIZABLE", lambda: client.set("py:k", "w", nx=True))
    refused("NEEDS_LINEARIZABLE", lambda: client.pipeline(transaction=True).set("py:k", "w").execute())
    refused("unknown command", lambda: client.lpush("py:l", "v"))
    equal(client.get("py:k"), b"v")
    client.client_setname("py")
    equal(client.client_getname() in ("py", b"py"), True)
    equal(client.info()["redis_mode"], "cluster")
    return {}


def open_cluster(port, **options):
    return RedisCluster(host=HOST, port=int(port), socket_timeout=TIMEOUT_SECONDS, **options)


def cluster(port, prefix, count):
    client = open_cluster(port)
    for i in range(int(count)):
        equal(client.set(f"{prefix}{i}", f"{i}"), True)
        equal(client.get(f"{prefix}{i}"), f"{i}".encode())
    pairs = {f"{prefix}{i}": "again" for i in range(int(count))}
    pipeline = client.pipeline()
    for key, value in pairs.items():
        pipeline.set(key, value)
    equal(pipeline.execute(), [True] * int(count))
    equal(client.mget_nonatomic(list(pairs)), [b"again"] * int(count))
    refused("NEEDS_LINEARIZABLE", lambda: client.set(f"{prefix}0", "w", nx=True))
    # Commands that COMMAND does not name this client refuses by itself, in cluster mode.
    refused("INCRBY command doesn't exist", lambda: client.incr(f"{prefix}n"))
    return {"nodes": len(client.get_nodes())}


def replicas(port, prefix, count):
    client = open_cluster(port, read_from_replicas=True)
    for i in range(int(count)):
        equal(client.get(f"{prefix}{i}"), b"again")
    return {}


class Load:
    """Each thread writes keys of its own, each once, so that what was acknowledged must be there."""

    def __init__(self, client, prefix):
        self.client = client
        self.prefix = prefix
        self.is_over = threading.Event()
        self.acknowledged = []
        self.errors = []

    def work(self, thread):
        written = 0
        while not self.is_over.is_set():
            key = f"{self.prefix}{thread}:{written}"
            written += 1
            try:
                self.client.set(key, f"value of {key}")
                self.acknowledged.append(key)
                if written % 2 == 0:
                    equal(self.client.get(key), f"value of {key}".encode())
            except redis.RedisError as error:
                self.errors.append(f"{type(error).__name__}: {error}"[:200])
            time.sleep(PAUSE_SECONDS)


def read_back(client, key):
    """A connection that broke while nothing was asked on it costs one more try."""
    try:
        return client.get(key)
    except redis.RedisError:
        return client.get(key)


def load(port, prefix):
    client = open_cluster(port)
    run = Load(client, prefix)
    threads = [threading.Thread(target=run.work, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    run.is_over.set()
    for thread in threads:
        thread.join()
    lost = [key for key in run.acknowledged if read_back(client, key) != f"value of {key}".encode()]
    return {"acknowledged": len(run.acknowledged), "errors": run.errors, "lost": lost}


ACTIONS = {"alone": alone, "cluster": cluster, "replicas": replicas, "load": load}

print(json.dumps(ACTIONS[sys.argv[1]](*sys.argv[2:])))
