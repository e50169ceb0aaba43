"""kill_test.py SKIFF KILLS SEED: a device is killed with SIGKILL at any moment, again and again, while versions are
published.

After every kill it labels the image, offline, with files of one version; at the end one update brings the newest version."""

import random
import signal
import sys
import time

from world import World, expect, label_of


def check_label(world, newest):
    version, label = world.label()
    expect(0 <= version <= newest, f"version {version} runs, {newest} is the newest")
    expected = label_of(version) if version else "zero"
    expect(label == expected, f"version {version} says {label}, not {expected}: files of two versions were mixed")
    return version


def main():
    skiff, kills, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    seen = set()
    with World(skiff) as world:
        world.init()
        world.publish(world.tree)
        url = world.serve_tree()
        whole_s = 0.1
        for kill in range(kills):
            if dice.random() < 0.3:
                world.publish(world.tree)
            update = world.start(*world.device_words("update", url))
            time.sleep(dice.random() * whole_s)
            update.send_signal(signal.SIGKILL)
            update.communicate()
            seen.add(check_label(world, world.published))
            if kill % 20 == 19:
                start = time.monotonic()
                world.update(url)
                whole_s = max(0.02, (time.monotonic() - start) * 1.2)
                version = check_label(world, world.published)
                expect(version == world.published,
                       f"after a whole update version {version} runs, not {world.published}")
        world.update(url)
        expect(check_label(world, world.published) == world.published, "the last update brought no new version")
    expect(len(seen) > 2, f"only versions {seen} ever ran: nothing was interrupted")
    print(f"kill_test: {kills} kills, {len(seen)} versions ran in between, {world.published} published")
    print("1 passed, 0 failed")


main()
