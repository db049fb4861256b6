// The thread that keeps the dataplane told.
#include "dataplane_client.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "dataplane_connection.h"
#include "hawser/api/convert.h"

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = DataplaneConnection::Clock;

constexpr milliseconds kFirstPause{100};
// Both programs often start together: neither should wait for the other longer than a blink.
constexpr milliseconds kLongestPause{200};
constexpr seconds kHelloTime{5};
// Building the tables of a thousand services takes a while.
constexpr seconds kApplyTime{30};
constexpr seconds kQueryTime{2};
// Between two looks at whether somebody still wants a capture.
constexpr milliseconds kCaptureLook{20};

// As little as the dataplane needs if it runs `base`; none: the whole.
void write(const model::Desired& desired, const std::optional<model::Desired>& base,
           wire::Snapshot& message) {
  message.Clear();
  if (base && base->epoch != Epoch()) {
    api::to_difference(*base, desired, message);
  } else {
    api::to_message(desired, message);
  }
}

// It is another snapshot that runs, as after somebody else applied one.
bool is_wrong_base(const wire::Response& response) {
  return response.has_error() && api::is_wrong_base(response.error().message());
}

std::string unexpected(const wire::Response& response) {
  if (response.has_error()) return response.error().message();
  return "the dataplane answered something else; do both programs have the same version?";
}

}  // namespace

class DataplaneClient::Loop {
 public:
  Loop(std::string socket, DataplaneListener& listener)
      : socket_(std::move(socket)),
        listener_(listener),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        thread_([this] { run(); }) {}

  ~Loop() {
    stop_ = true;
    wake();
    thread_.join();
    close(wake_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void wake() const { eventfd_write(wake_, 1); }

 private:
  void run() {
    milliseconds pause = kFirstPause;
    while (!stop_) {
      Result<DataplaneConnection> connection = DataplaneConnection::open(socket_);
      Result<void> ended =
          connection ? serve(*connection, pause) : Result<void>(connection.error());
      if (stop_) return;
      listener_.disconnected(ended ? "stopped" : ended.error().message);
      sleep(pause);
      pause = std::min(pause * 2, kLongestPause);
    }
  }

  // Until the connection fails; the error says how. A successful hello resets `pause`.
  Result<void> serve(DataplaneConnection& connection, milliseconds& pause) {
    confirmed_.reset();
    Result<void> met = meet(connection);
    if (!met) return met;
    pause = kFirstPause;
    while (!stop_) {
      drain_wakes();
      while (const std::optional<model::Desired> desired = listener_.pending()) {
        Result<void> told = apply(connection, *desired);
        if (!told) return told;
        if (stop_) return {};
      }
      Result<void> woken = connection.idle(wake_);
      if (!woken) return woken;
    }
    return {};
  }

  Result<void> meet(DataplaneConnection& connection) {
    wire::Request request;
    request.mutable_hello();
    const Result<wire::Response> hello = connection.call(request, Clock::now() + kHelloTime);
    if (!hello) return hello.error();
    if (!hello->has_hello()) return fail(unexpected(*hello));
    std::optional<model::Desired> running;
    if (hello->hello().epoch() != 0) {
      request.mutable_get_snapshot();
      const Result<wire::Response> snapshot = connection.call(request, Clock::now() + kHelloTime);
      if (!snapshot) return snapshot.error();
      if (!snapshot->has_get_snapshot()) return fail(unexpected(*snapshot));
      Result<model::Desired> read = api::from_message(snapshot->get_snapshot().snapshot());
      if (!read) return fail("the running snapshot cannot be read: " + read.error().message);
      running = *std::move(read);
    }
    confirmed_ = running;
    listener_.connected(hello->hello(), running);
    return {};
  }

  Result<void> apply(DataplaneConnection& connection, const model::Desired& desired) {
    wire::Request request;
    write(desired, confirmed_, *request.mutable_apply()->mutable_snapshot());
    Result<wire::Response> reply = connection.call(request, Clock::now() + kApplyTime);
    if (reply && is_wrong_base(*reply)) {
      write(desired, {}, *request.mutable_apply()->mutable_snapshot());
      reply = connection.call(request, Clock::now() + kApplyTime);
    }
    if (!reply) return reply.error();
    if (reply->has_apply()) {
      confirmed_ = desired;
      listener_.applied(desired.epoch, reply->apply());
    } else {
      listener_.refused(desired.epoch, unexpected(*reply));
    }
    return {};
  }

  void drain_wakes() const {
    eventfd_t ignored = 0;
    eventfd_read(wake_, &ignored);
  }

  // Wakes that come meanwhile do not shorten it, except to stop.
  void sleep(milliseconds pause) const {
    const Clock::time_point end = Clock::now() + pause;
    while (!stop_) {
      const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
      if (left.count() <= 0) return;
      pollfd entry{.fd = wake_, .events = POLLIN, .revents = 0};
      poll(&entry, 1, static_cast<int>(left.count()));
      drain_wakes();
    }
  }

  std::string socket_;
  DataplaneListener& listener_;
  std::optional<model::Desired> confirmed_;  // what the dataplane runs, as far as is known
  int wake_;
  std::atomic<bool> stop_{false};
  std::thread thread_;  // last: it starts when everything else is there
};

DataplaneClient::DataplaneClient(std::string socket, DataplaneListener& listener)
    : loop_(std::make_unique<Loop>(std::move(socket), listener)) {}

DataplaneClient::~DataplaneClient() = default;

void DataplaneClient::wake() {
  loop_->wake();
}

Result<wire::Response> DataplaneQuery::ask(wire::Request& request, seconds time) const {
  Result<DataplaneConnection> connection = DataplaneConnection::open(socket_);
  if (!connection) return connection.error();
  return connection->call(request, Clock::now() + time);
}

Result<wire::StatusReply> DataplaneQuery::status() const {
  wire::Request request;
  request.mutable_status();
  const Result<wire::Response> reply = ask(request, kQueryTime);
  if (!reply) return reply.error();
  if (!reply->has_status()) return fail(unexpected(*reply));
  return reply->status();
}

Result<wire::CountersReply> DataplaneQuery::ask_counters(wire::Request& request) const {
  const Result<wire::Response> reply = ask(request, kQueryTime);
  if (!reply) return reply.error();
  if (!reply->has_counters()) return fail(unexpected(*reply));
  return reply->counters();
}

Result<wire::CountersReply> DataplaneQuery::counters() const {
  wire::Request request;
  request.mutable_counters();
  return ask_counters(request);
}

Result<wire::CountersReply> DataplaneQuery::counters_in_all() const {
  wire::Request request;
  request.mutable_counters()->set_in_all(true);
  return ask_counters(request);
}

Result<wire::CountersReply> DataplaneQuery::failing_backends() const {
  wire::Request request;
  request.mutable_counters()->set_failing_backends(true);
  return ask_counters(request);
}

Result<void> DataplaneQuery::flows(const wire::Flows& filter,
                                   const std::function<bool(const wire::FlowsReply&)>& take) const {
  Result<DataplaneConnection> connection = DataplaneConnection::open(socket_);
  if (!connection) return connection.error();
  wire::Request request;
  *request.mutable_flows() = filter;
  Result<wire::Response> reply = connection->call(request, Clock::now() + kQueryTime);
  for (;;) {
    if (!reply) return reply.error();
    if (!reply->has_flows()) return fail(unexpected(*reply));
    if (!take(reply->flows()) || reply->flows().last()) return {};
    reply = connection->receive(request.id(), Clock::now() + kQueryTime);
  }
}

Result<wire::Response> DataplaneQuery::capture(
    const wire::Capture& wanted, const std::function<bool()>& is_over,
    const std::function<bool(const wire::CaptureReply&)>& take) const {
  Result<DataplaneConnection> connection = DataplaneConnection::open(socket_);
  if (!connection) return connection.error();
  wire::Request request;
  *request.mutable_capture() = wanted;
  Result<wire::Response> reply = connection->call(request, Clock::now() + kQueryTime);
  for (;;) {
    if (!reply || reply->has_error()) return reply;
    if (!reply->has_capture()) return fail(unexpected(*reply));
    if (!take(reply->capture()) || reply->capture().last()) return reply;
    // Replies come without any frame too, so silence is an error as everywhere else.
    const Clock::time_point deadline = Clock::now() + kQueryTime;
    while (!connection->is_readable(kCaptureLook) && Clock::now() < deadline) {
      if (is_over()) return reply;
    }
    reply = connection->receive(request.id(), deadline);
  }
}

Result<wire::Response> DataplaneQuery::explain(const wire::Explain& question) const {
  wire::Request request;
  *request.mutable_explain() = question;
  Result<wire::Response> reply = ask(request, kQueryTime);
  if (!reply) return reply.error();
  if (!reply->has_explain() && !reply->has_error()) return fail(unexpected(*reply));
  return reply;
}

Result<wire::PreviewReply> DataplaneQuery::preview(const model::Desired& base,
                                                   const model::Desired& candidate) const {
  wire::Request request;
  write(candidate, base, *request.mutable_preview()->mutable_snapshot());
  Result<wire::Response> reply = ask(request, kApplyTime);
  if (reply && is_wrong_base(*reply)) {
    write(candidate, {}, *request.mutable_preview()->mutable_snapshot());
    reply = ask(request, kApplyTime);
  }
  if (!reply) return reply.error();
  if (!reply->has_preview()) return fail(unexpected(*reply));
  return reply->preview();
}

}  // namespace hawser::control
