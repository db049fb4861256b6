// Plays a row: gives packets to the pipeline, does what their verdicts say, compares.
#include "row_run.h"

#include <stdexcept>

#include "difference.h"
#include "entropy.h"
#include "hawser/pipeline/verdict.h"

namespace hawser::spec {
namespace {

using Lines = std::vector<std::string>;

std::string number(std::size_t value) {
  return std::to_string(value);
}

// Adds numbers of `more` to those of `total`, by name.
void add(Json& total, const Json& more) {
  for (const auto& [key, value] : more.items()) {
    if (value.is_object()) {
      if (!total.contains(key)) total[key] = Json::object();
      add(total[key], value);
    } else {
      total[key] = total.value(key, std::uint64_t{0}) + value.get<std::uint64_t>();
    }
  }
}

class RowRun {
 public:
  RowRun(const Row& row, FramePool& pool, By by)
      : row_(row), pool_(pool), by_(by), world_(row.setup, pool), counters_(row.counters) {}

  [[nodiscard]] Lines run() {
    for (std::size_t i = 0; i < row_.steps.size(); ++i) {
      where_ = "step " + number(i + 1);
      std::visit([this](const auto& step) { take(step); }, row_.steps[i]);
    }
    compare_counters();
    for (const std::string& line : world_.contradictions()) lines_.push_back(line);
    return lines_;
  }

 private:
  template <typename Change>
  void take(const Change& change) {
    world_.apply(change);
  }

  void take(const BurstStep& step) {
    world_.restock(step.worker);
    pipeline::Burst burst;
    burst.size = static_cast<std::uint32_t>(step.frames.size());
    burst.again = by_ == By::kStages;  // what was held goes through all stages
    for (std::size_t i = 0; i < burst.size; ++i) burst.packets[i] = received(step.frames[i]);
    world_.run(burst, step.worker, step.at_ms);
    for (std::size_t i = 0; i < burst.size; ++i) {
      check(step.frames[i], burst.packets[i], ", frame " + number(i + 1) + ": ", step.worker);
    }
    std::size_t done = 0;
    take_finished(step.after, done, step.worker);
    while (world_.outbox(step.worker).take_released(burst)) {
      world_.run(burst, step.worker, step.at_ms);
      for (const pipeline::Packet& packet : burst.span()) {
        take_after(step.after, done++, packet, step.worker);
      }
      take_finished(step.after, done, step.worker);
    }
    expect_no_more(step.after, done);
  }

  void take(const TickStep& step) {
    world_.tick(step.worker, step.at_ms);
    std::size_t done = 0;
    take_finished(step.after, done, step.worker);
    expect_no_more(step.after, done);
  }

  pipeline::Packet received(const FrameCase& frame) {
    GuardedFrame* buffer = pool_.take();
    pipeline::Packet packet;
    packet.data = buffer->place(frame.in, frame.capacity);
    packet.handle = buffer;
    packet.length = static_cast<std::uint16_t>(frame.length);
    packet.contiguous = static_cast<std::uint16_t>(frame.in.size());
    packet.capacity = static_cast<std::uint16_t>(frame.capacity);
    packet.port_in = frame.port;
    packet.ip_checksum = frame.ip_checksum;
    packet.transport_checksum = frame.transport_checksum;
    return packet;
  }

  // --- what the adapter does with packets ------------------------------------------------------

  void take_finished(const std::vector<FrameCase>& after, std::size_t& done, std::uint16_t worker) {
    pipeline::Outbox& outbox = world_.outbox(worker);
    for (const pipeline::Packet& packet : outbox.finished()) {
      take_after(after, done++, packet, worker);
    }
    outbox.clear_finished();
  }

  void take_after(const std::vector<FrameCase>& after, std::size_t index,
                  const pipeline::Packet& packet, std::uint16_t worker) {
    const std::string which = ", after it " + number(index + 1) + ": ";
    if (index < after.size()) return check(after[index], packet, which, worker);
    say(which + "nobody expected " + std::string(pipeline::info(packet.verdict).name));
    give_back(packet, which);
  }

  void expect_no_more(const std::vector<FrameCase>& after, std::size_t done) {
    for (std::size_t i = done; i < after.size(); ++i) {
      say(", after it " + number(i + 1) + ": expected " + after[i].verdict + ", got nothing");
    }
  }

  void give_back(const pipeline::Packet& packet, const std::string& which) {
    if (pipeline::kind_of(packet.verdict) == pipeline::VerdictKind::kHold) return;
    auto* frame = static_cast<GuardedFrame*>(packet.handle);
    if (!pool_.give_back(frame)) return say(which + "its buffer came back twice");
    if (!frame->headroom_kept()) say(which + "it was written before its headroom");
  }

  // --- comparing ---------------------------------------------------------------------------------

  void check(const FrameCase& expected, const pipeline::Packet& packet, const std::string& which,
             std::uint16_t worker) {
    for (const std::string& line : differences_of(expected, packet, worker)) say(which + line);
    give_back(packet, which);
  }

  Lines differences_of(const FrameCase& expected, const pipeline::Packet& packet,
                       std::uint16_t worker) {
    const pipeline::VerdictInfo& verdict = pipeline::info(packet.verdict);
    if (verdict.name != expected.verdict) {
      return {"verdict: expected " + expected.verdict + ", got " + std::string(verdict.name)};
    }
    const bool gone = verdict.kind == pipeline::VerdictKind::kDrop ||
                      verdict.kind == pipeline::VerdictKind::kHold;
    if (gone) return {};
    const std::span<const std::uint8_t> out{packet.data, packet.contiguous};
    if (!expected.choices.empty()) return choose(expected, packet, out, worker);
    Lines lines;
    if (packet.length != expected.out_length) {
      lines.push_back("frame length: expected " + number(expected.out_length) + ", got " +
                      number(packet.length));
    }
    Bytes wanted = expected.out;
    if (!expected.entropy.empty()) lines = take_entropy(expected.entropy, wanted, out, entropy_);
    for (const std::string& line : differences(wanted, out)) lines.push_back(line);
    if (expected.out_port && packet.port_out != *expected.out_port) {
      lines.push_back("port out: expected " + number(expected.out_port->value) + ", got " +
                      number(packet.port_out.value));
    }
    if (expected.owner && packet.worker != *expected.owner) {
      lines.push_back("owner: expected worker " + number(expected.owner->value) + ", got " +
                      number(packet.worker.value));
    }
    return lines;
  }

  // The frame must be one of those it may be; what that one counts is expected from now on.
  Lines choose(const FrameCase& expected, const pipeline::Packet& packet,
               std::span<const std::uint8_t> out, std::uint16_t worker) {
    Lines lines;
    for (const Choice& choice : expected.choices) {
      const Lines wrong = differences(choice.out, out);
      const bool fits = wrong.empty() && packet.port_out == choice.out_port;
      if (fits) {
        add(counters_.at(worker), choice.counters);
        return keep_to_label(expected.label, choice.backend);
      }
      for (const std::string& line : wrong) {
        std::string named = "if " + choice.backend;
        lines.push_back(named.append(": ").append(line));
      }
    }
    return lines;
  }

  Lines keep_to_label(const std::string& label, const std::string& backend) {
    if (label.empty()) return {};
    for (const auto& [other, taken] : labels_) {
      if ((other == label) == (taken == backend)) continue;
      std::string line = label + " is at " + backend;
      return {line.append(", ").append(other).append(" was at ").append(taken)};
    }
    labels_.emplace(label, backend);
    return {};
  }

  void compare_counters() {
    std::vector<Json> actual;
    for (std::size_t worker = 0; worker < counters_.size(); ++worker) {
      actual.push_back(world_.counters(static_cast<std::uint16_t>(worker)));
    }
    where_ = "counters";
    for (const Range& range : row_.ranges) {
      compare_range(range, actual.at(range.worker), counters_.at(range.worker));
    }
    for (std::size_t worker = 0; worker < counters_.size(); ++worker) {
      const std::string path = "worker " + number(worker);
      for (const std::string& line : differences(counters_[worker], actual[worker], path)) {
        say(": " + line);
      }
    }
  }

  // A counter that only has bounds: checked, and taken out of the comparison if the row does not
  // know it exactly anyway.
  void compare_range(const Range& range, Json& actual, const Json& expected) {
    Json* at = &actual;
    const Json* exact = &expected;
    std::string name;
    for (const std::string& key : range.path) {
      name.append(" ").append(key);
      at = at->contains(key) ? &(*at)[key] : nullptr;
      exact = exact != nullptr && exact->contains(key) ? &exact->at(key) : nullptr;
      if (at == nullptr) break;
    }
    const std::uint64_t value = at == nullptr ? 0 : at->get<std::uint64_t>();
    if (value < range.least || value > range.most) {
      say(name + ": expected " + number(range.least) + " to " + number(range.most) + ", got " +
          number(value));
    }
    if (exact == nullptr && range.path.size() == 1) actual.erase(range.path.front());
  }

  void say(const std::string& line) { lines_.push_back(where_ + line); }

  const Row& row_;
  FramePool& pool_;
  By by_;
  World world_;
  std::vector<Json> counters_;  // expected by worker; grows by what is chosen
  std::map<std::string, Bytes> entropy_;
  std::map<std::string, std::string> labels_;
  std::string where_;
  Lines lines_;
};

}  // namespace

std::vector<std::string> run_row(const Row& row, FramePool& pool, By by) {
  pool.recall();
  try {
    return RowRun(row, pool, by).run();
  } catch (const std::exception& wrong) {
    return {std::string("row is broken: ") + wrong.what()};
  }
}

}  // namespace hawser::spec
