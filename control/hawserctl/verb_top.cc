// The verb `top`: live on a terminal, view after view elsewhere.
#include <optional>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "terminal.h"
#include "top.h"
#include "verbs.h"

namespace hawser::ctl {
namespace {

struct Order {
  std::string key = "name";
  bool reverse = false;
};

Outcome<Sample> sample(const Session& session) {
  auto reply = session.client.backends(session.arguments.text("--service"), "", session.from_now());
  if (!reply) return reply.failure();
  return Sample{std::chrono::steady_clock::now(), std::move(*reply)};
}

std::string frame(const Session& session, const Sample& before, const Sample& now,
                  const Order& order) {
  std::vector<TopRow> rows = top_rows(before, now);
  sort_rows(rows, order.key, order.reverse);
  return session.json ? dump_line(top_json(rows)) : top_view(rows, session.paint);
}

// `count` views, each after an interval; 0: until interrupted.
Verdict run_batch(const Session& session, std::uint64_t count, std::chrono::milliseconds interval,
                  const Order& order) {
  auto before = sample(session);
  if (!before) return before.failure();
  for (std::uint64_t shown = 0; count == 0 || shown < count; ++shown) {
    std::this_thread::sleep_for(interval);
    auto now = sample(session);
    if (!now) return now.failure();
    if (shown != 0 && !session.json) session.console.out << "\n";
    session.console.out << frame(session, *before, *now, order) << std::flush;
    if (!session.console.out) return ExitCode::kFailed;  // nobody reads any more
    before = std::move(now);
  }
  return ExitCode::kOk;
}

void apply_key(char key, Order& order) {
  if (key == 'r') order.reverse = !order.reverse;
  for (const SortKey& sort : sort_keys()) {
    if (sort.key == key) order = {std::string(sort.word), false};
  }
}

std::string title(const Order& order, const Paint& paint) {
  std::string keys;
  for (const SortKey& sort : sort_keys()) keys += fmt::format("{} {}  ", sort.key, sort.word);
  return paint(Tone::kFaint, fmt::format("sorted by {}{}   {}r reverse  q quit", order.key,
                                         order.reverse ? ", reversed" : "", keys)) +
         "\n";
}

// Samples every interval, redraws at once after a key.
Verdict run_live(const Session& session, std::chrono::milliseconds interval, Order order) {
  auto now = sample(session);
  if (!now) return now.failure();
  Sample before = *now;
  const Screen screen;
  std::string trouble;
  auto next = std::chrono::steady_clock::now() + interval;
  for (;;) {
    screen.show(title(order, session.paint) + trouble + frame(session, before, *now, order));
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now());
    const Pause pause = screen.pause(std::max(left, std::chrono::milliseconds(0)));
    if (pause.wake == Wake::kQuit) return ExitCode::kOk;
    if (pause.wake == Wake::kKey) {
      apply_key(pause.key, order);
      continue;
    }
    next = std::chrono::steady_clock::now() + interval;
    auto newer = sample(session);
    if (!newer) {
      // hawserd may be restarting; traffic goes on, and so do we.
      trouble = session.paint(Tone::kBad, printable(newer.failure().what)) + "\n";
      continue;
    }
    trouble.clear();
    before = std::move(*now);
    now = std::move(newer);
  }
}

}  // namespace

Verdict run_top(const Session& session) {
  const Arguments& arguments = session.arguments;
  const auto interval = arguments.seconds("--interval", std::chrono::seconds(1));
  const Order order{arguments.has("--sort") ? arguments.text("--sort") : "name", false};
  const std::uint64_t count = arguments.has("--once") ? 1 : arguments.number("--count", 0);
  const bool live = session.console.terminal && count == 0 && !session.json;
  return live ? run_live(session, interval, order) : run_batch(session, count, interval, order);
}

}  // namespace hawser::ctl
