// The verb `capture`: packets from the dataplane into a pcapng file.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "backend_filter.h"
#include "capture_syntax.h"
#include "hawser/base/limits.h"
#include "interrupt.h"
#include "output_file.h"
#include "pcapng.h"
#include "units.h"
#include "verbs.h"

namespace hawser::ctl {
namespace {

std::uint64_t now_nanoseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

path::CaptureSide side_of(const std::string& word) {
  if (word == "received") return path::RECEIVED;
  return word == "sent" ? path::SENT : path::BOTH_SIDES;
}

// What the file says about itself: the command line without the names of the files.
std::string description_of(const path::Capture& wanted) {
  std::string text = "hawserctl capture";
  const auto add = [&](std::string_view option, const std::string& value) {
    if (!value.empty()) text += fmt::format(" {} {}", option, value);
  };
  add("--service", wanted.service());
  add("--backend", wanted.backend());
  add("--client", wanted.client());
  for (const std::string& verdict : wanted.verdicts()) add("--verdict", verdict);
  if (wanted.side() != path::BOTH_SIDES) {
    add("--side", wanted.side() == path::SENT ? "sent" : "received");
  }
  if (wanted.snap() != 0) add("--snap", fmt::format("{}", wanted.snap()));
  if (wanted.sample() > 1) add("--sample", fmt::format("1/{}", wanted.sample()));
  return text;
}

std::string comment_of(const path::CapturedFrame& frame) {
  std::string text = fmt::format("verdict {}", frame.verdict());
  if (!frame.service().empty()) text += fmt::format(", service {}", frame.service());
  if (!frame.backend().empty()) text += fmt::format(", backend {}", frame.backend());
  text += fmt::format(", worker {}", frame.worker());
  if (frame.made()) text += ", made by the balancer";
  if (frame.changes().empty()) return text;
  text += "; changed: ";
  for (int i = 0; i < frame.changes_size(); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", frame.changes(i));
  }
  return text;
}

// One capture on its way into its file.
class Recording {
 public:
  Recording(OutputFile& file, const path::Capture& wanted) : file_(file), wanted_(wanted) {}

  // False when no more can be written.
  [[nodiscard]] bool take(const path::CaptureReply& part) {
    std::string blocks;
    if (part.ports_size() != 0) blocks = head(part);
    for (const path::CapturedFrame& frame : part.frames()) {
      blocks += pcapng::enhanced_packet({.interface = frame.port(),
                                         .unix_nanoseconds = frame.unix_nanoseconds(),
                                         .length = frame.length(),
                                         .data = frame.data(),
                                         .sent = frame.sent(),
                                         .comment = comment_of(frame)});
    }
    if (!write(blocks)) return false;
    for (const path::CapturedFrame& frame : part.frames()) {
      if (frame.port() < frames_.size()) ++frames_[frame.port()];
    }
    counts_.assign(part.counts().begin(), part.counts().end());
    return true;
  }

  // The statistics, which end the file.
  void finish() {
    if (begun_ == 0 || wrote_ != OutputFile::Wrote::kAll) return;
    std::string blocks;
    const std::uint64_t ended = now_nanoseconds();
    for (std::size_t port = 0; port < counts_.size() && port < frames_.size(); ++port) {
      const path::CaptureCounts& one = counts_[port];
      blocks += pcapng::interface_statistics(
          {.interface = static_cast<std::uint32_t>(port),
           .begun = begun_,
           .ended = ended,
           .received = one.matched(),
           .accepted = one.matched() - one.sampled_out(),
           .dropped = one.over_rate() + one.ring_full(),
           .delivered = frames_[port],
           .comment = fmt::format("packets: {} matched, {} sampled out, {} dropped over_rate, {} "
                                  "dropped ring_full; frames: {}",
                                  one.matched(), one.sampled_out(), one.over_rate(),
                                  one.ring_full(), frames_[port])});
    }
    if (write(blocks) && !file_.finish()) wrote_ = OutputFile::Wrote::kFailed;
  }

  [[nodiscard]] OutputFile::Wrote wrote() const { return wrote_; }
  [[nodiscard]] std::uint64_t frames() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t one : frames_) sum += one;
    return sum;
  }
  // Over all ports.
  [[nodiscard]] path::CaptureCounts counts() const {
    path::CaptureCounts sum;
    for (const path::CaptureCounts& one : counts_) {
      sum.set_matched(sum.matched() + one.matched());
      sum.set_sampled_out(sum.sampled_out() + one.sampled_out());
      sum.set_over_rate(sum.over_rate() + one.over_rate());
      sum.set_ring_full(sum.ring_full() + one.ring_full());
    }
    return sum;
  }

 private:
  std::string head(const path::CaptureReply& part) {
    begun_ = now_nanoseconds();
    frames_.assign(static_cast<std::size_t>(part.ports_size()), 0);
    std::string blocks =
        pcapng::section_header("hawserctl " HAWSER_VERSION, description_of(wanted_));
    for (const path::CapturePort& port : part.ports()) {
      blocks += pcapng::interface_description({.name = port.name(),
                                               .description = port.device(),
                                               .mac = port.mac(),
                                               .snap = wanted_.snap()});
    }
    return blocks;
  }

  bool write(const std::string& blocks) {
    if (!blocks.empty()) wrote_ = file_.write(blocks);
    return wrote_ == OutputFile::Wrote::kAll;
  }

  OutputFile& file_;
  const path::Capture& wanted_;
  std::uint64_t begun_ = 0;
  std::vector<std::uint64_t> frames_;  // by port
  std::vector<path::CaptureCounts> counts_;
  OutputFile::Wrote wrote_ = OutputFile::Wrote::kAll;
};

Outcome<path::Capture> request_of(const Arguments& arguments) {
  const Outcome<BackendName> name = backend_filter(arguments);
  if (!name) return name.failure();
  path::Capture wanted;
  wanted.set_service(name->service);
  wanted.set_backend(name->backend);
  wanted.set_client(arguments.text("--client"));
  for (const std::string& verdict : arguments.texts("--verdict")) wanted.add_verdicts(verdict);
  wanted.set_side(side_of(arguments.text("--side")));
  wanted.set_snap(static_cast<std::uint32_t>(arguments.number("--snap", 0)));
  wanted.set_sample(parse_sample(arguments.text("--sample")).value_or(1));
  wanted.set_frames(arguments.number("--count", 0));
  wanted.set_milliseconds(static_cast<std::uint64_t>(
      arguments.seconds("--seconds", std::chrono::milliseconds(0)).count()));
  return wanted;
}

std::string_view word_of(CaptureEnd end, const Recording& recording, const path::Capture& wanted) {
  switch (end) {
    case CaptureEnd::kEnough:
      return "reader_left";
    case CaptureEnd::kInterrupted:
      return "interrupted";
    case CaptureEnd::kLimit:
      break;
  }
  return wanted.frames() != 0 && recording.frames() >= wanted.frames() ? "count" : "seconds";
}

Json summary(const std::string& file, const Recording& recording, std::string_view ended) {
  const path::CaptureCounts counts = recording.counts();
  Json json;
  json["file"] = file;
  json["ended"] = ended;
  json["frames"] = recording.frames();
  json["matched"] = counts.matched();
  json["sampled_out"] = counts.sampled_out();
  json["over_rate"] = counts.over_rate();
  json["ring_full"] = counts.ring_full();
  return json;
}

// To standard error: standard output may be the file.
void tell(const Session& session, const Recording& recording) {
  const path::CaptureCounts counts = recording.counts();
  std::string text = fmt::format("hawserctl: {} of {}", counted(recording.frames(), "frame"),
                                 counted(counts.matched(), "packet"));
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count != 0) text += fmt::format(", {} {}", human_count(count), what);
  };
  add(counts.sampled_out(), "sampled out");
  add(counts.over_rate(), "dropped: more than workers may copy (over_rate)");
  add(counts.ring_full(), "dropped: not taken in time (ring_full)");
  session.console.err << text << "\n";
}

}  // namespace

Verdict run_capture(const Session& session) {
  const auto wanted = request_of(session.arguments);
  if (!wanted) return wanted.failure();
  const std::string out = session.arguments.text("--out");
  if (out == "-" && session.console.terminal) {
    return Failure{ExitCode::kUsage, "packets are no text for a terminal",
                   "give a file to --out, or pipe it on: … --out - | tcpdump -nr -"};
  }
  const Interrupt interrupt;
  auto file = OutputFile::open(out, session.arguments.has("--force"));
  if (!file) return file.failure();
  Recording recording(*file, *wanted);
  const auto ended =
      session.client.capture(*wanted, session.deadline, interrupt.descriptor(),
                             [&](const path::CaptureReply& part) { return recording.take(part); });
  recording.finish();
  if (recording.wrote() == OutputFile::Wrote::kFailed) {
    return Failure{ExitCode::kFailed,
                   fmt::format("{} cannot be written: {}", file->path(), file->error()),
                   fmt::format("what it holds until now can be read: {}",
                               counted(recording.frames(), "frame"))};
  }
  if (!ended) return ended.failure();
  if (session.json) {
    session.console.out << dump(summary(out, recording, word_of(*ended, recording, *wanted)));
  } else {
    tell(session, recording);
  }
  return ExitCode::kOk;
}

}  // namespace hawser::ctl
