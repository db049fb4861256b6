// Random changes of what operators want: services, backends, policies, weights.
#pragma once

#include <vector>

#include "hawser/model/desired.h"
#include "network.h"
#include "random.h"
#include "world.h"

namespace hawser::property {

class ChangeGenerator {
 public:
  ChangeGenerator(const Network& network, const model::FlowKey& key, const Shape& shape,
                  Random& random);

  // One to three changes more than the last time, as a whole.
  [[nodiscard]] model::Desired next();
  // In short, what the last call changed.
  [[nodiscard]] const std::string& last() const { return last_; }

 private:
  struct BackendChoice {
    bool present = true;
    std::size_t variant = 0;  // which of its addresses
    std::uint32_t weight = 100;
    model::Admission admission = model::Admission::kServing;
  };
  struct ServiceChoice {
    bool present = true;
    model::Service service;  // all but the backends
    std::vector<BackendChoice> backends;
  };

  void change(ServiceChoice& choice);
  void change(BackendChoice& choice);
  void change(model::Protection& protection);
  [[nodiscard]] model::PrefixList any_list(const std::string& name);
  [[nodiscard]] model::Service wanted(const Offer& offer, const ServiceChoice& choice) const;

  const Network& network_;
  model::FlowKey key_;
  const Shape& shape_;
  Random& random_;
  std::vector<model::PrefixList> lists_;
  std::vector<ServiceChoice> choices_;
  std::uint64_t epoch_ = 0;
  std::string last_;
};

}  // namespace hawser::property
