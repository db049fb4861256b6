// SYN cookies: what of an offer is kept, and the MAC that says so.
#include "hawser/l4/syn_cookie.h"

#include <algorithm>

#include <sodium.h>

#include "hawser/base/bytes.h"
#include "hawser/base/limits.h"

namespace hawser::l4 {
namespace {

// --- what a cookie can carry ---------------------------------------------------------------------

struct Profile {
  std::array<std::uint16_t, 2> mss;  // by Family
  std::optional<std::uint8_t> window_scale;
  bool sack = false;
};

// From the least to the best. The first promises what every host must accept (RFC 9293 section
// 3.7.1); the others are what Windows and Linux offer by default, on a usual path and through a
// tunnel.
constexpr std::array<Profile, 4> kProfiles{{
    {.mss = {536, 1220}},
    {.mss = {1360, 1340}, .window_scale = 8, .sack = true},
    {.mss = {1460, 1440}, .window_scale = 8, .sack = true},
    {.mss = {1460, 1440}, .window_scale = 7, .sack = true},
}};
constexpr std::uint32_t kProfileBits = 0x3;

// With timestamps the MSS is an index into these: defaults, tunnels, PPPoE, Ethernet, jumbo frames.
using MssTable = std::array<std::uint16_t, 8>;
constexpr std::array<MssTable, 2> kMssTables{{
    {536, 1200, 1300, 1360, 1400, 1440, 1460, 8960},
    {1220, 1280, 1340, 1360, 1400, 1420, 1440, 8940},
}};

// The option byte: MSS index 3 bits, window scale 4 bits, SACK 1 bit.
constexpr std::uint8_t kNoWindowScale = 15;
static_assert(kNoWindowScale > limits::kMaxWindowScale);

std::size_t family_index(const SynTuple& tuple) noexcept {
  return tuple.client.is_ipv4() ? 0 : 1;
}

bool within(const Profile& profile, std::size_t family, const SynOffer& offer) noexcept {
  return profile.mss[family] <= offer.mss && profile.window_scale == offer.window_scale &&
         profile.sack <= offer.sack;
}

// The best profile that promises no more than was offered.
std::uint8_t profile_of(const SynOffer& offer, std::size_t family) noexcept {
  std::size_t index = kProfiles.size() - 1;
  while (index > 0 && !within(kProfiles[index], family, offer)) --index;
  return static_cast<std::uint8_t>(index);
}

SynOffer offer_of_profile(std::uint8_t index, std::size_t family) noexcept {
  const Profile& profile = kProfiles[index];
  return {.mss = profile.mss[family], .window_scale = profile.window_scale, .sack = profile.sack};
}

std::uint8_t option_byte_of(const SynOffer& offer, std::size_t family) noexcept {
  const MssTable& table = kMssTables[family];
  std::size_t index = table.size() - 1;
  while (index > 0 && table[index] > offer.mss) --index;
  const std::uint8_t scale =
      offer.window_scale ? std::min(*offer.window_scale, limits::kMaxWindowScale) : kNoWindowScale;
  return static_cast<std::uint8_t>(index << 5U | unsigned{scale} << 1U | (offer.sack ? 1U : 0U));
}

SynOffer offer_of_byte(std::uint8_t options, std::size_t family) noexcept {
  SynOffer offer{
      .mss = kMssTables[family][options >> 5U], .sack = (options & 1U) != 0, .timestamps = true};
  const auto scale = static_cast<std::uint8_t>(options >> 1U & 0x0fU);
  if (scale != kNoWindowScale) offer.window_scale = scale;
  return offer;
}

// --- the MAC -------------------------------------------------------------------------------------

// Which kind of cookie a MAC is for, so that none of one kind can serve as another.
enum class Kind : std::uint8_t { kSequenceAlone, kWithTimestamp };

struct Mac {
  std::uint32_t sequence;
  std::uint32_t timestamp;
};
static_assert(sizeof(Mac) == crypto_shorthash_BYTES);
static_assert(sizeof(SynKey) == crypto_shorthash_KEYBYTES);

// Signs, with every number as on the wire: client and service address, their ports, the client's
// initial sequence number, the window, the options, the kind. That is 22 or 46 bytes: the length
// tells the families apart.
class Signer {
 public:
  Signer(const SynKey& key, const SynTuple& tuple, Sequence client_isn, Kind kind) noexcept
      : key_(key), tuple_(tuple), client_isn_(client_isn), kind_(kind) {}

  [[nodiscard]] Mac sign(std::uint8_t options, std::uint32_t window) const noexcept {
    Message message;
    std::uint8_t* at = message.data();
    if (tuple_.client.is_ipv4()) {
      at = put(put(at, tuple_.client.v4()), tuple_.service.v4());
    } else {
      at = put(put(at, tuple_.client.v6()), tuple_.service.v6());
    }
    at = put(put(at, tuple_.client_port), tuple_.service_port);
    at = put(put(at, net::Big32(client_isn_.value)), net::Big32(window));
    at = put(put(at, options), kind_);
    std::array<std::uint8_t, sizeof(Mac)> hash;
    crypto_shorthash(hash.data(), message.data(), static_cast<std::size_t>(at - message.data()),
                     key_.data());
    return load<Mac>(hash.data());
  }

 private:
  static constexpr std::size_t kTail = 14;
  using Message = std::array<std::uint8_t, 2 * sizeof(net::Ipv6Address) + kTail>;

  // Where `value` ends.
  template <typename T>
  static std::uint8_t* put(std::uint8_t* at, const T& value) noexcept {
    store(at, value);
    return at + sizeof(T);
  }

  const SynKey& key_;
  const SynTuple& tuple_;
  Sequence client_isn_;
  Kind kind_;
};

// Thirty bits of MAC above the number of the profile it was made for.
Sequence sequence_alone(const Mac& mac, std::uint8_t profile) noexcept {
  return {(mac.sequence & ~kProfileBits) | profile};
}

// 24 bits of MAC above the options it was made for.
std::uint32_t timestamp_of(const Mac& mac, std::uint8_t options) noexcept {
  return (mac.timestamp & 0xffffff00U) | options;
}

}  // namespace

SynAnswer make_syn_cookie(const SynKey& key, const SynTuple& tuple, Sequence client_isn,
                          const SynOffer& offer, std::uint32_t window) noexcept {
  const std::size_t family = family_index(tuple);
  if (!offer.timestamps) {
    const std::uint8_t profile = profile_of(offer, family);
    const Signer signer(key, tuple, client_isn, Kind::kSequenceAlone);
    return {.sequence = sequence_alone(signer.sign(profile, window), profile),
            .kept = offer_of_profile(profile, family)};
  }
  const std::uint8_t options = option_byte_of(offer, family);
  const Mac mac = Signer(key, tuple, client_isn, Kind::kWithTimestamp).sign(options, window);
  return {.sequence = {mac.sequence},
          .timestamp = timestamp_of(mac, options),
          .kept = offer_of_byte(options, family)};
}

std::optional<SynOffer> check_syn_cookie(const SynKey& key, const SynTuple& tuple,
                                         Sequence client_isn, Sequence answer_isn,
                                         std::optional<std::uint32_t> timestamp_echo,
                                         std::uint32_t window) noexcept {
  const std::size_t family = family_index(tuple);
  const std::array<std::uint32_t, 2> windows{window, window - 1};
  if (!timestamp_echo) {
    const auto profile = static_cast<std::uint8_t>(answer_isn.value & kProfileBits);
    const Signer signer(key, tuple, client_isn, Kind::kSequenceAlone);
    for (const std::uint32_t candidate : windows) {
      if (sequence_alone(signer.sign(profile, candidate), profile) != answer_isn) continue;
      return offer_of_profile(profile, family);
    }
    return std::nullopt;
  }
  const auto options = static_cast<std::uint8_t>(*timestamp_echo);
  const Signer signer(key, tuple, client_isn, Kind::kWithTimestamp);
  for (const std::uint32_t candidate : windows) {
    const Mac mac = signer.sign(options, candidate);
    if (Sequence{mac.sequence} != answer_isn) continue;
    if (timestamp_of(mac, options) != *timestamp_echo) continue;
    return offer_of_byte(options, family);
  }
  return std::nullopt;
}

}  // namespace hawser::l4
