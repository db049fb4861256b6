// Calls hawserd over gRPC.
#include "client.h"

#include <string_view>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "canceller.h"
#include "errors.h"

namespace hawser::ctl {
namespace {

void set_deadline(grpc::ClientContext& context, Client::Time deadline) {
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::duration_cast<std::chrono::system_clock::duration>(
                           deadline - std::chrono::steady_clock::now()));
}

template <typename Stub, typename Request, typename Reply>
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Reply*);

template <typename Stub, typename Request, typename Reply>
Outcome<Reply> call(Stub& stub, Method<Stub, Request, Reply> method, const Request& request,
                    Client::Time deadline, const std::string& socket) {
  grpc::ClientContext context;
  set_deadline(context, deadline);
  Reply reply;
  const grpc::Status status = (stub.*method)(&context, request, &reply);
  if (!status.ok()) return failure_of(status, socket);
  return reply;
}

}  // namespace

std::string read_only_twin(const std::string& socket) {
  constexpr std::string_view kSuffix = ".sock";
  const bool usual = socket.ends_with(kSuffix);
  const std::string stem = usual ? socket.substr(0, socket.size() - kSuffix.size()) : socket;
  return stem + "-ro" + (usual ? std::string(kSuffix) : "");
}

Outcome<Client> Client::connect(const std::string& socket) {
  if (auto failure = probe(socket)) return *failure;
  grpc::ChannelArguments channel_arguments;
  channel_arguments.SetMaxReceiveMessageSize(-1);  // unlimited: the peer is trusted and local
  channel_arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Waits and live views outlive a restart of hawserd: reconnect soon.
  channel_arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  channel_arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 200);
  channel_arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // gRPC would send the path of the socket as the HTTP/2 authority.
  channel_arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "hawserd");
  const std::string target = (socket.starts_with("/") ? "unix://" : "unix:") + socket;
  const auto channel =
      grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), channel_arguments);
  Client client;
  client.socket_ = socket;
  client.observe_ = rpc::Observe::NewStub(channel);
  client.administer_ = rpc::Administer::NewStub(channel);
  return client;
}

Outcome<rpc::VersionReply> Client::version(Time deadline) const {
  return call(*observe_, &rpc::Observe::Stub::GetVersion, rpc::VersionRequest(), deadline, socket_);
}

Outcome<rpc::StatusReply> Client::status(Time deadline) const {
  return call(*observe_, &rpc::Observe::Stub::GetStatus, rpc::StatusRequest(), deadline, socket_);
}

Outcome<rpc::ServicesReply> Client::services(const std::string& service, Time deadline) const {
  rpc::ServicesRequest request;
  request.set_service(service);
  return call(*observe_, &rpc::Observe::Stub::ListServices, request, deadline, socket_);
}

Outcome<rpc::BackendsReply> Client::backends(const std::string& service, const std::string& backend,
                                             Time deadline) const {
  rpc::BackendsRequest request;
  request.set_service(service);
  request.set_backend(backend);
  return call(*observe_, &rpc::Observe::Stub::ListBackends, request, deadline, socket_);
}

Outcome<rpc::CountersReply> Client::counters(Time deadline) const {
  return call(*observe_, &rpc::Observe::Stub::GetCounters, rpc::CountersRequest(), deadline,
              socket_);
}

Outcome<path::FlowsReply> Client::flows(const path::Flows& filter, Time deadline) const {
  grpc::ClientContext context;
  set_deadline(context, deadline);
  const auto reader = observe_->ListFlows(&context, filter);
  path::FlowsReply all;
  path::FlowsReply part;
  while (reader->Read(&part)) {
    for (path::Flow& flow : *part.mutable_flows()) *all.add_flows() = std::move(flow);
    if (part.truncated()) all.set_truncated(true);
    if (part.last()) all.set_last(true);
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return failure_of(status, socket_);
  return all;
}

Outcome<rpc::ChangeReply> Client::set_weight(const rpc::SetWeightRequest& request,
                                             Time deadline) const {
  return call(*administer_, &rpc::Administer::Stub::SetWeight, request, deadline, socket_);
}

Outcome<rpc::ChangeReply> Client::set_mode(const rpc::SetModeRequest& request,
                                           Time deadline) const {
  return call(*administer_, &rpc::Administer::Stub::SetMode, request, deadline, socket_);
}

Outcome<rpc::ReloadReply> Client::reload(const rpc::ReloadRequest& request, Time deadline) const {
  return call(*administer_, &rpc::Administer::Stub::Reload, request, deadline, socket_);
}

Outcome<rpc::KeysReply> Client::keys(Time deadline) const {
  return call(*observe_, &rpc::Observe::Stub::ListKeys, rpc::KeysRequest(), deadline, socket_);
}

Outcome<rpc::HistoryReply> Client::history(const rpc::HistoryRequest& request,
                                           Time deadline) const {
  return call(*observe_, &rpc::Observe::Stub::ListHistory, request, deadline, socket_);
}

Outcome<rpc::RotateKeysReply> Client::rotate_keys(const rpc::RotateKeysRequest& request,
                                                  Time deadline) const {
  return call(*administer_, &rpc::Administer::Stub::RotateKeys, request, deadline, socket_);
}

Outcome<bool> Client::events(const rpc::EventsRequest& request, std::optional<Time> deadline,
                             int stop, const std::function<bool(const rpc::Event&)>& take) const {
  grpc::ClientContext context;
  if (deadline) set_deadline(context, *deadline);
  Canceller canceller(context, stop, Time::max());
  canceller.begun();
  const auto reader = observe_->StreamEvents(&context, request);
  bool wanted = true;
  rpc::Event event;
  while (wanted && reader->Read(&event)) wanted = take(event);
  if (!wanted) context.TryCancel();
  const grpc::Status status = reader->Finish();
  if (!wanted || canceller.interrupted()) return true;
  if (!status.ok()) return failure_of(status, socket_);
  return false;
}

Outcome<path::ExplainReply> Client::explain(const path::Explain& question, Time deadline) const {
  return call(*observe_, &rpc::Observe::Stub::Explain, question, deadline, socket_);
}

}  // namespace hawser::ctl
