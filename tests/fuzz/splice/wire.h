// Wire: one direction of a link in virtual time, with whatever an adversary does to it.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "../../support/model_tcp.h"
#include "network/direction.h"

namespace hawser::simulation {

class Wire {
 public:
  virtual ~Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  virtual void put(const Frame& frame, Milliseconds now) = 0;
  // Appends what comes out by now.
  virtual void take(Milliseconds now, std::vector<Frame>& out) = 0;
  [[nodiscard]] virtual std::optional<Milliseconds> deadline() const = 0;

 protected:
  Wire() = default;
};

// The adversary between real kernels, by a seed. Heals at a moment: then nothing happens any more
// to what comes.
[[nodiscard]] std::unique_ptr<Wire> make_hostile_wire(const adversary::Faults& faults,
                                                      std::uint64_t seed, std::size_t mtu,
                                                      adversary::Announced& announced,
                                                      Milliseconds heals_at);

// Each segment's fate is chosen as it comes.
[[nodiscard]] std::unique_ptr<Wire> make_chosen_wire(Choices& choices, std::size_t mtu,
                                                     adversary::Announced& announced,
                                                     Milliseconds heals_at);

}  // namespace hawser::simulation
