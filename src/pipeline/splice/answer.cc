// Writes and delivers the balancer's own answers.
#include "answer.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "backend.h"
#include "finish.h"
#include "leave.h"
#include "own.h"
#include "send.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// Appends text as long as it fits; what does not is left out as a whole.
class Writer {
 public:
  explicit Writer(std::span<char> out) noexcept : out_(out) {}

  Writer& operator<<(std::string_view text) noexcept {
    if (text.empty()) return *this;
    if (text.size() > out_.size() - size_) {
      full_ = true;
      return *this;
    }
    std::memcpy(out_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }
  Writer& operator<<(std::size_t number) noexcept {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    return *this << std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool full() const noexcept { return full_; }

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
  bool full_ = false;
};

// RFC 9110 section 15.
std::string_view reason_phrase(std::uint16_t status) noexcept {
  switch (status) {
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 410:
      return "Gone";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return status < 500 ? "Refused" : "Unavailable";
  }
}

// "https://$host$target", with what the request said.
void write_location(Writer& out, std::string_view location, const l7::RequestHead& head) noexcept {
  while (!location.empty()) {
    const std::size_t dollar = location.find('$');
    out << location.substr(0, dollar);
    if (dollar == std::string_view::npos) return;
    location = location.substr(dollar);
    if (location.starts_with("$host")) {
      out << head.host;
      location = location.substr(5);
    } else if (location.starts_with("$target")) {
      const bool has_path = head.target.starts_with('/');
      out << (has_path ? head.target : head.path);
      location = location.substr(7);
    } else {
      out << "$";
      location = location.substr(1);
    }
  }
}

OwnSegment answering_segment(const Segment& segment, bool scaled) noexcept {
  OwnSegment own;
  own.sequence = segment.acknowledgement;
  own.acknowledgement = segment.end() + (segment.has(net::kTcpFin) ? 1U : 0U);
  own.flags = net::kTcpAck | net::kTcpPsh | net::kTcpFin;
  own.window = reading_window(scaled);
  if (segment.options.timestamps) {
    own.timestamps = {segment.options.timestamps->echo, segment.options.timestamps->value};
  }
  return own;
}

}  // namespace

Answer answer_to_fault(l7::HttpFault fault) noexcept {
  return {.status = l7::info(fault).status, .refusal = Refusal::kFault, .fault = fault};
}

Answer answer_with(Refusal refusal) noexcept {
  return {.status = info(refusal).status, .refusal = refusal};
}

std::size_t write_answer(const Answer& answer, const SpliceService& splice,
                         std::span<char, limits::kMaxAnswer> out) noexcept {
  const std::string_view phrase = reason_phrase(answer.status);
  const bool without_body =
      answer.without_body || (answer.request != nullptr && answer.request->is_head);
  std::array<char, 64> standard{};
  Writer line(standard);
  line << std::size_t{answer.status} << " " << phrase << "\n";
  const std::string_view body = splice.error_body.empty()
                                    ? std::string_view(standard.data(), line.size())
                                    : std::string_view(splice.error_body);
  const auto write = [&](bool with_location) {
    Writer head(out);
    head << "HTTP/1.1 " << std::size_t{answer.status} << " " << phrase << "\r\n";
    const bool elsewhere = answer.refusal == Refusal::kRedirected && answer.request != nullptr;
    if (with_location && elsewhere) {
      head << "Location: ";
      write_location(head, answer.rule->location, *answer.request);
      head << "\r\n";
    }
    head << "Content-Type: text/plain; charset=utf-8\r\nContent-Length: " << body.size()
         << "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
    if (!without_body) head << body;
    return head.full() ? 0 : head.size();
  };
  const std::size_t size = write(true);
  return size != 0 ? size : write(false);
}

void count_answer(const Answer& answer, const SpliceService& splice, WorkerState& worker) noexcept {
  SpliceCounters& counters = splice.counters_of(worker.id);
  counters.refusals[static_cast<std::size_t>(answer.refusal)].add(1);
  if (answer.refusal == Refusal::kFault) {
    counters.faults[static_cast<std::size_t>(answer.fault)].add(1);
  }
}

Verdict answer_stateless(Packet& packet, const Segment& segment, const Answer& answer, bool scaled,
                         Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  count_answer(answer, *service.splice, context.worker);
  const bool tls = service.splice->layer7 == model::Layer7::kTls;
  if (answer.status == 0 || tls) return kReplyReset;
  std::array<char, limits::kMaxAnswer> text;
  const std::size_t size = write_answer(answer, *service.splice, text);
  return reply(packet, answering_segment(segment, scaled), kReplyAnswer, context,
               {reinterpret_cast<const std::uint8_t*>(text.data()), size});
}

void begin_answer(const Side& client, const Answer& answer, Sequence up_to,
                  Context& context) noexcept {
  Connection& connection = client.connection;
  const ServiceEntry& service = context.snapshot.services[connection.service.value];
  WorkerState& worker = context.worker;
  count_answer(answer, *service.splice, worker);
  leave_backend(client, context);
  drop_owned(client, worker);
  drop_owned(client.other(), worker);
  drop_held(client, worker);
  connection.phase = SplicePhase::kAnswering;
  connection.attempts = 0;
  connection.base = connection.up.next = connection.up.end = connection.up.acked = up_to;
  connection.up.shift = 0;
  Half& down = connection.down;
  down.own_at = down.end;
  const bool resets = answer.status == 0 || service.splice->layer7 == model::Layer7::kTls;
  down.buffer = resets ? std::uint16_t{0} : worker.splice.texts.take();
  if (down.buffer == 0) {
    reset_client(client, context);
    return;
  }
  std::array<char, limits::kMaxAnswer> text;
  Answer shaped = answer;
  // The head is no more at hand, but what it asked for is remembered.
  const bool after_head = answer.refusal == Refusal::kConnectFailed ||
                          answer.refusal == Refusal::kNoRoom ||
                          answer.refusal == Refusal::kBadResponse;
  shaped.without_body = after_head && client.exchange.for_head;
  const std::size_t size = write_answer(shaped, *service.splice, text);
  std::memcpy(worker.splice.texts.at(down.buffer).data(), text.data(), size);
  down.buffered = static_cast<std::uint16_t>(size);
  down.own_fin = true;
  send_owned(client.other(), context);
}

Verdict hear_answered(Packet& packet, const Segment& segment, const Side& client,
                      Context& context) noexcept {
  Connection& connection = client.connection;
  if (segment.has(net::kTcpRst)) {
    finish(client, context);
    return kSpliceTaken;
  }
  if (segment.has(net::kTcpSyn) || !segment.has(net::kTcpAck)) return kSpliceOver;
  Half& down = connection.down;
  if (segment.acknowledgement > down.end || segment.end() < connection.up.acked - UINT16_MAX) {
    return kSpliceAcknowledgement;
  }
  keep_timestamp(segment, client);
  // Whatever the client still sends is taken and forgotten.
  const Sequence end = segment.end() + (segment.has(net::kTcpFin) ? 1U : 0U);
  if (segment.sequence <= connection.up.acked && end > connection.up.acked) {
    connection.up.acked = connection.up.next = connection.up.end = end;
    connection.up.fin = segment.has(net::kTcpFin);
  }
  if (segment.acknowledgement > down.acked) down.acked = segment.acknowledgement;
  const bool has_all = down.acked >= own_end(down);
  if (has_all) release_owned(client.other(), context);
  const bool over = has_all && connection.up.fin;
  const bool answers = segment.payload != 0 || segment.has(net::kTcpFin);
  const Verdict verdict = answers ? acknowledge(packet, client, context) : kSpliceTaken;
  if (over) finish(client, context);
  return verdict;
}

}  // namespace hawser::pipeline
