// Answers /api/v1 with the replies of the gRPC service Observe.
#include "http_api.h"

#include <charconv>
#include <chrono>
#include <semaphore>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "message_json.h"
#include "rows.h"
#include "service_observe.h"

namespace hawser::control {
namespace {

constexpr std::size_t kBatch = 256;  // events copied at once
// For a turn among many screens.
constexpr std::chrono::seconds kPatience{3};

// Takes a turn among those that make long answers, so that many screens cannot fill the memory.
class Turn {
 public:
  Turn() : granted_(turns().try_acquire_for(kPatience)) {}
  ~Turn() {
    if (granted_) turns().release();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  [[nodiscard]] bool granted() const { return granted_; }

 private:
  using Turns = std::counting_semaphore<limits::kScrapesAtOnce>;
  static Turns& turns() {
    static Turns all(limits::kScrapesAtOnce);
    return all;
  }
  bool granted_;
};

// What stands behind the question mark. `fault` is empty when it is all understood.
struct Query {
  std::string service;
  std::string backend;
  std::uint64_t after = 0;
  std::uint64_t last = 0;
  JsonFields fields = JsonFields::kAll;
  std::string fault;
};

class QueryReader {
 public:
  explicit QueryReader(const HttpRequest& request) : request_(request) {}

  void text(const char* name, std::string& out) {
    const std::vector<std::string> values = request_.values(name);
    if (values.size() > 1) complain(fmt::format("{} is given twice", name));
    if (!values.empty()) out = values.front();
  }
  void number(const char* name, std::uint64_t& out) {
    std::string word = "0";
    text(name, word);
    const char* const end = word.data() + word.size();
    const auto [at, error] = std::from_chars(word.data(), end, out);
    if (error == std::errc() && at == end) return;
    complain(fmt::format("{} must be a whole number from 0", name));
  }
  void defaults(JsonFields& out) {
    std::string word = "yes";
    text("defaults", word);
    if (word != "yes" && word != "no") complain("defaults must be yes or no");
    out = word == "no" ? JsonFields::kSet : JsonFields::kAll;
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  void complain(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
  }
  const HttpRequest& request_;
  std::string fault_;
};

Query read(const HttpRequest& request) {
  Query query;
  QueryReader reader(request);
  reader.text("service", query.service);
  reader.text("backend", query.backend);
  reader.number("after", query.after);
  reader.number("last", query.last);
  reader.defaults(query.fields);
  query.fault = reader.fault();
  return query;
}

// An answer on its way: each list is written row by row.
class Answer {
 public:
  Answer(HttpReply& reply, JsonFields fields) : reply_(reply), fields_(fields) {}

  void begin(std::string_view text) { reply_.write(text); }
  void end() { reply_.write("}\n"); }
  void number(std::string_view name, std::uint64_t value) {
    reply_.write(fmt::format("\"{}\":{},", name, value));
  }
  void message(const google::protobuf::Message& message) {
    line_.clear();
    append_json(message, fields_, line_);
    reply_.write(line_);
  }
  template <typename Rows>
  void list(std::string_view name, const Rows& rows) {
    reply_.write(fmt::format("\"{}\":[", name));
    const char* comma = "";
    for (const google::protobuf::Message& row : rows) {
      line_ = comma;
      comma = ",\n";
      append_json(row, fields_, line_);
      if (!reply_.write(line_)) return;
    }
    reply_.write("]");
  }

 private:
  HttpReply& reply_;
  JsonFields fields_;
  std::string line_;
};

ObserveService observe(const HttpSources& sources) {
  return {sources.controller, sources.query, sources.watch};
}

// True when it is no answer: the reply is that, then.
bool refused(const grpc::Status& status, HttpReply& reply) {
  if (status.ok()) return false;
  const bool unknown = status.error_code() == grpc::StatusCode::NOT_FOUND;
  reply.refuse(unknown ? 404 : 503, status.error_message());
  return true;
}

// Does what all have in common, and then `answer`.
template <typename Make>
void with_query(const HttpRequest& request, HttpReply& reply, const Make& make) {
  const Query query = read(request);
  if (!query.fault.empty()) return reply.refuse(400, query.fault);
  const Turn turn;
  if (!turn.granted()) return reply.refuse(503, "too many long answers are under way");
  make(query);
}

std::vector<v1::Event> events_of(const EventLog& log, const Query& query, std::uint64_t newest) {
  // A number from before a restart of hawserd means nothing any more: from the beginning.
  std::uint64_t after = query.after > newest ? 0 : query.after;
  if (query.last != 0 && newest - after > query.last) after = newest - query.last;
  std::vector<v1::Event> rows;
  while (after < newest) {
    const std::vector<FleetEvent> found = log.after(after, kBatch, std::chrono::milliseconds(0));
    if (found.empty()) break;
    for (const FleetEvent& event : found) {
      after = event.sequence;
      const bool wanted = (query.service.empty() || event.service == query.service) &&
                          (query.backend.empty() || event.backend == query.backend);
      if (wanted) rows.push_back(event_row(event));
    }
  }
  return rows;
}

std::uint64_t now_unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  using std::chrono::milliseconds;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(now).count());
}

}  // namespace

void answer_status(const HttpSources& sources, const HttpRequest& request, HttpReply& reply) {
  with_query(request, reply, [&](const Query& query) {
    v1::StatusReply status;
    if (refused(observe(sources).GetStatus(nullptr, nullptr, &status), reply)) return;
    Answer answer(reply, query.fields);
    answer.message(status);
    answer.begin("\n");
  });
}

void answer_services(const HttpSources& sources, const HttpRequest& request, HttpReply& reply) {
  with_query(request, reply, [&](const Query& query) {
    v1::ServicesRequest wanted;
    wanted.set_service(query.service);
    v1::ServicesReply services;
    if (refused(observe(sources).ListServices(nullptr, &wanted, &services), reply)) return;
    Answer answer(reply, query.fields);
    answer.begin("{");
    answer.list("services", services.services());
    answer.end();
  });
}

void answer_backends(const HttpSources& sources, const HttpRequest& request, HttpReply& reply) {
  with_query(request, reply, [&](const Query& query) {
    v1::BackendsRequest wanted;
    wanted.set_service(query.service);
    wanted.set_backend(query.backend);
    v1::BackendsReply backends;
    if (refused(observe(sources).ListBackends(nullptr, &wanted, &backends), reply)) return;
    Answer answer(reply, query.fields);
    answer.begin("{");
    answer.list("backends", backends.backends());
    answer.end();
  });
}

void answer_events(const HttpSources& sources, const HttpRequest& request, HttpReply& reply) {
  with_query(request, reply, [&](const Query& query) {
    v1::BackendsRequest named;
    named.set_service(query.service);
    named.set_backend(query.backend);
    v1::BackendsReply known;
    const bool filtered = !query.service.empty() || !query.backend.empty();
    if (filtered && refused(observe(sources).ListBackends(nullptr, &named, &known), reply)) return;
    const EventLog& log = sources.controller.events();
    const std::uint64_t newest = log.newest();
    Answer answer(reply, query.fields);
    answer.begin("{");
    answer.number("started_unix", sources.controller.started_unix());
    answer.number("newest", newest);
    answer.list("events", events_of(log, query, newest));
    answer.end();
  });
}

void answer_overview(const HttpSources& sources, const HttpRequest& request, HttpReply& reply) {
  with_query(request, reply, [&](const Query& query) {
    const EventLog& log = sources.controller.events();
    const std::uint64_t newest = log.newest();
    ObserveService service = observe(sources);
    const v1::ServicesRequest all_services;
    const v1::BackendsRequest all_backends;
    v1::StatusReply status;
    v1::ServicesReply services;
    v1::BackendsReply backends;
    v1::CountersReply counters;
    if (refused(service.GetStatus(nullptr, nullptr, &status), reply) ||
        refused(service.ListServices(nullptr, &all_services, &services), reply) ||
        refused(service.ListBackends(nullptr, &all_backends, &backends), reply)) {
      return;
    }
    // A dataplane that is away has no sessions; that it is stands in the status.
    static_cast<void>(service.GetCounters(nullptr, nullptr, &counters));
    // A row for every backend, of which the page shows nothing but what the problems say.
    if (status.has_dataplane()) status.mutable_dataplane()->clear_neighbours();
    Answer answer(reply, query.fields);
    answer.begin("{");
    answer.number("now_unix_ms", now_unix_ms());
    answer.number("started_unix", sources.controller.started_unix());
    answer.number("newest_event", newest);
    answer.begin("\"status\":");
    answer.message(status);
    answer.begin(",");
    answer.list("services", services.services());
    answer.begin(",");
    answer.list("sessions", counters.counters().services());
    answer.begin(",");
    answer.list("backends", backends.backends());
    answer.begin(",");
    answer.list("events", events_of(log, query, newest));
    answer.end();
  });
}

}  // namespace hawser::control
