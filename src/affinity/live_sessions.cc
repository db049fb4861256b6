// Notes sessions in a sliding HyperLogLog, and estimates how many they are.
#include "hawser/affinity/live_sessions.h"

#include <bit>
#include <cmath>
#include <limits>

namespace hawser::affinity {
namespace {

constexpr std::uint32_t kModulus = 255;
constexpr unsigned kPerWord = 8;
constexpr std::uint32_t kWindow = limits::kSessionBuckets;
// Between two wipes. A byte is then at most kWindow + kWipe old, and when it is read up to kWindow
// more; a reader may also be kAhead behind the worker.
constexpr std::uint32_t kWipe = 64;
constexpr std::uint32_t kAhead = 4;
static_assert(kWindow + kWipe + kWindow + kAhead < kModulus);

constexpr auto kRelaxed = std::memory_order_relaxed;

std::uint8_t stamp_of(std::uint32_t bucket) noexcept {
  return static_cast<std::uint8_t>(1 + bucket % kModulus);
}
// Buckets since a stamp that is not 0.
std::uint32_t age_of(std::uint8_t stamp, std::uint32_t bucket) noexcept {
  return (bucket % kModulus + kModulus + 1 - stamp) % kModulus;
}
std::uint8_t byte_of(std::uint64_t word, unsigned index) noexcept {
  return static_cast<std::uint8_t>(word >> (index * 8));
}

// Ertl 2017, algorithm 6 and what it calls sigma and tau.
double sigma(double x) noexcept {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1;
  double z = x;
  for (double before = -1; z != before;) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}
double tau(double x) noexcept {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double z = 1 - x;
  for (double before = -1; z != before;) {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

}  // namespace

void LiveSessions::see(std::uint64_t id, std::uint32_t bucket) noexcept {
  if (bucket != last_.load(kRelaxed)) advance(bucket);
  const std::size_t index = id % kRegisters;
  const std::uint64_t rest = id / kRegisters | std::uint64_t{1} << (kRanks - 1);
  const auto rank = static_cast<unsigned>(std::countr_zero(rest));  // one less than it is called
  std::atomic<std::uint64_t>& word = words_[2 * index + rank / kPerWord];
  const unsigned shift = rank % kPerWord * 8;
  const std::uint64_t before = word.load(kRelaxed);
  const std::uint64_t stamp = stamp_of(last_.load(kRelaxed));
  const std::uint64_t after = (before & ~(std::uint64_t{0xff} << shift)) | stamp << shift;
  if (after != before) word.store(after, kRelaxed);
}

void LiveSessions::clear() noexcept {
  for (std::atomic<std::uint64_t>& word : words_) word.store(0, kRelaxed);
  last_.store(0, kRelaxed);
  wiped_ = 0;
}

// The clock on the wall may be set: a little back is as if it stood still, far off nothing that is
// noted means anything any more.
void LiveSessions::advance(std::uint32_t bucket) noexcept {
  const std::uint32_t last = last_.load(kRelaxed);
  if (bucket < last && last - bucket <= kWindow) return;
  if (bucket < last || bucket - last > kWindow) {
    clear();
    wiped_ = bucket;
  } else if (bucket - wiped_ >= kWipe) {
    wipe(bucket);
  }
  last_.store(bucket, kRelaxed);
}

void LiveSessions::wipe(std::uint32_t bucket) noexcept {
  for (std::atomic<std::uint64_t>& word : words_) {
    const std::uint64_t before = word.load(kRelaxed);
    if (before == 0) continue;
    std::uint64_t after = before;
    for (unsigned i = 0; i < kPerWord; ++i) {
      const std::uint8_t stamp = byte_of(before, i);
      const bool old = stamp != 0 && age_of(stamp, bucket) > kWindow;
      if (old) after &= ~(std::uint64_t{0xff} << (i * 8));
    }
    if (after != before) word.store(after, kRelaxed);
  }
  wiped_ = bucket;
}

unsigned LiveSessions::highest(std::size_t index, std::uint32_t now,
                               std::uint32_t buckets) const noexcept {
  const std::uint32_t last = last_.load(kRelaxed);
  if (now > last && now - last > kWindow) return 0;  // all of it; and the modulus would mislead
  if (now < last && last - now > kWindow) return 0;  // the clock was set
  if (now < last) now = last;
  for (unsigned half = 2; half-- > 0;) {
    const std::uint64_t word = words_[2 * index + half].load(kRelaxed);
    if (word == 0) continue;
    for (unsigned i = kPerWord; i-- > 0;) {
      const std::uint8_t stamp = byte_of(word, i);
      if (stamp == 0) continue;
      const std::uint32_t age = age_of(stamp, now);
      if (age <= buckets || age >= kModulus - kAhead) return half * kPerWord + i + 1;
    }
  }
  return 0;
}

double live_sessions(std::span<const LiveSessions* const> parts, std::uint32_t now,
                     std::uint32_t buckets) noexcept {
  constexpr std::size_t kRegisters = LiveSessions::kRegisters;
  constexpr unsigned kTop = LiveSessions::kRanks;
  std::array<std::uint32_t, kTop + 1> with{};  // registers by their highest rank
  for (std::size_t index = 0; index < kRegisters; ++index) {
    unsigned highest = 0;
    for (const LiveSessions* part : parts) {
      const unsigned one = part->highest(index, now, buckets);
      highest = one > highest ? one : highest;
    }
    ++with[highest];
  }
  if (with[0] == kRegisters) return 0;
  constexpr auto kM = static_cast<double>(kRegisters);
  double z = kM * tau(1 - static_cast<double>(with[kTop]) / kM);
  for (unsigned rank = kTop - 1; rank >= 1; --rank) z = 0.5 * (z + static_cast<double>(with[rank]));
  z += kM * sigma(static_cast<double>(with[0]) / kM);
  constexpr double kTwoLn2 = 1.3862943611198906;
  return kM * kM / (kTwoLn2 * z);
}

}  // namespace hawser::affinity
