// Options that several sub-commands share: ways of forwarding, how many flows, how many packets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "hawser/base/limits.h"
#include "hawser/model/service.h"
#include "hawser/pipeline/verdict.h"

namespace hawser::bench {

// A way of forwarding, and the verdict of what goes that way.
struct Mode {
  model::Forward forward;
  pipeline::Verdict verdict;
};

// By what `--mode` calls them.
inline const std::map<std::string, Mode>& modes() {
  static const std::map<std::string, Mode> all{
      {"dsr-ipip", {model::Forward::kDsrIpip, pipeline::Verdict::kForwardDsrIpip}},
      {"dsr-gue", {model::Forward::kDsrGue, pipeline::Verdict::kForwardDsrGue}},
      {"dsr-l2", {model::Forward::kDsrL2, pipeline::Verdict::kForwardDsrL2}},
      {"nat", {model::Forward::kNat, pipeline::Verdict::kForwardNat}}};
  return all;
}

// Flows that a table is made for unless somebody says otherwise: that many cost the same cache
// misses however few of them are in use.
inline constexpr std::size_t kCapacity = std::size_t{8} << 20;

struct PacketOptions {
  std::vector<std::uint32_t> flows{1, 1U << 10, 1U << 16, 1U << 20, 1U << 22, 1U << 23};
  std::size_t packets = std::size_t{8} << 20;

  // Every flow has its turn at least twice.
  [[nodiscard]] std::size_t packets_for(std::uint32_t number) const {
    return std::max<std::size_t>(packets, 2 * std::size_t{number}) / limits::kBurst *
           limits::kBurst;
  }
};

// Powers of two, so that taking turns costs a mask.
inline CLI::Validator power_of_two(std::uint32_t least, std::uint32_t most) {
  return CLI::Validator(
      [least, most](std::string& text) {
        const unsigned long long value = std::strtoull(text.c_str(), nullptr, 10);
        const bool fits = value >= least && value <= most && (value & (value - 1)) == 0;
        return fits ? std::string()
                    : text + " is no power of two from " + std::to_string(least) + " to " +
                          std::to_string(most);
      },
      "POWER_OF_TWO");
}

// Numbers such as 1,1024,1048576.
inline void add_packet_options(CLI::App& app, PacketOptions& options) {
  app.add_option("--flows", options.flows, "flows that take turns, several with commas between")
      ->delimiter(',')
      ->check(power_of_two(1, 1U << 24))
      ->capture_default_str();
  app.add_option("--packets", options.packets, "packets of one measurement, at least")
      ->check(CLI::Range(std::size_t{limits::kBurst}, std::size_t{1} << 32))
      ->capture_default_str();
}

inline void add_family(CLI::App& app, unsigned& family) {
  app.add_option("--family", family, "4 or 6: IPv4 or IPv6")
      ->check(CLI::IsMember({4, 6}))
      ->capture_default_str();
}

inline void add_capacity(CLI::App& app, std::size_t& capacity) {
  app.add_option("--capacity", capacity, "flows that the table is made for, at least")
      ->check(CLI::Range(std::size_t{1}, std::size_t{limits::kMaxFlowsPerWorker}))
      ->capture_default_str();
}

}  // namespace hawser::bench
