// Rules over requests: one scan of Hyperscan for all of a service's rules, however many.
//
// hawserd compiles the patterns of a service into one database and hands it over serialised; here
// it is checked, and run over a subject that holds of each request just what the rules ask for, a
// line each: method, host, path, and the values of those headers and cookies that a rule names.
//
// Threading: immutable; each worker scans with a scratch space of its own. Allocates when created,
// never when searched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/base/strong.h"
#include "hawser/l7/client_hello.h"
#include "hawser/l7/http_head.h"
#include "hawser/model/splice.h"

namespace hawser::l7 {

class RuleSet {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;

  // Checks that the database is sound, of this Hyperscan, and compiled from these rules. With
  // scratch spaces for workers 0 to `workers` - 1 and one more, `workers`, for the main core.
  [[nodiscard]] static Result<std::shared_ptr<const RuleSet>> create(const model::Splice& splice,
                                                                     std::uint16_t workers);
  ~RuleSet();
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  // Index of the first rule whose conditions all hold; kNone when there is none.
  [[nodiscard]] std::size_t find(const RequestHead& head, WorkerId worker) const noexcept;
  [[nodiscard]] std::size_t find(const ClientHello& hello, WorkerId worker) const noexcept;

  [[nodiscard]] const std::vector<model::Rule>& rules() const noexcept;

 private:
  struct Parts;
  explicit RuleSet(std::unique_ptr<Parts> parts) noexcept;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hawser::l7
