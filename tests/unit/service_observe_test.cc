// What hawserd answers about one request, keys and the history, with a dataplane's socket of its
// own making.
#include "service_observe.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "controller_fixture.h"
#include "hawser/base/limits.h"
#include "hawser/net/endian.h"
#include "service_administer.h"

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

// Answers one question on each connection with what the test put there.
class DataplaneSocket {
 public:
  explicit DataplaneSocket(const std::string& path) : listener_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const auto* const target = static_cast<const sockaddr*>(static_cast<const void*>(&address));
    EXPECT_EQ(bind(listener_, target, sizeof(address)), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~DataplaneSocket() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  DataplaneSocket(const DataplaneSocket&) = delete;
  DataplaneSocket& operator=(const DataplaneSocket&) = delete;

  // Not while a question is under way.
  wire::Response answer;
  wire::Request asked;

 private:
  void serve() {
    for (;;) {
      const int peer = accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      net::Big32 length{};
      std::string frame;
      if (recv(peer, &length, sizeof(length), MSG_WAITALL) == sizeof(length)) {
        frame.resize(length.host());
        recv(peer, frame.data(), frame.size(), MSG_WAITALL);
      }
      asked.ParseFromString(frame);
      answer.set_id(asked.id());
      const std::string body = answer.SerializeAsString();
      const net::Big32 size(static_cast<std::uint32_t>(body.size()));
      send(peer, &size, sizeof(size), MSG_NOSIGNAL);
      send(peer, body.data(), body.size(), MSG_NOSIGNAL);
      close(peer);
    }
  }

  int listener_;
  std::thread thread_;
};

class ObserveTest : public ControllerTest {
 protected:
  void adjust(model::Configuration& configuration) override {
    configuration.services[0].forward = model::Forward::kSplice;
    configuration.services[0].affinity.by = model::AffinityBy::kCookie;
  }
  grpc::Status explain(const wire::Explain& question) {
    return service().Explain(nullptr, &question, &reply_);
  }
  ObserveService service() {
    return {*controller_, DataplaneQuery(scratch_.path() + "/dataplane.sock"), watch_};
  }
  v1::HistoryReply history(const std::string& of, const std::string& backend, std::uint32_t limit) {
    v1::HistoryRequest request;
    request.set_service(of);
    request.set_backend(backend);
    request.set_limit(limit);
    v1::HistoryReply reply;
    const grpc::Status status = service().ListHistory(nullptr, &request, &reply);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return reply;
  }
  static wire::Explain question() {
    wire::Explain question;
    question.set_service("web");
    question.set_client(std::string("\xc0\x00\x02\x01", 4));
    question.set_client_port(50000);
    question.set_head("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    return question;
  }

  Watch watch_;
  wire::ExplainReply reply_;
};

TEST_F(ObserveTest, AQuestionReachesTheDataplaneAndItsAnswerTheOperator) {
  DataplaneSocket socket(scratch_.path() + "/dataplane.sock");
  dataplane_->connect(1);
  socket.answer.mutable_explain()->set_backend("b2");
  socket.answer.mutable_explain()->set_reason("the cookie names b2");
  socket.answer.mutable_explain()->add_steps()->set_name("cookie");
  const grpc::Status status = explain(question());
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(reply_.SerializeAsString(), socket.answer.explain().SerializeAsString());
  EXPECT_EQ(socket.asked.explain().SerializeAsString(), question().SerializeAsString());
  socket.answer.mutable_error()->set_message("no service \"web\"");
  const grpc::Status refused = explain(question());
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(refused.error_message(), "the dataplane cannot explain it: no service \"web\"");
  socket.answer.mutable_status();
  EXPECT_EQ(explain(question()).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ObserveTest, AQuestionThatCannotBeAnsweredIsExplained) {
  struct Row {
    const char* what;
    std::function<void(wire::Explain&)> spoil;
    grpc::StatusCode code;
    std::string words;
  };
  using enum grpc::StatusCode;
  const std::vector<Row> rows{
      {"an unknown service", [](auto& asked) { asked.set_service("wbe"); }, NOT_FOUND,
       "there is no service \"wbe\" (did you mean \"web\"?)"},
      {"one that is not read", [](auto& asked) { asked.set_service("api"); }, INVALID_ARGUMENT,
       "service api forwards by nat: its requests are not read, so there is nothing to explain; "
       "`hawserctl flows` shows where its connections are"},
      {"no address", [](auto& asked) { asked.set_client("abc"); }, INVALID_ARGUMENT,
       "the client: "},
      {"another family", [](auto& asked) { asked.set_client(std::string(15, '\0') + '\1'); },
       INVALID_ARGUMENT, "the client ::1 is of another family than service web at 10.0.0.100"},
      {"no port", [](auto& asked) { asked.set_client_port(65536); }, INVALID_ARGUMENT,
       "the client's port is above 65535"},
      {"no head", [](auto& asked) { asked.clear_head(); }, INVALID_ARGUMENT,
       "the head of the request is empty"},
      {"a large head", [](auto& asked) { asked.set_head(std::string(65537, 'a')); },
       INVALID_ARGUMENT, "the head of the request has 65537 bytes, at most 65536 are taken"},
  };
  dataplane_->connect(1);
  for (const Row& row : rows) {
    wire::Explain asked = question();
    row.spoil(asked);
    const grpc::Status status = explain(asked);
    EXPECT_EQ(status.error_code(), row.code) << row.what;
    EXPECT_EQ(status.error_message().substr(0, row.words.size()), row.words) << row.what;
  }
}

TEST_F(ObserveTest, WithoutADataplaneThereIsNoAnswer) {
  controller_->disconnected("connection refused");
  const grpc::Status away = explain(question());
  EXPECT_EQ(away.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(away.error_message(), "the dataplane is not connected: connection refused");
  dataplane_->connect(1);
  const grpc::Status gone = explain(question());
  EXPECT_EQ(gone.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(gone.error_message().find("cannot connect to"), std::string::npos);
}

TEST_F(ObserveTest, KeysAreListedWithoutTheirSecrets) {
  dataplane_->connect(1);
  AdministerService administer(*controller_, DataplaneQuery("/nonexistent/dataplane.sock"));
  v1::RotateKeysRequest order;
  order.set_author("ann");
  order.set_reason("quarterly");
  v1::RotateKeysReply rotated;
  ASSERT_TRUE(administer.RotateKeys(nullptr, &order, &rotated).ok());
  EXPECT_EQ(rotated.epoch(), controller_->view().desired.value);
  v1::KeysReply listed;
  const v1::KeysRequest request;
  ASSERT_TRUE(service().ListKeys(nullptr, &request, &listed).ok());
  EXPECT_EQ(listed.SerializeAsString(), rotated.keys().SerializeAsString());
  ASSERT_EQ(listed.keys_size(), 2);
  EXPECT_EQ(listed.keys(0).id(), 1U);
  EXPECT_EQ(listed.keys(0).use(), "signs");
  EXPECT_EQ(listed.keys(0).author(), "ann");
  EXPECT_EQ(listed.keys(0).reason(), "quarterly");
  EXPECT_EQ(listed.keys(0).since_unix(), 1000U);
  EXPECT_EQ(listed.keys(1).use(), "counts");
  EXPECT_EQ(listed.next_rotation_unix(), 1000U + 900 + 80);
  const grpc::Status again = administer.RotateKeys(nullptr, &order, &rotated);
  EXPECT_EQ(again.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  v1::StatusReply status;
  const v1::StatusRequest any;
  ASSERT_TRUE(service().GetStatus(nullptr, &any, &status).ok());
  const std::string told =
      listed.SerializeAsString() + rotated.SerializeAsString() + status.SerializeAsString();
  for (const model::CookieKey& key : dataplane_->running().cookie_keys) {
    const std::string secret(key.secret.begin(), key.secret.end());
    EXPECT_EQ(told.find(secret), std::string::npos);
  }
}

TEST_F(ObserveTest, HistoryIsToldNewestFirstAndUpToALimit) {
  dataplane_->connect(1);
  for (const std::uint32_t weight : {5U, 6U, 7U}) {
    now_ = 1000 + weight;
    const ChangeOutcome done = controller_->set_weight(
        {.service = "web", .backend = "b1", .weight = weight, .author = "ann", .reason = "tuning"});
    ASSERT_EQ(done.failure, Failure::kNone) << done.message;
  }
  const v1::HistoryReply all = history("web", "", 3);
  ASSERT_EQ(all.history_size(), 3);
  EXPECT_FALSE(all.truncated());
  const v1::HistoryRow& newest = all.history(0);
  EXPECT_EQ(newest.at_unix(), 1007U);
  EXPECT_EQ(newest.author(), "ann");
  EXPECT_EQ(newest.service(), "web");
  EXPECT_EQ(newest.backend(), "b1");
  EXPECT_EQ(newest.field(), "weight");
  EXPECT_EQ(newest.before(), "6");
  EXPECT_EQ(newest.after(), "7");
  EXPECT_EQ(newest.reason(), "tuning");
  EXPECT_EQ(all.history(2).after(), "5");
  const v1::HistoryReply two = history("", "b1", 2);
  ASSERT_EQ(two.history_size(), 2);
  EXPECT_TRUE(two.truncated());
  EXPECT_EQ(two.history(1).after(), "6");
  // The first cookie key is hawserd's own doing, and of no service.
  const v1::HistoryReply every = history("", "", UINT32_MAX);
  ASSERT_EQ(every.history_size(), 4);
  EXPECT_EQ(every.history(3).field(), "cookie_key");
  EXPECT_EQ(every.history(3).service(), "");
  EXPECT_EQ(every.history(3).author(), "hawserd");
}

TEST_F(ObserveTest, HistoryWithoutANumberIsAScreenAndNeverLongerThanTheLimit) {
  std::vector<IntentChange> changes;
  for (std::uint32_t i = 0; i <= limits::kMaxHistoryEntries; ++i) {
    const Authorship by{"ann", std::to_string(i), 100};
    changes.push_back({{"gone", "b9", "weight", "", by}, "1", "5", by});
  }
  end();
  ASSERT_TRUE((*Journal::open(scratch_.path() + "/state"))->record(changes).has_value());
  start();
  const v1::HistoryReply screen = history("gone", "b9", 0);
  EXPECT_EQ(screen.history_size(), 20);
  EXPECT_TRUE(screen.truncated());
  const v1::HistoryReply most = history("gone", "", UINT32_MAX);
  ASSERT_EQ(most.history_size(), 1000);
  EXPECT_TRUE(most.truncated());
  EXPECT_EQ(most.history(0).reason(), "1000");
  EXPECT_EQ(most.history(999).reason(), "1");
}

TEST_F(ObserveTest, OnlyNamesWithoutAHistoryHaveToBeConfigured) {
  const Authorship by{"ann", "", 100};
  const std::vector<IntentChange> changes{{{"gone", "b9", "weight", "", by}, "1", "5", by}};
  end();
  ASSERT_TRUE((*Journal::open(scratch_.path() + "/state"))->record(changes).has_value());
  start();
  struct Row {
    std::string service;
    std::string backend;
    int entries;
    std::string words;  // of NOT_FOUND
  };
  const std::vector<Row> rows{
      {"gone", "", 1, ""},
      {"", "b9", 1, ""},
      {"gone", "b9", 1, ""},
      {"web", "", 0, ""},
      {"web", "b2", 0, ""},
      {"", "b1", 0, ""},  // of two services
      {"wbe", "", 0, "there is no service \"wbe\" (did you mean \"web\"?)"},
      {"gone", "b1", 0, "there is no service \"gone\""},
      {"web", "b9", 0, "there is no backend \"b9\" in service \"web\""},
      {"", "c", 0, "there is no backend \"c\""},
  };
  for (const Row& row : rows) {
    v1::HistoryRequest request;
    request.set_service(row.service);
    request.set_backend(row.backend);
    v1::HistoryReply reply;
    const grpc::Status status = service().ListHistory(nullptr, &request, &reply);
    const grpc::StatusCode wanted = row.words.empty() ? grpc::OK : grpc::NOT_FOUND;
    EXPECT_EQ(status.error_code(), wanted) << row.service << "/" << row.backend;
    EXPECT_EQ(status.error_message().substr(0, row.words.size()), row.words);
    EXPECT_EQ(reply.history_size(), row.entries) << row.service << "/" << row.backend;
  }
}

TEST_F(ObserveTest, CountersOfSplicedServicesArePassedOn) {
  DataplaneSocket socket(scratch_.path() + "/dataplane.sock");
  wire::ServiceCounters& counters = *socket.answer.mutable_counters()->add_services();
  counters.set_service("web");
  counters.set_sessions_kept(7);
  counters.add_refusals()->set_name("bad_request");
  counters.add_latencies()->set_p99_microseconds(40);
  v1::CountersReply reply;
  const v1::CountersRequest request;
  ASSERT_TRUE(service().GetCounters(nullptr, &request, &reply).ok());
  EXPECT_EQ(reply.counters().SerializeAsString(), socket.answer.counters().SerializeAsString());
}

}  // namespace
}  // namespace hawser::control
