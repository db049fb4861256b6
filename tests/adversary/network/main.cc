// hawser-adversary: joins pairs of interfaces into hostile links until it is told to end.
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <time.h>

#include "network/direction.h"
#include "network/port.h"

namespace {

using hawser::adversary::Announced;
using hawser::adversary::Counts;
using hawser::adversary::Direction;
using hawser::adversary::Faults;
using hawser::adversary::Frame;
using hawser::adversary::Nanoseconds;
using hawser::adversary::Port;

Nanoseconds now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return Nanoseconds{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Frames that come from `in` suffer and leave by `out`.
class Way {
 public:
  Way(Port& in, Port& out, const Faults& faults, std::uint64_t seed, Announced& announced)
      : in_(in), out_(out), direction_(faults, seed, out.mtu(), announced) {}

  [[nodiscard]] pollfd waits_for() const { return {in_.descriptor(), POLLIN, 0}; }
  [[nodiscard]] Direction& direction() { return direction_; }

  void forward(bool readable) {
    ready_.clear();
    const Nanoseconds time = now();
    if (readable) {
      in_.receive([this, time](std::span<const std::uint8_t> bytes) {
        direction_.put(bytes, time, ready_);
      });
    }
    direction_.tick(time, ready_);
    if (!ready_.empty()) direction_.counts().unsent += out_.send(ready_);
  }

  const Counts& counts() {
    direction_.counts().missed += in_.missed();
    return direction_.counts();
  }

 private:
  Port& in_;
  Port& out_;
  Direction direction_;
  std::vector<Frame> ready_;
};

struct Link {
  Link(const std::string& first, const std::string& second, const Faults& there, const Faults& back,
       std::uint64_t seed)
      : a(first),
        b(second),
        a_to_b(a, b, there, hawser::adversary::derived(seed, 0), announced),
        b_to_a(b, a, back, hawser::adversary::derived(seed, 1), announced) {}
  Port a;
  Port b;
  Announced announced;
  Way a_to_b;
  Way b_to_a;
};

using Links = std::vector<std::unique_ptr<Link>>;

void report(const Links& links, std::uint64_t seed) {
  Counts there;
  Counts back;
  std::string rows;
  for (const auto& link : links) {
    const Counts& one = link->a_to_b.counts();
    const Counts& other = link->b_to_a.counts();
    there.add(one);
    back.add(other);
    rows += (rows.empty() ? "" : ", ") + std::string("{\"a\": \"") + link->a.name() +
            "\", \"b\": \"" + link->b.name() + "\", \"there\": " + one.json() +
            ", \"back\": " + other.json() + "}";
  }
  std::printf("{\"seed\": %llu, \"there\": %s, \"back\": %s, \"pairs\": [%s]}\n",
              static_cast<unsigned long long>(seed), there.json().c_str(), back.json().c_str(),
              rows.c_str());
  std::fflush(stdout);
}

// Until the next thing is due; nothing when only a frame or a signal can wake it.
const timespec* until_due(const std::vector<Way*>& ways, timespec& time) {
  std::optional<Nanoseconds> first;
  for (Way* way : ways) {
    const auto due = way->direction().deadline();
    if (due && (!first || *due < *first)) first = due;
  }
  if (!first) return nullptr;
  const Nanoseconds wait = std::max<Nanoseconds>(*first - now(), 0);
  time = {wait / 1'000'000'000, static_cast<long>(wait % 1'000'000'000)};
  return &time;
}

// Returns on SIGTERM or SIGINT.
void run(const Links& links, std::uint64_t seed) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int signal_descriptor = signalfd(-1, &signals, SFD_CLOEXEC);

  std::vector<Way*> ways;
  std::vector<pollfd> waits;
  for (const auto& link : links) {
    ways.push_back(&link->a_to_b);
    ways.push_back(&link->b_to_a);
  }
  for (const Way* way : ways) waits.push_back(way->waits_for());
  waits.push_back({signal_descriptor, POLLIN, 0});
  std::fprintf(stderr, "hawser-adversary: %zu links, seed %llu\n", links.size(),
               static_cast<unsigned long long>(seed));
  for (;;) {
    timespec time{};
    const int ready = ppoll(waits.data(), waits.size(), until_due(ways, time), nullptr);
    if (ready < 0 && errno != EINTR) throw std::runtime_error("ppoll failed");
    for (std::size_t i = 0; i < ways.size(); ++i) ways[i]->forward(waits[i].revents != 0);
    if (waits.back().revents == 0) continue;
    signalfd_siginfo signal{};
    if (read(signal_descriptor, &signal, sizeof(signal)) != sizeof(signal)) continue;
    report(links, seed);
    if (signal.ssi_signo != SIGUSR1) break;
  }
  close(signal_descriptor);
}

// Faults for one direction: those of both, and then its own.
Faults read(const std::vector<std::string>& texts, const char* option) {
  Faults faults;
  for (const std::string& text : texts) {
    const std::string wrong = hawser::adversary::read_faults(text, faults);
    if (!wrong.empty()) throw std::runtime_error(std::string(option) + ": " + wrong);
  }
  return faults;
}

int join(const std::vector<std::string>& pairs, const Faults& there, const Faults& back,
         std::uint64_t seed) {
  Links links;
  for (const std::string& pair : pairs) {
    const std::size_t colon = pair.find(':');
    if (colon == std::string::npos) throw std::runtime_error("--pair A:B, not \"" + pair + "\"");
    links.push_back(std::make_unique<Link>(pair.substr(0, colon), pair.substr(colon + 1), there,
                                           back, hawser::adversary::derived(seed, links.size())));
  }
  run(links, seed);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Joins pairs of interfaces at layer 2 and lets TCP segments suffer on the way.\n"
      "Faults are written as loss=0.01,split=0.2 and so on; an unknown name lists all of them.\n"
      "Counts are printed as JSON on SIGUSR1 and at the end (SIGTERM, SIGINT)."};
  std::vector<std::string> pairs;
  std::vector<std::string> both;
  std::vector<std::string> there;
  std::vector<std::string> back;
  std::uint64_t seed = 1;
  app.add_option("--pair", pairs, "A:B, two interfaces to join; may be given again")->required();
  app.add_option("--faults", both, "for both directions");
  app.add_option("--there", there, "for frames from A to B, over those of --faults");
  app.add_option("--back", back, "for frames from B to A, over those of --faults");
  app.add_option("--seed", seed, "what all decisions follow from")->capture_default_str();
  app.set_config("--profile", "", "a file of these options, as name = \"value\" lines");
  CLI11_PARSE(app, argc, argv);
  try {
    there.insert(there.begin(), both.begin(), both.end());
    back.insert(back.begin(), both.begin(), both.end());
    return join(pairs, read(there, "--there"), read(back, "--back"), seed);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hawser-adversary: %s\n", error.what());
    return 1;
  }
}
