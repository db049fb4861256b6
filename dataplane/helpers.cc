// Spreads work over threads on given cores.
#include "dataplane/helpers.h"

#include <sched.h>

#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

#include <pthread.h>

namespace hawser::dataplane {
namespace {

void move_to(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  static_cast<void>(pthread_setaffinity_np(pthread_self(), sizeof(set), &set));
}

}  // namespace

void spread(std::span<const unsigned> cores, std::size_t count,
            const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto help = [&] {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) work(i);
  };
  std::vector<std::thread> helpers;
  for (const unsigned core : cores) {
    try {
      helpers.emplace_back([&help, core] {
        move_to(core);
        help();
      });
    } catch (const std::system_error&) {
      break;
    }
  }
  help();
  for (std::thread& helper : helpers) helper.join();
}

}  // namespace hawser::dataplane
