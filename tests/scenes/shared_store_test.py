"""shared_store_test.py SKIFF SECONDS SEED: eight processes share one store while versions are published and one is
killed at random.

Five label images in a loop, three update; no reader waits for long, none fails, none mixes two versions."""

import json
import random
import signal
import sys
import time

from world import HARD, MODELS, World, expect, label_of

SLOWEST_MS = 2000  # a reader that took longer was blocked by somebody (starting a process included)


def reader(world, seconds):
    words = world.device_words("run", None) + ["--image", HARD, "--json", "--loop", str(seconds),
                                               "--bundled", MODELS[1]]
    return world.start(*words)


def updater(world, url):
    return world.start(*world.device_words("agent", url), "--every", "1", "--bundled", MODELS[1])


def judge(process, text):
    """The summary of a reader's loop that ended by itself."""
    answer = json.loads(text)
    expect(answer["failed"] == 0, f"a reader failed {answer['failed']} times: {answer}")
    expect(answer["slowest_ms"] < SLOWEST_MS, f"a reader was blocked for {answer['slowest_ms']} ms")
    for seen in answer["seen"]:
        expected = label_of(seen["version"]) if seen["version"] else "zero"
        expect(seen["label"] == expected, f"version {seen['version']} says {seen['label']}")
    return answer["runs"], {seen["version"] for seen in answer["seen"]}


def main():
    skiff, seconds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    with World(skiff) as world:
        world.init()
        world.publish(world.tree)
        url = world.serve_tree()
        readers = [reader(world, seconds) for _ in range(5)]
        updaters = [updater(world, url) for _ in range(3)]
        killed = 0
        end = time.monotonic() + seconds - 1
        while time.monotonic() < end:
            time.sleep(dice.random() * 0.4)
            if dice.random() < 0.5:
                world.publish(world.tree)
            at = dice.randrange(3)
            updaters[at].send_signal(signal.SIGKILL)
            updaters[at].communicate()
            updaters[at] = updater(world, url)
            if dice.random() < 0.3:
                one = readers.pop(0)
                one.send_signal(signal.SIGKILL)
                one.communicate()
                readers.append(reader(world, max(1, int(end - time.monotonic()))))
            killed += 1
        runs, versions = 0, set()
        for one in readers:
            out, err = one.communicate(timeout=60)
            expect(one.returncode == 0, f"a reader ended with {one.returncode}: {out}{err}")
            more, seen = judge(one, out)
            runs, versions = runs + more, versions | seen
        for one in updaters:
            one.send_signal(signal.SIGTERM)
            out, err = one.communicate(timeout=30)
            expect(one.returncode == 0, f"an agent did not end cleanly: {one.returncode} {err}")
        world.update(url)
        version, _ = world.label()
        expect(version == world.published, f"version {version} runs at the end, not {world.published}")
    expect(len(versions) > 2, f"only versions {versions} were seen")
    print(f"shared_store_test: {runs} inferences of {len(versions)} versions in 5 processes, {killed} kills")
    print("1 passed, 0 failed")


main()
