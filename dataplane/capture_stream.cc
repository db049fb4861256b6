// Turns a request for packets into a filter, and what workers took into messages.
#include "dataplane/capture_stream.h"

#include <rte_cycles.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <utility>

#include "dataplane/capture_changes.h"
#include "dataplane/names.h"
#include "hawser/base/limits.h"

namespace hawser::dataplane {
namespace {

// A name is a verdict's, or of all verdicts of a kind.
Result<std::bitset<pipeline::kVerdicts>> wanted_verdicts(const v1::Capture& request) {
  std::bitset<pipeline::kVerdicts> wanted;
  for (const std::string& name : request.verdicts()) {
    std::set<std::string> known;
    bool found = false;
    for (std::size_t v = 1; v < pipeline::kVerdicts; ++v) {
      const pipeline::VerdictInfo& info = pipeline::kVerdictTable[v];
      known.emplace(info.name);
      known.emplace(to_string(info.kind));
      if (name != info.name && name != to_string(info.kind)) continue;
      wanted.set(v);
      found = true;
    }
    if (!found) return unknown_name("verdict", name, known);
  }
  return wanted;
}

std::uint64_t wall_clock() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

std::string name_at(const pipeline::Names& names, std::size_t id) {
  return id < names.size() ? names[id] : std::string();
}

}  // namespace

Result<pipeline::CaptureFilter> capture_filter(const v1::Capture& request,
                                               const pipeline::Snapshot& snapshot) {
  pipeline::CaptureFilter filter;
  if (!request.service().empty()) {
    const Result<ServiceId> service = find_service(request.service(), snapshot);
    if (!service) return service.error();
    filter.service = *service;
  }
  auto backends = find_backends(filter.service, request.backend(), snapshot);
  if (!backends) return backends.error();
  filter.backends = *std::move(backends);
  if (!request.client().empty()) {
    const Result<net::Prefix> clients = net::parse_prefix(request.client());
    if (!clients) return fail("client: " + clients.error().message);
    filter.clients = *clients;
  }
  auto verdicts = wanted_verdicts(request);
  if (!verdicts) return verdicts.error();
  filter.verdicts = *verdicts;
  filter.received = request.side() != v1::SENT;
  filter.sent = request.side() != v1::RECEIVED;
  const std::uint32_t whole = request.snap() == 0 ? limits::kMaxFrame : request.snap();
  filter.snap = static_cast<std::uint16_t>(
      std::clamp<std::uint32_t>(whole, limits::kMinCaptureSnap, limits::kMaxFrame));
  filter.sample = std::clamp(request.sample(), 1U, limits::kMaxCaptureSample);
  return filter;
}

Result<std::unique_ptr<ReplyStream>> CaptureStream::create(
    const v1::Capture& request, std::span<const pipeline::PortSetup> ports,
    const Snapshots& snapshots, CaptureDesk& desk) {
  const Result<pipeline::CaptureFilter> filter = capture_filter(request, snapshots.running());
  if (!filter) return filter.error();
  if (!desk.begin(*filter)) {
    return fail("another capture is running; one at a time is what workers have time for");
  }
  return std::unique_ptr<ReplyStream>(new CaptureStream(request, ports, snapshots, desk));
}

CaptureStream::CaptureStream(const v1::Capture& request, std::span<const pipeline::PortSetup> ports,
                             const Snapshots& snapshots, CaptureDesk& desk)
    : request_(request),
      ports_(ports),
      snapshots_(snapshots),
      desk_(desk),
      filter_(*capture_filter(request, snapshots.running())),
      epoch_(snapshots.running().epoch),
      frames_left_(request.frames() == 0 ? UINT64_MAX : request.frames()),
      until_(Clock::time_point::max()),
      next_reply_(Clock::now()),
      came_(desk.workers()) {
  if (request.milliseconds() == 0) return;
  constexpr std::uint64_t kMost = std::uint64_t{limits::kMaxCaptureSeconds} * 1000;
  until_ = Clock::now() + std::chrono::milliseconds(std::min(request.milliseconds(), kMost));
}

CaptureStream::~CaptureStream() {
  desk_.end();
}

ReplyStream::Step CaptureStream::step() {
  v1::Response response;
  if (const Result<void> named = check_names(); !named) {
    return {error_response(named.error().message), true};
  }
  const bool over = Clock::now() >= until_;
  if (over) desk_.stop();
  v1::CaptureReply& reply = *response.mutable_capture();
  add_frames(reply);
  const bool last = frames_left_ == 0 || (over && reply.frames_size() == 0);
  if (frames_left_ == 0) desk_.stop();
  if (!last && reply.frames_size() == 0 && Clock::now() < next_reply_) return {};
  next_reply_ = Clock::now() + limits::kCaptureHeartbeat;
  if (!std::exchange(begun_, true)) add_ports(reply);
  for (std::size_t p = 0; p < ports_.size(); ++p) {
    const CaptureDesk::Counts counts = desk_.counts(PortId(static_cast<std::uint16_t>(p)));
    v1::CaptureCounts& row = *reply.add_counts();
    row.set_matched(counts.matched);
    row.set_sampled_out(counts.sampled_out);
    row.set_over_rate(counts.over_rate);
    row.set_ring_full(counts.ring_full);
  }
  reply.set_last(last);
  return {std::move(response), last};
}

// The ids of a service that has left may be another's later.
Result<void> CaptureStream::check_names() {
  const pipeline::Snapshot& snapshot = snapshots_.running();
  if (snapshot.epoch == epoch_) return {};
  epoch_ = snapshot.epoch;
  const Result<pipeline::CaptureFilter> now = capture_filter(request_, snapshot);
  if (!now) return fail("the capture ends: " + now.error().message + " any more");
  if (now->service == filter_.service && now->backends == filter_.backends) return {};
  return fail("the capture ends: the services and backends it was for have changed; begin it anew");
}

void CaptureStream::add_ports(v1::CaptureReply& reply) const {
  for (const pipeline::PortSetup& port : ports_) {
    v1::CapturePort& row = *reply.add_ports();
    row.set_name(port.name);
    row.set_device(port.device);
    row.set_mac(net::to_string(port.mac));
  }
}

void CaptureStream::add_frames(v1::CaptureReply& reply) {
  ticks_ = rte_rdtsc();
  unix_nanoseconds_ = wall_clock();
  const std::size_t share = std::max<std::size_t>(1, limits::kFramesPerReply / desk_.workers());
  std::vector<v1::CapturedFrame> frames;
  std::size_t bytes = 0;
  WorkerCapture taken;
  for (std::size_t w = 0; w < desk_.workers(); ++w) {
    const WorkerId worker(static_cast<std::uint16_t>(w));
    for (std::size_t i = 0; i < share && bytes < limits::kCaptureReplyBytes; ++i) {
      if (frames_left_ == 0 || !desk_.take(worker, taken)) break;
      frames.push_back(frame_of(taken));
      bytes += taken.bytes.size();
      --frames_left_;
    }
  }
  std::stable_sort(frames.begin(), frames.end(),
                   [](const v1::CapturedFrame& one, const v1::CapturedFrame& other) {
                     return one.unix_nanoseconds() < other.unix_nanoseconds();
                   });
  for (v1::CapturedFrame& frame : frames) *reply.add_frames() = std::move(frame);
}

v1::CapturedFrame CaptureStream::frame_of(const WorkerCapture& taken) {
  const pipeline::Snapshot& snapshot = snapshots_.running();
  const pipeline::CaptureRecord& record = taken.record;
  v1::CapturedFrame frame;
  frame.set_unix_nanoseconds(unix_nanoseconds(record.ticks));
  frame.set_port(record.port.value);
  frame.set_sent(record.sent);
  frame.set_length(record.length);
  frame.set_data(taken.bytes.data(), taken.bytes.size());
  frame.set_verdict(std::string(pipeline::info(record.verdict).name));
  frame.set_service(name_at(snapshot.service_names, record.service.value));
  frame.set_backend(name_at(snapshot.backend_names, record.backend.value));
  frame.set_worker(taken.worker.value);
  frame.set_made(record.made);
  std::vector<std::uint8_t>& came = came_[taken.worker.value];
  if (record.paired) {
    for (const char* change : changes_of(came, taken.bytes)) frame.add_changes(change);
  }
  if (!record.sent) came = taken.bytes;
  return frame;
}

// The ticks of a record are a little older than those of this step, so no drift of either clock
// adds up.
std::uint64_t CaptureStream::unix_nanoseconds(std::uint64_t ticks) const noexcept {
  const auto age = static_cast<double>(static_cast<std::int64_t>(ticks_ - ticks));
  const double nanoseconds = age * 1e9 / static_cast<double>(rte_get_tsc_hz());
  return unix_nanoseconds_ - static_cast<std::uint64_t>(static_cast<std::int64_t>(nanoseconds));
}

}  // namespace hawser::dataplane
