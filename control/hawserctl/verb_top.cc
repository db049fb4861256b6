// The verb `top`: live on a terminal, view after view elsewhere.
#include <algorithm>
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

// Lines of the screen that are no rows: keys, totals, titles, and the last, which stays free.
constexpr std::size_t kOtherLines = 4;

Outcome<Sample> sample(const Session& session) {
  auto reply = session.client.backends(session.arguments.text("--service"), "", session.from_now());
  if (!reply) return reply.failure();
  return Sample{std::chrono::steady_clock::now(), std::move(*reply)};
}

std::string frame(const Session& session, const Sample& before, const Sample& now,
                  const Order& order, const TopPlace& place) {
  std::vector<TopRow> rows = top_rows(before, now);
  sort_rows(rows, order.key, order.reverse);
  return session.json ? dump_line(top_json(rows)) : top_view(rows, session.paint, place);
}

// `count` views, each after an interval; 0: until interrupted.
Verdict run_batch(const Session& session, std::uint64_t count, std::chrono::milliseconds interval,
                  const Order& order) {
  auto before = sample(session);
  if (!before) return before.failure();
  const TopPlace place{.columns = session.console.terminal ? screen_size().columns : 0};
  for (std::uint64_t shown = 0; count == 0 || shown < count; ++shown) {
    std::this_thread::sleep_for(interval);
    auto now = sample(session);
    if (!now) return now.failure();
    if (shown != 0 && !session.json) session.console.out << "\n";
    session.console.out << frame(session, *before, *now, order, place) << std::flush;
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

// The first row to be shown after a key.
std::size_t scrolled(char key, std::size_t first, std::size_t page, std::size_t rows) {
  const std::size_t last = rows > page ? rows - page : 0;
  if (key == kKeyUp) return first > 0 ? first - 1 : 0;
  if (key == kKeyDown) return std::min(first + 1, last);
  if (key == kKeyPageUp) return first > page ? first - page : 0;
  if (key == kKeyPageDown) return std::min(first + page, last);
  if (key == kKeyEnd) return last;
  return key == kKeyHome ? 0 : std::min(first, last);
}

std::string title(const Order& order, const Paint& paint) {
  std::string keys;
  for (const SortKey& sort : sort_keys()) keys += fmt::format("{} {}  ", sort.key, sort.word);
  return paint(Tone::kFaint, fmt::format("sorted by {}{}   {}r reverse  arrows, page keys  q quit",
                                         order.key, order.reverse ? ", reversed" : "", keys)) +
         "\n";
}

// Samples every interval, redraws at once after a key.
Verdict run_live(const Session& session, std::chrono::milliseconds interval, Order order) {
  auto now = sample(session);
  if (!now) return now.failure();
  Sample before = *now;
  const Screen screen;
  std::string trouble;
  TopPlace place;
  auto next = std::chrono::steady_clock::now() + interval;
  for (;;) {
    const ScreenSize size = screen_size();
    const std::size_t other = kOtherLines + (trouble.empty() ? 0 : 1);
    place.columns = size.columns;
    place.rows = size.lines > other ? size.lines - other : 1;
    const auto rows = static_cast<std::size_t>(now->backends.backends_size());
    place.first = scrolled(0, place.first, place.rows, rows);
    screen.show(title(order, session.paint) + trouble + frame(session, before, *now, order, place));
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now());
    const Pause pause = screen.pause(std::max(left, std::chrono::milliseconds(0)));
    if (pause.wake == Wake::kQuit) return ExitCode::kOk;
    if (pause.wake == Wake::kKey) {
      apply_key(pause.key, order);
      place.first = scrolled(pause.key, place.first, place.rows, rows);
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
