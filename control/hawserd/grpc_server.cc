// gRPC on two Unix sockets: who may do what is decided by their modes and group.
#include "grpc_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include <fmt/format.h>
#include <grp.h>
#include <grpcpp/grpcpp.h>

#include "service_administer.h"
#include "service_observe.h"

namespace hawser::control {
namespace {

constexpr mode_t kAdminMode = 0660;
constexpr mode_t kReadOnlyMode = 0666;
constexpr std::chrono::seconds kShutdownTime{1};

bool answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size() + 1, sizeof(address.sun_path)));
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto* const target = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  const bool connected = connect(descriptor, target, sizeof(address)) == 0;
  close(descriptor);
  return connected;
}

Result<void> clear(const std::string& path) {
  if (answers(path)) {
    return fail(
        fmt::format("a live daemon answers on {}; stop it first, or give this one its own "
                    "socket in [control]",
                    path));
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail(fmt::format("cannot remove the stale socket {}: {}", path, std::strerror(errno)));
  }
  return {};
}

Result<void> guard(const std::string& path, mode_t mode, const std::string& group) {
  if (chmod(path.c_str(), mode) != 0) {
    return fail(fmt::format("cannot set the mode of {}: {}", path, std::strerror(errno)));
  }
  if (group.empty()) return {};
  const struct group* const entry = getgrnam(group.c_str());
  if (entry == nullptr) {
    return fail(
        fmt::format("[control] socket_group: there is no group \"{}\"; create it or "
                    "correct the name",
                    group));
  }
  if (chown(path.c_str(), static_cast<uid_t>(-1), entry->gr_gid) != 0) {
    return fail(fmt::format("cannot give {} to group {}: {}", path, group, std::strerror(errno)));
  }
  return {};
}

Result<std::unique_ptr<grpc::Server>> listen(const std::string& path, mode_t mode,
                                             const std::string& group,
                                             std::initializer_list<grpc::Service*> services) {
  Result<void> done = clear(path);
  if (!done) return done.error();
  grpc::ServerBuilder builder;
  int bound = 0;
  builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials(), &bound);
  for (grpc::Service* service : services) builder.RegisterService(service);
  // Closed to others from the first moment; guard() opens it as far as it should be.
  const mode_t before = umask(0177);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  umask(before);
  if (server == nullptr) return fail(fmt::format("cannot listen on {}", path));
  done = guard(path, mode, group);
  if (!done) return done.error();
  return server;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

struct GrpcServer::Parts {
  Parts(FileLock taken, std::string path, Controller& controller, DataplaneQuery query)
      : lock(std::move(taken)),
        socket(std::move(path)),
        watcher(query, watch),
        observe(controller, query, watch),
        administer(controller, std::move(query)) {}

  FileLock lock;
  std::string socket;
  Watch watch;
  Watcher watcher;
  ObserveService observe;
  AdministerService administer;
  std::unique_ptr<grpc::Server> admin;
  std::unique_ptr<grpc::Server> read_only;
  std::unique_ptr<v1::Observe::Stub> self;  // to ask whether the server answers
};

std::string read_only_twin(const std::string& socket) {
  constexpr std::size_t kEnding = 5;  // ".sock", which the configuration demands
  return socket.substr(0, socket.size() - kEnding) + "-ro.sock";
}

GrpcServer::GrpcServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<GrpcServer>> GrpcServer::start(const model::Control& settings,
                                                      const std::string& dataplane_socket,
                                                      Controller& controller) {
  const Result<void> made = make_directories(directory_of(settings.socket), 0755);
  if (!made) return made.error();
  Result<FileLock> lock =
      FileLock::take(settings.socket + ".lock", "the socket " + settings.socket);
  if (!lock) return lock.error();
  auto parts = std::make_unique<Parts>(*std::move(lock), settings.socket, controller,
                                       DataplaneQuery(dataplane_socket));
  Result<std::unique_ptr<grpc::Server>> admin = listen(
      settings.socket, kAdminMode, settings.socket_group, {&parts->observe, &parts->administer});
  if (!admin) return admin.error();
  parts->admin = *std::move(admin);
  Result<std::unique_ptr<grpc::Server>> read_only =
      listen(read_only_twin(settings.socket), kReadOnlyMode, "", {&parts->observe});
  if (!read_only) return read_only.error();
  parts->read_only = *std::move(read_only);
  parts->self = v1::Observe::NewStub(grpc::CreateChannel("unix:" + read_only_twin(settings.socket),
                                                         grpc::InsecureChannelCredentials()));
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(parts)));
}

bool GrpcServer::answers(std::chrono::milliseconds time) const {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + time);
  v1::VersionReply reply;
  return parts_->self->GetVersion(&context, {}, &reply).ok();
}

Watch& GrpcServer::watch() {
  return parts_->watch;
}

GrpcServer::~GrpcServer() {
  const auto deadline = std::chrono::system_clock::now() + kShutdownTime;
  parts_->admin->Shutdown(deadline);
  parts_->read_only->Shutdown(deadline);
  unlink(parts_->socket.c_str());
  unlink(read_only_twin(parts_->socket).c_str());
}

}  // namespace hawser::control
