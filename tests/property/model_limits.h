// The model's rates: what new flows a service bears on one worker.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "model_config.h"

namespace hawser::property {

// So many events a second, and so many at once; counted in thousandths, so that none is lost.
struct ModelBucket {
  std::int64_t missing = 0;
  Milliseconds asked = 0;

  [[nodiscard]] bool take(std::uint32_t per_second, std::uint32_t burst, Milliseconds now);
};

class ModelLimits {
 public:
  // May `client` open another flow? `share`: of the rate.
  [[nodiscard]] bool take_of_source(const net::IpAddress& client, const ModelService& service,
                                    std::uint16_t workers, Milliseconds now);
  [[nodiscard]] bool take_of_service(const ModelService& service, std::uint16_t workers,
                                     Milliseconds now);

 private:
  using Source = std::tuple<net::IpAddress, Destination>;
  std::map<Source, ModelBucket> sources_;
  std::map<ServiceId, ModelBucket> services_;
};

}  // namespace hawser::property
