// Runs the packet rows that generate.py wrote through the pipeline and reports in TAP.
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "difference.h"
#include "guarded_frame.h"
#include "hawser/pipeline/verdict.h"
#include "script.h"
#include "world.h"

namespace hawser::spec {
namespace {

using Lines = std::vector<std::string>;
using Buffers = std::array<GuardedFrame, limits::kBurst>;

// The row that runs, for the handler below.
const char* running_title = "";

// A packet read or wrote beyond its frame: say in which row, then die as usual.
void on_bad_access(int signal_number) {
  constexpr std::string_view kText = "\nBail out! memory beyond the frame was touched in row: ";
  (void)!write(STDOUT_FILENO, kText.data(), kText.size());
  (void)!write(STDOUT_FILENO, running_title, std::strlen(running_title));
  (void)!write(STDOUT_FILENO, "\n", 1);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

pipeline::Packet to_packet(const FrameCase& frame, GuardedFrame& buffer) {
  pipeline::Packet packet;
  packet.data = buffer.place(frame.in, frame.capacity);
  packet.length = static_cast<std::uint32_t>(frame.length);
  packet.contiguous = static_cast<std::uint16_t>(frame.in.size());
  packet.capacity = static_cast<std::uint16_t>(frame.capacity);
  packet.port_in = frame.port;
  packet.ip_checksum = frame.ip_checksum;
  packet.transport_checksum = frame.transport_checksum;
  return packet;
}

std::string number(std::size_t value) {
  return std::to_string(value);
}

void check_frame(const FrameCase& expected, const pipeline::Packet& packet, Lines& lines) {
  const pipeline::VerdictInfo& verdict = pipeline::info(packet.verdict);
  if (verdict.name != expected.verdict) {
    lines.push_back("verdict: expected " + expected.verdict + ", got " + std::string(verdict.name));
    return;
  }
  if (verdict.kind == pipeline::VerdictKind::kDrop) return;
  if (packet.length != expected.out_length) {
    lines.push_back("frame length: expected " + number(expected.out_length) + ", got " +
                    number(packet.length));
  }
  const std::span<const std::uint8_t> out{packet.data, packet.contiguous};
  const Lines bytes = differences(expected.out, out);
  lines.insert(lines.end(), bytes.begin(), bytes.end());
  if (expected.out_port && packet.port_out != *expected.out_port) {
    lines.push_back("port out: expected " + number(expected.out_port->value) + ", got " +
                    number(packet.port_out.value));
  }
  if (expected.owner && packet.worker != *expected.owner) {
    lines.push_back("owner: expected worker " + number(expected.owner->value) + ", got " +
                    number(packet.worker.value));
  }
}

class RowRun {
 public:
  RowRun(const Row& row, Buffers& buffers) : row_(row), buffers_(buffers), world_(row.setup) {}

  // What was not as the row says; empty when all was.
  [[nodiscard]] Lines run() {
    for (std::size_t i = 0; i < row_.steps.size(); ++i) {
      step_ = i + 1;
      std::visit([this](const auto& step) { take(step); }, row_.steps[i]);
    }
    for (std::size_t worker = 0; worker < row_.counters.size(); ++worker) {
      const Json actual = world_.counters(static_cast<std::uint16_t>(worker));
      append(differences(row_.counters[worker], actual, "worker " + number(worker)), "counters: ");
    }
    return lines_;
  }

 private:
  template <typename Change>
  void take(const Change& change) {
    world_.apply(change);
  }

  void take(const BurstStep& step) {
    pipeline::Burst burst;
    burst.size = static_cast<std::uint32_t>(step.frames.size());
    for (std::size_t i = 0; i < burst.size; ++i) {
      burst.packets[i] = to_packet(step.frames[i], buffers_[i]);
    }
    world_.run(burst, step.worker, step.at);
    for (std::size_t i = 0; i < burst.size; ++i) {
      Lines wrong;
      check_frame(step.frames[i], burst.packets[i], wrong);
      append(wrong, "step " + number(step_) + ", frame " + number(i + 1) + ": ");
    }
  }

  void append(const Lines& lines, const std::string& prefix) {
    for (const std::string& line : lines) lines_.push_back(prefix + line);
  }

  const Row& row_;
  Buffers& buffers_;
  World world_;
  std::size_t step_ = 0;
  Lines lines_;
};

Lines run_row(const Row& row, Buffers& buffers) {
  running_title = row.title.c_str();
  try {
    return RowRun(row, buffers).run();
  } catch (const std::exception& wrong) {
    return {std::string("row is broken: ") + wrong.what()};
  }
}

// Every verdict but `undecided` that no frame of the rows expects.
Lines unreached(const std::vector<Row>& rows) {
  std::set<std::string> reached;
  for (const Row& row : rows) {
    for (const Step& step : row.steps) {
      const auto* burst = std::get_if<BurstStep>(&step);
      if (burst == nullptr) continue;
      for (const FrameCase& frame : burst->frames) reached.insert(frame.verdict);
    }
  }
  Lines lines;
  for (const pipeline::VerdictInfo& info : pipeline::kVerdictTable) {
    if (info.verdict == pipeline::Verdict::kUndecided) continue;
    if (!reached.contains(std::string(info.name))) {
      lines.push_back("no row reaches the verdict " + std::string(info.name));
    }
  }
  return lines;
}

bool report(std::size_t index, const std::string& title, const Lines& lines) {
  std::printf("%s %zu - %s\n", lines.empty() ? "ok" : "not ok", index, title.c_str());
  for (const std::string& line : lines) std::printf("# %s\n", line.c_str());
  std::fflush(stdout);
  return lines.empty();
}

std::vector<Row> read_rows(const char* path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(std::string("cannot read ") + path);
  std::vector<Row> rows;
  std::string line;
  while (std::getline(file, line)) rows.push_back(read_row(Json::parse(line)));
  return rows;
}

int run_file(const char* path) {
  const std::vector<Row> rows = read_rows(path);
  std::printf("1..%zu\n", rows.size() + 1);
  const auto buffers = std::make_unique<Buffers>();
  bool good = true;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    good &= report(i + 1, rows[i].title, run_row(rows[i], *buffers));
  }
  good &= report(rows.size() + 1, "every verdict is reached by a row", unreached(rows));
  return good ? 0 : 1;
}

}  // namespace
}  // namespace hawser::spec

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: spec_test ROWS-FILE\n");
    return 2;
  }
  for (const int number : {SIGSEGV, SIGBUS}) signal(number, hawser::spec::on_bad_access);
  try {
    return hawser::spec::run_file(arguments[1]);
  } catch (const std::exception& wrong) {
    std::printf("Bail out! %s\n", wrong.what());
    return 1;
  }
}
