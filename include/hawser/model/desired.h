// What the dataplane is told: services that snapshots share, so that copying copies no service.
//
// A service in a list never changes; put() replaces it. Each list is for one thread, the services
// themselves for all. Copying costs a pointer a service, comparing with a copy the same.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "hawser/model/service.h"

namespace hawser::model {

class ServiceList {
 public:
  using Pointer = std::shared_ptr<const Service>;

  // Goes over the services themselves.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Service;
    using difference_type = std::ptrdiff_t;
    using pointer = const Service*;
    using reference = const Service&;

    Iterator() = default;
    explicit Iterator(std::vector<Pointer>::const_iterator at) : at_(at) {}
    reference operator*() const { return **at_; }
    pointer operator->() const { return at_->get(); }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(at_++); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    std::vector<Pointer>::const_iterator at_;
  };

  ServiceList() = default;
  // Not explicit: a list of services is what is meant wherever services are written down.
  ServiceList(std::vector<Service> services) {
    reserve(services.size());
    for (Service& service : services) push_back(std::move(service));
  }
  ServiceList(std::initializer_list<Service> services)
      : ServiceList(std::vector<Service>(services)) {}

  [[nodiscard]] Iterator begin() const { return Iterator(services_.begin()); }
  [[nodiscard]] Iterator end() const { return Iterator(services_.end()); }
  [[nodiscard]] std::size_t size() const { return services_.size(); }
  [[nodiscard]] bool empty() const { return services_.empty(); }
  [[nodiscard]] const Service& operator[](std::size_t index) const { return *services_[index]; }
  [[nodiscard]] const Service& at(std::size_t index) const { return *services_.at(index); }
  // What two lists share is the same pointer in both.
  [[nodiscard]] const Pointer& shared(std::size_t index) const { return services_[index]; }

  void reserve(std::size_t size) { services_.reserve(size); }
  void push_back(Service service) {
    services_.push_back(std::make_shared<const Service>(std::move(service)));
  }
  void push_back(Pointer service) { services_.push_back(std::move(service)); }
  void put(std::size_t index, Service service) {
    services_[index] = std::make_shared<const Service>(std::move(service));
  }

  friend bool operator==(const ServiceList& a, const ServiceList& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a.services_[i] != b.services_[i] && !(a[i] == b[i])) return false;
    }
    return true;
  }

 private:
  std::vector<Pointer> services_;
};

// Everything the dataplane is told, whole: the services to forward and where to.
struct Desired {
  Epoch epoch;
  FlowKey flow_key{};
  // The one that signs first, then at most one that still counts.
  std::vector<CookieKey> cookie_keys;
  ServiceList services;
  std::vector<PrefixList> prefix_lists;
};

}  // namespace hawser::model
