// Narrows fields of a message after checking their range; remembers the first failure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "hawser/base/result.h"
#include "hawser/net/address.h"

namespace hawser::api {

class Fields {
 public:
  explicit Fields(std::string where) : where_(std::move(where)) {}

  template <typename T>
  T number(const char* what, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
    if (value < low || value > high) {
      fault(std::string(what) + " is " + std::to_string(value) + ", must be " +
            std::to_string(low) + " to " + std::to_string(high));
    }
    return static_cast<T>(value);
  }

  // An enumerator; those of a message and of the model are declared in the same order.
  template <typename E>
  E word(const char* what, int value, int max) {
    return number<E>(what, static_cast<std::uint64_t>(value), 0, static_cast<std::uint64_t>(max));
  }

  const std::string& text(const char* what, const std::string& value, std::size_t max_bytes) {
    if (value.size() > max_bytes) {
      fault(std::string(what) + " has " + std::to_string(value.size()) +
            " bytes, must have at most " + std::to_string(max_bytes));
    }
    return value;
  }

  net::IpAddress address(const std::string& raw) {
    Result<net::IpAddress> address = net::address_from_bytes(raw);
    if (address) return *address;
    fault(address.error().message);
    return {};
  }

  void fault(const std::string& what) {
    if (!failed_) error_ = fail(where_ + ": " + what);
    failed_ = true;
  }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  std::string where_;
  Error error_;
  bool failed_ = false;
};

}  // namespace hawser::api
