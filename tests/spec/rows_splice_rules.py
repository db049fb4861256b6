# Rows about rules of spliced services: what they deny, redirect, limit, and send to a generation.
from network import backend, service, setup
from row import burst, flows, row, snapshot, spliced
from splice_talk import OK, Spliced, answer, get, session

talk = Spliced()


def when(field, *patterns, name=""):
    return {"field": field, "name": name, "patterns": [list(pattern) for pattern in patterns]}


def rules(*all_rules, **changes):
    return setup([service("page4", rules=[
        {"name": f"rule{n}", **rule} for n, rule in enumerate(all_rules)], **changes)])


def refused(title, request, status, phrase, setup, refusal, extra=""):
    text = answer(status, phrase)
    if extra:
        at = text.index(b"\r\n") + 2
        text = text[:at] + extra.encode() + text[at:]
    row(title,
        burst(0, talk.reply("reply_answer", talk.from_client("PA", payload=request), flags="FPA",
                            ack=len(request), payload=text, window=talk.reading_window())),
        setup=setup, counters=[spliced("page4", requests=1, rule_0=1, **{refusal: 1})])


secret = {"conditions": [when("path", ("prefix", "/secret"))], "deny": 403}
refused("403 for a path that a rule denies", get("/secret/a"), 403, "Forbidden", rules(secret),
        "refused_denied")
refused("404 where a rule denies with that", get("/gone"), 404, "Not Found",
        rules({"conditions": [when("path", ("exact", "/gone"))], "deny": 404}), "refused_denied")
refused("401 for a header that a rule denies",
        get("/", "Authorization: none"), 401, "Unauthorized",
        rules({"conditions": [when("header", ("exact", "none"), name="authorization")],
               "deny": 401}), "refused_denied")
refused("a rule that matches every condition is the one that counts",
        get("/a", host="other.example"), 403, "Forbidden",
        rules({"conditions": [when("path", ("regex", "^/[a-c]$")),
                              when("host", ("exact", "shop.example"), ("exact", "other.example"))],
               "deny": 403}), "refused_denied")

moved = {"conditions": [when("host", ("exact", "shop.example"))], "redirect": 301,
         "location": "https://$host$target"}
refused("a redirect has the request's host and target", get("/a?b=c"), 301, "Moved Permanently",
        rules(moved), "refused_redirected", "Location: https://shop.example/a?b=c\r\n")
for status, phrase in (302, "Found"), (307, "Temporary Redirect"), (308, "Permanent Redirect"):
    refused(f"a redirect may be a {status}", get(), status, phrase,
            rules({**moved, "redirect": status, "location": "https://new.example/"}),
            "refused_redirected", "Location: https://new.example/\r\n")

PAGE = get("/public")
row("a request that no rule matches goes its way",
    *talk.open(PAGE), setup=rules(secret),
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1)])

API = get("/api")
api = {"conditions": [when("path", ("prefix", "/api"))]}
second = Spliced(client_port=40001)
for by_source in False, True:
    row("429 beyond the rate of a rule" + (", of each source" if by_source else ""),
        *talk.open(API), burst(0, second.refused(API, 429, "Too Many Requests")),
        setup=rules({**api, "rate": {"per_second": 1, "burst": 1, "by_source": by_source}}),
        counters=[flows("page4/b1", live=1, new=1),
                  spliced("page4", requests=2, rule_0=2, refused_rate=1)])

third = Spliced(client_port=40002, local_port=1026)
first_worker, second_worker = Spliced(), Spliced(client_port=40001, local_port=1025)


def on(worker, steps):
    return [{**step, "worker": worker} for step in steps]


row("the rate of a rule is that of all workers: each grants its part",
    *on(0, first_worker.open(API)), *on(1, second_worker.open(API)),
    burst(0, Spliced(client_port=40002).refused(API, 429, "Too Many Requests")),
    burst(0, Spliced(client_port=40003).refused(API, 429, "Too Many Requests"), worker=1),
    burst(0.9, Spliced(client_port=40002).refused(API, 429, "Too Many Requests")),
    burst(1.1, Spliced(client_port=40002, local_port=1026).hold(API),
          after=[Spliced(local_port=1026).own_syn()]),
    setup={**rules({**api, "rate": {"per_second": 2, "burst": 2}}), "workers": 2},
    counters=[flows("page4/b1", live=2, new=2, requests=1),
              spliced("page4", requests=4, rule_0=4, refused_rate=2),
              flows("page4/b1", live=1, new=1, worker=1),
              spliced("page4", requests=2, rule_0=2, refused_rate=1, worker=1)])

row("the burst of a source is granted by each worker, its rate is shared",
    *first_worker.open(API), *third.open(API),
    burst(0.6, Spliced(client_port=40003).refused(API, 429, "Too Many Requests")),
    setup={**rules({**api, "rate": {"per_second": 2, "burst": 2, "by_source": True}}),
           "workers": 2},
    counters=[flows("page4/b1", live=2, new=2),
              spliced("page4", requests=3, rule_0=3, refused_rate=1)])

canary = [backend("b1", 4, 8080, generation="old"), backend("b2", 4, 8080, generation="new")]
chosen = Spliced(backend="b2")
row("a rule sends its requests to the backends of a generation",
    *chosen.open(API), setup=rules({**api, "generation": "new"}, backends=canary),
    counters=[flows("page4/b2", live=1, new=1), spliced("page4", requests=1, rule_0=1)])

pinned = get("/api", f"Cookie: hawser={session(backend='b9')}")
row("a rule that is not sticky gives no cookie and asks for none",
    *talk.open(pinned), burst(1, talk.down("PA", ack=len(pinned), payload=OK)),
    setup=rules({**api, "sticky": False}, affinity="cookie"),
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1, rule_0=1)])

# --- a reload while a request is being connected --------------------------------------------------

refusal = chosen.server_takes("splice_taken", flags="RA", ack=0, at=-1, window=0)
elsewhere = {"conditions": [when("path", ("prefix", "/old"))], "generation": "old"}
taker = Spliced(backend="b2", local_port=1025)


def after_reload(*changed, **changes):
    return snapshot(service("page4", rules=[
        {"name": f"rule{n}", **rule} for n, rule in enumerate(changed)], **changes))


row("a retry heeds the rule that decided, whatever the rules are meanwhile",
    burst(0, chosen.hold(API), after=[chosen.own_syn()]),
    after_reload(elsewhere, backends=canary),
    burst(0, refusal, after=[taker.own_syn()]),
    setup=rules({**api, "generation": "new"}, backends=canary),
    counters=[flows("page4/b2", live=1, new=2, refused=1, requests=0),
              spliced("page4", requests=1, rule_0=1, retries=1)])

row("a request that a rule made not sticky stays so in a retry, whatever the rules are meanwhile",
    burst(0, talk.hold(API), after=[talk.own_syn()]),
    after_reload(elsewhere, affinity="cookie",
                 backends=[backend("b1", 4, 8080), backend("b2", 4, 8080)]),
    burst(0, talk.server_takes("splice_taken", flags="RA", ack=0, at=-1, window=0),
          after=[taker.own_syn()]),
    burst(0, taker.syn_ack(), after=[taker.own_ack(), taker.lets_go(API)]),
    burst(0, taker.down("PA", ack=len(API), payload=OK)),
    setup=rules({**api, "sticky": False}, affinity="cookie"),
    counters=[flows("page4/b1", live=0, new=1, refused=1, requests=0),
              flows("page4/b2", live=1, new=1),
              spliced("page4", requests=1, rule_0=1, retries=1)])
