// Fuzz target: frames through the whole pipeline, under a snapshot with every kind of service.
//
// Input: records of one control byte and one length byte, then that many bytes of frame. The
// control byte picks the port, lets time pass and sweeps.
#include <sys/mman.h>

#include <cstring>

#include "../support/harness.h"
#include "target.h"

namespace hawser::tests {
namespace {

constexpr std::size_t kPage = 4096;

// Frames end at an unreadable page, so that reading past one crashes.
class GuardedFrame {
 public:
  GuardedFrame() {
    void* pages =
        mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    HAWSER_REQUIRE(pages != MAP_FAILED);
    end_ = static_cast<std::uint8_t*>(pages) + kPage;
    HAWSER_REQUIRE(mprotect(end_, kPage, PROT_NONE) == 0);
  }
  pipeline::Packet hold(std::span<const std::uint8_t> bytes) {
    pipeline::Packet packet;
    packet.data = end_ - bytes.size();
    std::memcpy(packet.data, bytes.data(), bytes.size());
    packet.length = static_cast<std::uint16_t>(bytes.size());
    packet.contiguous = packet.length;
    packet.capacity = packet.contiguous;
    return packet;
  }

 private:
  std::uint8_t* end_;
};

// Both tunnels, from either family into either.
void add_tunnels(std::vector<model::Service>& services) {
  for (const model::Forward forward : {model::Forward::kDsrIpip, model::Forward::kDsrGue}) {
    const std::string name(model::to_string(forward));
    const std::uint16_t port = forward == model::Forward::kDsrIpip ? 81 : 82;
    services.push_back(
        service(name + "4", "10.0.0.104", port,
                {backend("b5", "10.0.1.1", port), backend("b6", "fd00::1:1", port)}));
    services.back().forward = forward;
    services.push_back(
        service(name + "6", "fd00::104", port,
                {backend("b7", "10.0.1.1", port), backend("b8", "fd00::1:1", port)}));
    services.back().forward = forward;
  }
}

// Backends that are told of their clients, connection IDs, and limits.
void add_special(std::vector<model::Service>& services) {
  services.push_back(service("proxy", "10.0.0.105", 80, {backend("b9", "10.0.1.1", 8080)}));
  services.back().client_address = model::ClientAddress::kProxyV2;
  services.push_back(service("toa", "fd00::105", 80, {backend("b10", "fd00::1:1", 8080)}));
  services.back().client_address = model::ClientAddress::kToa;
  services.push_back(service("quic", "10.0.0.106", 443, {backend("b11", "10.0.1.1", 443)}));
  services.back().protocol = model::Protocol::kUdp;
  services.back().affinity.by = model::AffinityBy::kQuicCid;
  services.back().quic = {.config_id = 0, .server_id_length = 1, .nonce_length = 4, .key = ""};
  services.back().backends[0].quic_server_id = "\x07";
  services.back().protection = {.max_flows = 6,
                                .new_flow_rate = 100,
                                .source_rate = {.per_second = 50, .burst = 50},
                                .allow = {},
                                .deny = {}};
}

std::vector<model::Service> services() {
  std::vector<model::Service> result{
      service("nat4", "10.0.0.100", 80, {backend("b1", "10.0.1.1", 8080)}),
      service("nat6", "fd00::100", 80, {backend("b2", "fd00::1:1", 8080)}),
      service("udp4", "10.0.0.101", 53, {backend("b3", "10.0.1.1", 53)}),
      service("dsr4", "10.0.0.102", 80, {backend("b4", "10.0.1.1", 80)}),
      service("empty", "10.0.0.103", 80, {})};
  result[2].protocol = model::Protocol::kUdp;
  result[3].forward = model::Forward::kDsrL2;
  add_tunnels(result);
  add_special(result);
  return result;
}

Harness& harness() {
  static Harness& instance = *[] {
    auto* made = new Harness({default_port()}, {.ipv4_buckets = 4, .ipv6_buckets = 4});
    made->apply(services());
    return made;
  }();
  return instance;
}

void require_consistent(Harness& tested) {
  std::uint64_t flows = 0;
  for (const stats::BackendCounters& counters : tested.worker().backends.first(16)) {
    flows += counters.flows.read();
  }
  HAWSER_REQUIRE(flows == tested.worker().ipv4.live() + tested.worker().ipv6.live());
  HAWSER_REQUIRE(tested.worker().verdicts[0].read() == 0);
}

}  // namespace
}  // namespace hawser::tests

void fuzz_one(std::span<const std::uint8_t> input) {
  using namespace hawser;
  using namespace hawser::tests;
  static GuardedFrame guarded;
  static std::uint16_t now = 100;
  Reader reader(input);
  std::uint8_t control = 0;
  std::uint8_t length = 0;
  while (reader.read(control) && reader.read(length)) {
    std::span<const std::uint8_t> bytes;
    if (!reader.take(std::min<std::size_t>(length, reader.remaining()), bytes)) return;
    pipeline::Burst burst;
    burst.packets[0] = guarded.hold(bytes);
    burst.size = 1;
    do {
      harness().run(burst);
    } while (harness().worker().outbox.take_released(burst));
    if ((control & 1) != 0) harness().set_time(now = static_cast<std::uint16_t>(now + control));
    if ((control & 2) != 0) {
      pipeline::Context context = harness().context();
      pipeline::sweep(context, 20'000'000);
      pipeline::tick(context);
    }
  }
  require_consistent(harness());
}
