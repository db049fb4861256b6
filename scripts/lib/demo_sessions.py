# The act of the demo about sessions: a user with a cookie stays at home, and moves once when told.
"""sessions(demo) is one of the acts of demo.py: service app of demo_configuration.py."""

import os
import re
import time

from hawser import Broken, Lab, Load, RUN

APP = "10.77.0.100:88"
USERS = [f"10.77.0.{n}" for n in range(201, 213)]
VISITS = 4  # requests of a user before the drain, while it lasts, and after it


class User:
    """curl with a cookie jar, from an address of its own."""

    def __init__(self, source):
        self.source = source
        self.jar = f"{RUN}/cookies-{source}"
        self.met = []   # who answered, in order
        self.given = 0  # cookies
        self.clients = set()

    def visit(self):
        done = Lab.run("client", "curl", "-s", "-m", "5", "-i", "--interface", self.source,
                       "-c", self.jar, "-b", self.jar, f"http://{APP}/")
        answered = re.search(r"^X-Backend: (\S+)$", done.stdout, re.MULTILINE)
        if done.returncode != 0 or not answered:
            raise Broken(f"curl of {self.source}: exit {done.returncode}: {done.stdout[:200]}")
        self.met.append(answered.group(1))
        self.given += len(re.findall(r"^Set-Cookie: ", done.stdout, re.MULTILINE))
        self.clients.update(re.findall(r"^X-Client: (\S+)", done.stdout, re.MULTILINE))

    def cookie(self):
        """name=value, as the browser would send it."""
        with open(self.jar, encoding="utf-8") as stream:
            rows = [line.rstrip("\n").split("\t") for line in stream if "\t" in line]
        if len(rows) != 1:
            raise Broken(f"{self.jar} has {len(rows)} cookies")
        return f"{rows[0][5]}={rows[0][6]}"


def moves(met):
    return sum(one != two for one, two in zip(met, met[1:]))


def visits(demo, users):
    """Every user asks a few times; the first one's requests are shown."""
    for user in users:
        for _ in range(VISITS):
            user.visit()
    demo.show.say(f"$ curl -c jar -b jar http://{APP}/      # {VISITS} times, by {users[0].source}")
    demo.show.say("  " + " ".join(users[0].met[-VISITS:]))


def why(demo, user):
    """What hawserctl says about the user's next request; also shown."""
    demo.ctl("why", "app", "/", "--client", user.source, "--cookie", user.cookie())
    return demo.balancer.json("why", "app", "/", "--client", user.source, "--cookie",
                              user.cookie())


def moved(demo):
    rows = demo.balancer.json("counters")
    rows = rows.get("counters", rows)["services"]
    return next(row["sessions_moved"] for row in rows if row["service"] == "app")


def remove_jars(users):
    for user in users:
        if os.path.exists(user.jar):
            os.remove(user.jar)


def sessions(demo):
    """One home for each user; the home drains, and its users move exactly once."""
    demo.show.heading("Sessions (splice): a cookie keeps each of 12 users at home")
    users = [User(source) for source in USERS]
    remove_jars(users)
    visits(demo, users)
    homes = {user.source: user.met[0] for user in users}
    first, home = users[0], users[0].met[0]
    before = why(demo, first)

    demo.show.heading(f"Their home, {home}, drains by a deadline: its users move once, without a gap")
    started = moved(demo)
    connected = Load(APP, records=True, concurrency=12, requests=0, pause=50, seconds=60,
                     sources=",".join(USERS))
    with connected:
        time.sleep(0.5)
        demo.ctl("drain", f"app/{home}", "--by", "2s", "--reason", "new release")
        time.sleep(1)
        demo.ctl("backends", "app")
        demo.balancer.until(
            lambda: demo.balancer.backends("app")[home]["sessions_released"] == 1,
            "the last session to be let go")
        drained = time.time()
        between = why(demo, first)
        visits(demo, users)
        after = why(demo, first)
        back = time.time()
        demo.ctl("ready", f"app/{home}")
        visits(demo, users)
        result = connected.stop()
        records = connected.records()
    leavers = [user for user in users if homes[user.source] == home]
    seen = {
        "users": len(users), "requests": sum(len(user.met) for user in users),
        "homes": len(set(homes.values())), "users_of_the_drained": len(leavers),
        "moves": sum(moves(user.met) for user in leavers),
        "moves_of_others": sum(moves(user.met) for user in users if user not in leavers),
        "moved_sessions_counted": moved(demo) - started,
        "cookies_given": sum(user.given for user in users),
        "client_address_known": all(user.clients == {user.source} for user in users),
        "why": [before["reason"], between["reason"], after["reason"]],
        "why_named_who_answered": [row["backend"] for row in (before, between, after)]
                                  == [home, first.met[-1], first.met[-1]],
        "requests_on_open_connections": result["requests"], "failed": result["failed"],
        "connections_reopened": result["connections"] - len(USERS),
        "of_them_to_the_drained": sum(row["backend"] == home and drained + 0.2 < row["at"] < back
                                      for row in records),
    }
    remove_jars(users)
    held = judge(seen)
    demo.show.verdict(
        held, f"{seen['users_of_the_drained']} of {seen['users']} users lived at {home}: "
        f"{seen['moves']} moves, the others {seen['moves_of_others']}; "
        f"{seen['requests_on_open_connections']} requests on open connections, {seen['failed']} "
        f"failed, {seen['connections_reopened']} had to connect anew, "
        f"{seen['of_them_to_the_drained']} went to {home} while it drained")
    return {"ok": held, **seen}


def judge(seen):
    once = seen["moves"] == seen["moved_sessions_counted"] == seen["users_of_the_drained"] > 0
    # A cookie each, and another for those who moved.
    cookies = seen["cookies_given"] == seen["users"] + seen["users_of_the_drained"]
    explained = (seen["why_named_who_answered"] and "moves" in seen["why"][1]
                 and all("its session's home" in seen["why"][n]
                         and "moves" not in seen["why"][n] for n in (0, 2)))
    undisturbed = seen["failed"] == seen["connections_reopened"] == 0
    return (once and cookies and explained and undisturbed and seen["moves_of_others"] == 0
            and seen["homes"] > 1 and seen["client_address_known"]
            and seen["requests_on_open_connections"] > 100 and seen["of_them_to_the_drained"] == 0)
