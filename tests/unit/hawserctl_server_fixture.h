// hawserctl run against a gRPC server in the same process, on real Unix sockets.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include "client.h"
#include "hawserctl_fake_daemon.h"
#include "hawserctl_samples.h"
#include "json.h"
#include "run.h"

namespace hawser::ctl {

struct Ran {
  ExitCode code;
  std::string out;
  std::string err;
};

class HawserctlServer : public testing::Test {
 protected:
  void SetUp() override {
    std::string directory = (std::filesystem::temp_directory_path() / "hawserctl-XXXXXX").string();
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    directory_ = directory;
    socket_ = directory_ + "/d.sock";
    admin_ = listen(socket_, true);
    read_only_ = listen(read_only_twin(socket_), false);
  }
  void TearDown() override {
    admin_->Shutdown();
    read_only_->Shutdown();
    std::filesystem::remove_all(directory_);
  }

  std::unique_ptr<grpc::Server> listen(const std::string& socket, bool admin) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix://" + socket, grpc::InsecureServerCredentials());
    builder.RegisterService(static_cast<rpc::Observe::Service*>(&daemon_));
    if (admin) builder.RegisterService(static_cast<rpc::Administer::Service*>(&daemon_));
    return builder.BuildAndStart();
  }

  Ran ctl(std::vector<std::string> args) {
    Capture capture;
    capture.console.socket = socket_;
    const ExitCode code = run(args, capture.console);
    return {code, capture.out.str(), capture.err.str()};
  }
  Json ctl_json(std::vector<std::string> args) {
    args.emplace_back("--json");
    const Ran ran = ctl(args);
    EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
    return Json::parse(ran.out, nullptr, false);
  }
  void answer_change(const std::string& field, const std::string& before, const std::string& after,
                     std::uint64_t epoch) {
    rpc::Change& change = *daemon_.change.add_changes();
    change.set_service("web");
    change.set_backend("b1");
    change.set_field(field);
    change.set_before(before);
    change.set_after(after);
    daemon_.change.set_epoch(epoch);
  }

  FakeDaemon daemon_;
  std::string directory_;
  std::string socket_;
  std::unique_ptr<grpc::Server> admin_;
  std::unique_ptr<grpc::Server> read_only_;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace hawser::ctl
