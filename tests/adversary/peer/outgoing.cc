// Fills a buffer from texts, contents and chunks, and writes it piece by piece.
#include "peer/outgoing.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "peer/content.h"
#include "peer/message.h"

namespace hawser::adversary {
namespace {

constexpr std::size_t kBuffer = 64 * 1024;    // bytes made at once
constexpr std::uint64_t kSmallBytes = 4000;   // bytes of an addition that dribble
constexpr std::uint64_t kLargestSmall = 700;  // bytes of a small piece

void append_content(std::string& to, std::uint64_t seed, std::uint64_t offset,
                    std::uint64_t length) {
  const std::size_t before = to.size();
  to.resize(before + length);
  fill_content(seed, offset,
               std::span(reinterpret_cast<std::uint8_t*>(to.data()) + before, length));
}

}  // namespace

Outgoing::Outgoing(std::uint64_t seed, bool dribble)
    : random_(seed), dribble_(dribble), budget_(dribble ? kSmallBytes : 0) {}

void Outgoing::add(std::string text) {
  if (dribble_) budget_ = kSmallBytes;
  parts_.push_back({std::move(text), 0, 0, 0, false});
}

void Outgoing::add_content(std::uint64_t seed, std::uint64_t length) {
  if (length > 0) parts_.push_back({{}, seed, length, 0, false});
}

void Outgoing::add_chunked(std::uint64_t seed, std::uint64_t length) {
  parts_.push_back({{}, seed, length, 0, true});
}

std::uint64_t Outgoing::waiting() const noexcept {
  std::uint64_t bytes = buffer_.size() - written_;
  for (const Part& part : parts_) bytes += part.text.size() + part.length - part.offset;
  return bytes;
}

void Outgoing::refill_chunk(Part& part) {
  const std::uint64_t left = part.length - part.offset;
  if (left == 0) {
    buffer_ += random_.chance(0.1) ? "000\r\n" : "0\r\n";
    if (random_.chance(0.2)) buffer_ += std::string(kTrailer) + "\r\n";
    buffer_ += "\r\n";
    parts_.pop_front();
    return;
  }
  const std::uint64_t most = random_.chance(0.3) ? 20 : random_.chance(0.5) ? 2000 : 50000;
  const std::uint64_t count = std::min(left, random_.between(1, most));
  std::string size = hex(count);
  if (random_.chance(0.2)) {
    std::transform(size.begin(), size.end(), size.begin(),
                   [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  }
  if (random_.chance(0.1)) size = "00" + size;
  if (random_.chance(0.1)) size += kChunkExtension;
  buffer_ += size + "\r\n";
  append_content(buffer_, part.seed, part.offset, count);
  buffer_ += "\r\n";
  part.offset += count;
}

void Outgoing::refill() {
  if (written_ == buffer_.size()) {
    buffer_.clear();
    written_ = 0;
  }
  while (!parts_.empty() && buffer_.size() < kBuffer) {
    Part& part = parts_.front();
    if (part.chunked) {
      refill_chunk(part);
      continue;
    }
    buffer_ += part.text;
    part.text.clear();
    const std::uint64_t count = std::min<std::uint64_t>(part.length - part.offset, kBuffer);
    append_content(buffer_, part.seed, part.offset, count);
    part.offset += count;
    if (part.offset == part.length) parts_.pop_front();
  }
}

std::size_t Outgoing::piece() {
  const std::size_t left = buffer_.size() - written_;
  if (budget_ > 0) {
    const std::size_t small = random_.chance(0.25) ? 1 : random_.between(1, kLargestSmall);
    const std::size_t count = std::min(left, small);
    budget_ -= std::min<std::uint64_t>(budget_, count);
    return count;
  }
  return random_.chance(0.7) ? left : random_.between(1, left);
}

Outgoing::Outcome Outgoing::flush(int descriptor) {
  for (;;) {
    if (buffer_.size() < kBuffer / 2 || written_ == buffer_.size()) refill();
    if (buffer_.empty()) return Outcome::kAll;
    const bool small = budget_ > 0;
    const ssize_t count =
        send(descriptor, buffer_.data() + written_, piece(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN ? Outcome::kBlocked : Outcome::kFailed;
    written_ += static_cast<std::size_t>(count);
    sent_ += static_cast<std::uint64_t>(count);
    if (written_ == buffer_.size()) {
      buffer_.clear();
      written_ = 0;
    }
    if (small && !empty() && random_.chance(0.4)) return Outcome::kPause;
  }
}

}  // namespace hawser::adversary
