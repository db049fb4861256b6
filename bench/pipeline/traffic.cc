// Opens the flows that traffic is made of.
#include "traffic.h"

#include <algorithm>

namespace hawser::bench {
namespace {

// With ten bytes of data a frame takes 64 bytes in memory over IPv4.
FrameTemplate with_data(tests::FrameSpec spec) {
  spec.payload = 10;
  return FrameTemplate(spec);
}

}  // namespace

Traffic::Traffic(Rig& rig, std::uint32_t flows, bool nat)
    : rig_(rig),
      flows_(flows),
      nat_(nat),
      from_client_(with_data(rig.from_client(net::kTcpAck))),
      from_backend_(with_data(rig.from_backend(net::kTcpAck))),
      mappings_(nat ? flows : 1) {}

void Traffic::each(pipeline::Verdict verdict,
                   const std::function<void(pipeline::Packet&, std::uint32_t)>& make,
                   const std::function<void(const pipeline::Packet&, std::uint32_t)>& after) {
  const Tally before = rig_.tally();
  pipeline::Burst burst;
  for (std::uint32_t first = 0; first < flows_; first += limits::kBurst) {
    // A turn empties the burst in the end; its packets stay readable.
    const std::uint32_t size = std::min<std::uint32_t>(limits::kBurst, flows_ - first);
    begin(burst, size);
    for (std::uint32_t i = 0; i < size; ++i) make(burst.packets[i], first + i);
    rig_.turn(burst);
    for (std::uint32_t i = 0; i < size; ++i) after(burst.packets[i], first + i);
  }
  require_verdicts(rig_.tally().since(before), {{verdict, flows_}});
}

void Traffic::open(pipeline::Verdict forward) {
  const FrameTemplate syn(rig_.from_client(net::kTcpSyn));
  const FrameTemplate syn_ack(rig_.from_backend(net::kTcpSyn | net::kTcpAck));
  const auto nothing = [](const pipeline::Packet&, std::uint32_t) {};
  each(
      forward,
      [&](pipeline::Packet& packet, std::uint32_t n) {
        put(packet, syn, client_of(n), rig_.service_end());
      },
      [&](const pipeline::Packet& packet, std::uint32_t n) {
        if (nat_) mappings_[n] = {syn.source(packet.data), syn.destination(packet.data)};
      });
  if (nat_) {
    each(
        pipeline::Verdict::kReturnNat,
        [&](pipeline::Packet& packet, std::uint32_t n) {
          put(packet, syn_ack, mappings_[n].backend, mappings_[n].local);
        },
        nothing);
  }
  each(
      forward,
      [&](pipeline::Packet& packet, std::uint32_t n) {
        put(packet, from_client_, client_of(n), rig_.service_end());
      },
      nothing);
}

}  // namespace hawser::bench
