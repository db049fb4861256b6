// A connection to hawserd: one method for each call, every one under a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api.h"
#include "failure.h"

namespace hawser::ctl {

inline constexpr const char* kDefaultSocket = "/run/hawser/hawserd.sock";

// The read-only twin: hawserd.sock -> hawserd-ro.sock.
[[nodiscard]] std::string read_only_twin(const std::string& socket);

// Why a capture ended well.
enum class CaptureEnd : std::uint8_t {
  kLimit,        // one of its own
  kEnough,       // nobody takes more
  kInterrupted,  // `stop` was readable
};

class Client {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Fails at once when nobody listens at `socket`.
  static Outcome<Client> connect(const std::string& socket);

  [[nodiscard]] Outcome<rpc::VersionReply> version(Time deadline) const;
  [[nodiscard]] Outcome<rpc::StatusReply> status(Time deadline) const;
  [[nodiscard]] Outcome<rpc::ServicesReply> services(const std::string& service,
                                                     Time deadline) const;
  [[nodiscard]] Outcome<rpc::BackendsReply> backends(const std::string& service,
                                                     const std::string& backend,
                                                     Time deadline) const;
  [[nodiscard]] Outcome<rpc::CountersReply> counters(Time deadline) const;
  // All parts of the stream in one reply.
  [[nodiscard]] Outcome<path::FlowsReply> flows(const path::Flows& filter, Time deadline) const;
  [[nodiscard]] Outcome<rpc::ChangeReply> set_weight(const rpc::SetWeightRequest& request,
                                                     Time deadline) const;
  [[nodiscard]] Outcome<rpc::ChangeReply> set_mode(const rpc::SetModeRequest& request,
                                                   Time deadline) const;
  [[nodiscard]] Outcome<rpc::ReloadReply> reload(const rpc::ReloadRequest& request,
                                                 Time deadline) const;
  [[nodiscard]] Outcome<rpc::KeysReply> keys(Time deadline) const;
  [[nodiscard]] Outcome<rpc::HistoryReply> history(const rpc::HistoryRequest& request,
                                                   Time deadline) const;
  [[nodiscard]] Outcome<rpc::RotateKeysReply> rotate_keys(const rpc::RotateKeysRequest& request,
                                                          Time deadline) const;
  [[nodiscard]] Outcome<path::ExplainReply> explain(const path::Explain& question,
                                                    Time deadline) const;
  // Hands over each part until `take` returns false or the descriptor `stop` becomes readable.
  // Gives up when it has not begun by `begin_by`; after that it may last.
  [[nodiscard]] Outcome<CaptureEnd> capture(
      const path::Capture& wanted, Time begin_by, int stop,
      const std::function<bool(const path::CaptureReply&)>& take) const;

  // Each event as it comes, until `take` returns false, the descriptor `stop` becomes readable (-1:
  // there is none) or hawserd has no more: then the value is false. No deadline: it may last.
  [[nodiscard]] Outcome<bool> events(const rpc::EventsRequest& request,
                                     std::optional<Time> deadline, int stop,
                                     const std::function<bool(const rpc::Event&)>& take) const;

  [[nodiscard]] const std::string& socket() const noexcept { return socket_; }

 private:
  std::string socket_;
  std::shared_ptr<rpc::Observe::Stub> observe_;
  std::shared_ptr<rpc::Administer::Stub> administer_;
};

}  // namespace hawser::ctl
