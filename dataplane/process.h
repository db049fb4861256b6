// Process: the main core's work from start to stop.
//
// It answers requests, carries what is for the kernel, keeps neighbours known, and waits: no packet
// that is balanced ever comes here. Threading: the main thread.
#pragma once

#include <memory>
#include <vector>

#include "dataplane/eal.h"
#include "dataplane/exception.h"
#include "dataplane/handlers.h"
#include "dataplane/machine.h"
#include "dataplane/parts.h"
#include "dataplane/resolver.h"
#include "dataplane/server.h"
#include "dataplane/snapshots.h"
#include "dataplane/supervision.h"
#include "hawser/base/limits.h"
#include "hawser/base/result.h"
#include "hawser/model/configuration.h"

namespace hawser::dataplane {

class Process {
 public:
  // Everything up and forwarding, or what is wrong. SIGINT, SIGTERM, SIGHUP and SIGPIPE must be
  // blocked already, so that all threads inherit that.
  [[nodiscard]] static Result<std::unique_ptr<Process>> start(model::Configuration configuration,
                                                              const EalOptions& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Works until SIGINT or SIGTERM.
  void run();

 private:
  Process(model::Configuration configuration, Server server, std::unique_ptr<Machine> machine,
          std::vector<ExceptionPath::Link> links, int signals);

  [[nodiscard]] bool turn();
  void wait();
  void resolve();

  model::Configuration configuration_;
  Stopwatch stopwatch_;
  Server server_;
  std::unique_ptr<Machine> machine_;
  Snapshots snapshots_;
  Resolver resolver_;
  ExceptionPath exception_;
  Handlers handlers_;
  Supervision supervision_;
  int signals_;  // a signalfd
  Uptime next_tick_{};
  std::uint32_t wait_microseconds_ = limits::kMainShortWaitMicroseconds;  // of the next wait
  std::vector<pollfd> waits_;                                             // signals, TAPs, sockets
  std::vector<Resolver::Probe> probes_;
};

}  // namespace hawser::dataplane
