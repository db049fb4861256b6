// Sums up the live flows of all workers.
#include "dataplane/load_board.h"

#include "dataplane/worker.h"
#include "hawser/base/limits.h"

namespace hawser::dataplane {
namespace {

constexpr std::size_t kBackends = limits::kMaxBackends + 1;
constexpr std::size_t kServices = limits::kMaxServices + 1;

}  // namespace

Result<LoadBoard> LoadBoard::create(std::size_t workers) {
  LoadBoard board;
  for (std::size_t w = 0; workers > 1 && w < workers; ++w) {
    Result<Mapping> backends = Mapping::create(kBackends * sizeof(Word), Pages::kSmall);
    if (!backends) return backends.error();
    Result<Mapping> services = Mapping::create(kServices * sizeof(Word), Pages::kSmall);
    if (!services) return services.error();
    board.backends_.push_back(*std::move(backends));
    board.services_.push_back(*std::move(services));
  }
  return board;
}

void LoadBoard::attach(pipeline::WorkerState& state) const noexcept {
  if (backends_.empty()) return;
  state.others = {.backends = backends_[state.id.value].as<Word>(kBackends),
                  .services = services_[state.id.value].as<Word>(kServices)};
}

void LoadBoard::sum_up(const pipeline::Snapshot& snapshot,
                       std::span<const std::unique_ptr<Worker>> workers) noexcept {
  const auto now = std::chrono::steady_clock::now();
  if (backends_.empty() || now < next_) return;
  next_ = now + limits::kLoadPeriod;
  const auto tell = [&](std::vector<Mapping>& board, std::size_t size, std::size_t index,
                        auto&& count_of) {
    std::uint64_t total = 0;
    for (const auto& worker : workers) total += count_of(worker->state());
    for (std::size_t w = 0; w < workers.size(); ++w) {
      const std::uint64_t others = total - count_of(workers[w]->state());
      board[w].as<Word>(size)[index].store(static_cast<std::uint32_t>(others),
                                           std::memory_order_relaxed);
    }
  };
  for (std::size_t id = 1; id < snapshot.backends.size(); ++id) {
    tell(backends_, kBackends, id,
         [&](const pipeline::WorkerState& state) { return state.backends[id].load(); });
  }
  for (std::size_t id = 1; id < snapshot.services.size(); ++id) {
    tell(services_, kServices, id,
         [&](const pipeline::WorkerState& state) { return state.service_flows[id].read(); });
  }
}

}  // namespace hawser::dataplane
