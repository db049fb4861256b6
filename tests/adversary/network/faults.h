// What may happen to the segments of one direction, and how often it did.
#pragma once

#include <cstdint>
#include <string>

namespace hawser::adversary {

// Probabilities are per segment, 0 to 1; times are milliseconds.
struct Faults {
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;       // comes after some of the segments that follow it
  double reorder_span = 8;  // at most this many
  double reorder_ms = 20;   // and no later than this
  double jitter = 0;        // waits for a random time
  double jitter_ms = 5;     // at most this long
  double delay_ms = 0;      // every segment, before any of the others
  double split = 0;         // cut into smaller segments
  double split_most = 4;    // at most this many
  double merge = 0;         // waits for the next one of its flow, to become one with it
  double merge_ms = 2;      // at most this long
  double corrupt = 0;       // one bit of the payload flips, and the checksum stays

  friend bool operator==(const Faults&, const Faults&) = default;
};

// Reads "loss=0.01,split=0.2" over what `faults` has. Returns what is wrong, empty when nothing is.
[[nodiscard]] std::string read_faults(const std::string& text, Faults& faults);

struct Counts {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t other = 0;  // no TCP: forwarded only
  std::uint64_t segments = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t jittered = 0;
  std::uint64_t split = 0;
  std::uint64_t pieces = 0;  // that the split ones became
  std::uint64_t merged = 0;  // into the one before
  std::uint64_t corrupted = 0;
  std::uint64_t wrong_checksum = 0;  // as they came; forwarded unchanged
  std::uint64_t resets = 0;          // RST seen
  std::uint64_t unsent = 0;          // the kernel did not take them
  std::uint64_t missed = 0;          // came faster than they were read

  void add(const Counts& other_counts);
  [[nodiscard]] std::string json() const;
};

}  // namespace hawser::adversary
