# Rows about rules of spliced services: what they deny, redirect, limit, and send to a generation.
from network import backend, service, setup
from row import burst, flows, row, spliced
from splice_talk import OK, READING_WINDOW, Spliced, answer, get, session

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
                            ack=len(request), payload=text, window=READING_WINDOW >> 7)),
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
