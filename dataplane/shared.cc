// The variable by which workers tell that they hold no snapshot.
#include "dataplane/shared.h"

#include <rte_rcu_qsbr.h>

#include <cstdlib>

namespace hawser::dataplane {

Result<Readers> Readers::create(std::size_t workers) {
  const auto threads = static_cast<std::uint32_t>(workers);
  const std::size_t bytes = rte_rcu_qsbr_get_memsize(threads);
  auto* variable = static_cast<rte_rcu_qsbr*>(
      std::aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(bytes, RTE_CACHE_LINE_SIZE)));
  if (variable == nullptr || rte_rcu_qsbr_init(variable, threads) != 0) {
    std::free(variable);
    return fail("no memory to keep track of " + std::to_string(workers) + " workers");
  }
  return Readers(variable);
}

void Readers::Deleter::operator()(rte_rcu_qsbr* variable) const noexcept {
  std::free(variable);
}

void Readers::synchronise() noexcept {
  rte_rcu_qsbr_synchronize(variable_.get(), RTE_QSBR_THRID_INVALID);
}

}  // namespace hawser::dataplane
