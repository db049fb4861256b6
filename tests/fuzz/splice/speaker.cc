// Writes and reads in pieces.
#include "speaker.h"

#include <algorithm>

#include "peer/content.h"
#include "peer/message.h"

namespace hawser::simulation {
namespace {

constexpr std::size_t kSmallPiece = 600;    // bytes
constexpr std::size_t kSendBuffer = 20000;  // bytes: more waits until some are acknowledged

std::string content(std::uint64_t seed, std::uint64_t offset, std::uint64_t length) {
  std::string bytes(length, '\0');
  adversary::fill_content(seed, offset,
                          {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

}  // namespace

void Speaker::say_content(std::uint64_t seed, std::uint64_t length) {
  say(content(seed, 0, length));
}

void Speaker::say_chunked(std::uint64_t seed, std::uint64_t length) {
  for (std::uint64_t at = 0; at < length;) {
    const std::uint64_t most = choices_.permille(300) ? 20 : choices_.permille(500) ? 2000 : 20000;
    const std::uint64_t count = std::min(length - at, choices_.between(1, most));
    std::string size = adversary::hex(count);
    if (choices_.permille(100)) size = "00" + size;
    if (choices_.permille(100)) size += adversary::kChunkExtension;
    say(size + "\r\n" + content(seed, at, count) + "\r\n");
    at += count;
  }
  say(choices_.permille(100) ? "000\r\n" : "0\r\n");
  if (choices_.permille(200)) say(std::string(adversary::kTrailer) + "\r\n");
  say("\r\n");
}

void Speaker::write(Milliseconds now) {
  while (!waiting_.empty() && now >= write_at_ && tcp_.unacknowledged() < kSendBuffer) {
    std::size_t count = waiting_.size();
    const std::size_t room = kSendBuffer - tcp_.unacknowledged();
    if (manner_.dribbles) {
      count = choices_.permille(250) ? 1 : choices_.between(1, std::min(count, kSmallPiece));
      if (choices_.permille(300)) {
        write_at_ = now + 1 + static_cast<Milliseconds>(choices_.below(manner_.pause_ms));
      }
    }
    count = std::min({count, waiting_.size(), room});
    tcp_.write(std::string_view(waiting_).substr(0, count), now);
    waiting_.erase(0, count);
  }
  if (!ends_ || ended_ || !waiting_.empty()) return;
  ended_ = true;
  if (reads_on_) {
    tcp_.shut(now);
  } else {
    tcp_.close(now);
  }
}

std::string Speaker::read(Milliseconds now) {
  if (tcp_.readable() == 0 || now < read_at_) return {};
  if (!manner_.reads_slowly) return tcp_.read(tcp_.readable(), now);
  const std::size_t count = choices_.between(1, tcp_.readable());
  read_at_ = now + 1 + static_cast<Milliseconds>(choices_.below(manner_.pause_ms));
  return tcp_.read(count, now);
}

std::optional<Milliseconds> Speaker::deadline() const {
  std::optional<Milliseconds> first;
  if (!waiting_.empty() && tcp_.unacknowledged() < kSendBuffer) first = write_at_;
  if (tcp_.readable() > 0 && (!first || read_at_ < *first)) first = read_at_;
  return first;
}

}  // namespace hawser::simulation
