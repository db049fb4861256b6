// The controller's side of the keys that sign session cookies: make, adopt, rotate.
#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "authorship.h"
#include "controller.h"
#include "random_bytes.h"

namespace hawser::control {
namespace {

constexpr const char* kSelf = "hawserd";

KeyRing adopted(const std::vector<model::CookieKey>& keys, std::uint64_t now_unix) {
  KeyRing ring;
  for (const model::CookieKey& key : keys) {
    ring.push_back({.key = key,
                    .by = {kSelf, "adopted from the running dataplane", now_unix},
                    .confirmed = true});
  }
  return ring;
}

// Of a change of the keys, without any secret.
HistoryEntry entry_of(const KeyRing& before, const KeyRing& after, bool forced) {
  const auto id = [](const KeyRing& ring) {
    return ring.empty() ? std::string() : std::to_string(ring.front().key.id);
  };
  Authorship by = after.empty() ? Authorship() : after.front().by;
  by.forced = forced;
  return {.service = "",
          .backend = "",
          .field = "cookie_key",
          .before = id(before),
          .after = id(after),
          .by = by};
}

// Whom a forced rotation hurts; empty: nobody.
std::string unpinned(const KeyRing& before, const KeyRing& after) {
  for (const KeyRecord& record : before) {
    const bool kept = std::find(after.begin(), after.end(), record) != after.end();
    if (kept || !record.confirmed) continue;
    return fmt::format(
        "forced: users whose cookie key {} signed and who have not been back since "
        "are unpinned",
        record.key.id);
  }
  return {};
}

RotateOutcome refusal(Failure failure, std::string message) {
  RotateOutcome outcome;
  outcome.change.failure = failure;
  outcome.change.message = std::move(message);
  return outcome;
}

}  // namespace

std::uint64_t Controller::lifetime_of_cookies() const {
  return control::lifetime_of_cookies(runtime_.configuration().services);
}

KeysView Controller::keys() const {
  const std::lock_guard lock(mutex_);
  return view_of(keys_, lifetime_of_cookies(), now());
}

// A running dataplane's keys win over none, and over keys it was told by somebody else; but not
// over a rotation that it has not been told yet.
bool Controller::adopts_cookie_keys(const std::optional<model::Desired>& running) const {
  if (!running || running->cookie_keys.empty()) return false;
  if (keys_.empty()) return true;
  const bool known = std::any_of(keys_.begin(), keys_.end(), [&](const KeyRecord& record) {
    return record.key == running->cookie_keys.front();
  });
  return !known && keys_.front().confirmed;
}

// Under mutex_.
void Controller::ensure_cookie_keys(const std::optional<model::Desired>& running) {
  KeyRing ring = keys_;
  if (adopts_cookie_keys(running)) {
    ring = adopted(running->cookie_keys, now());
    spdlog::info("took the cookie keys of the running dataplane, key {} signs",
                 ring.front().key.id);
  } else if (keys_.empty()) {
    KeySecret secret{};
    const Result<void> drawn = fill_random(secret, "a cookie key");
    if (!drawn) {
      spdlog::error("{}", drawn.error().message);
      return;
    }
    ring = rotated({}, secret, {kSelf, "the first key", now()});
  }
  if (ring != keys_) {
    const Result<void> stored = journal_->set_cookie_keys(ring, entry_of(keys_, ring, false));
    if (!stored) spdlog::error("{}", stored.error().message);
    keys_ = std::move(ring);
  }
  const bool signs =
      running && !running->cookie_keys.empty() && running->cookie_keys.front() == keys_.front().key;
  if (signs) note_keys_taken();
}

// Under mutex_.
void Controller::note_keys_taken() {
  if (keys_.empty() || keys_.front().confirmed) return;
  keys_.front().confirmed = true;
  keys_.front().by.since_unix = now();
  const Result<void> stored = journal_->set_cookie_keys(keys_, std::nullopt);
  if (!stored) spdlog::error("{}", stored.error().message);
}

RotateOutcome Controller::rotate_keys(const RotateOrder& order) {
  const std::lock_guard one_at_a_time(change_mutex_);
  Lock lock(mutex_);
  const Result<void> authorship = check_authorship(order.author, order.reason);
  if (!authorship) return refusal(Failure::kInvalid, authorship.error().message);
  if (keys_.empty()) {
    return refusal(Failure::kRefused,
                   "there is no key yet: the first one is made when the dataplane connects");
  }
  const std::uint64_t lifetime = lifetime_of_cookies();
  const Result<void> allowed = may_rotate(keys_, lifetime, now());
  if (!allowed && !order.force) return refusal(Failure::kRefused, allowed.error().message);
  KeySecret secret{};
  const Result<void> drawn = fill_random(secret, "a cookie key");
  if (!drawn) return refusal(Failure::kInternal, drawn.error().message);
  const KeyRing before = keys_;
  KeyRing after = rotated(before, secret, {author_or_unknown(order.author), order.reason, now()});
  RotateOutcome outcome;
  const std::string hurt = allowed ? std::string() : unpinned(before, after);
  if (order.dry_run) {
    outcome.change.note = hurt;
    outcome.keys = view_of(after, lifetime, now());
    return outcome;
  }
  const HistoryEntry entry = entry_of(before, after, !allowed);
  const Result<void> stored = journal_->set_cookie_keys(after, entry);
  if (!stored) return refusal(Failure::kInternal, stored.error().message);
  keys_ = std::move(after);
  tell({.kind = EventKind::kKeys,
        .service = {},
        .backend = {},
        .text =
            fmt::format("cookie keys rotated: key {} signs, key {} counts{}", keys_.front().key.id,
                        keys_.back().key.id, allowed ? "" : ", past a guard"),
        .author = entry.by.author,
        .reason = entry.by.reason});
  publish();
  bool refused = false;
  settle(lock, outcome.change, refused);
  if (refused) {
    keys_ = before;
    HistoryEntry back = entry_of(keys_, before, false);
    back.before = entry.after;
    back.by = {entry.by.author, outcome.change.message, now()};
    const Result<void> undone = journal_->set_cookie_keys(keys_, back);
    if (!undone) spdlog::error("{}", undone.error().message);
    publish();
  } else if (!hurt.empty()) {
    outcome.change.note = hurt + (outcome.change.note.empty() ? "" : "; " + outcome.change.note);
  }
  outcome.keys = view_of(keys_, lifetime, now());
  return outcome;
}

}  // namespace hawser::control
