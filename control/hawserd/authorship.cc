// Checks author and reason of a change.
#include "authorship.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawser::control {
namespace {

constexpr std::size_t kMaxAuthorBytes = 128;
constexpr std::size_t kMaxReasonBytes = 1024;

bool is_one_line(const std::string& text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

Result<void> check_authorship(const std::string& author, const std::string& reason) {
  if (author.size() > kMaxAuthorBytes || !is_one_line(author)) {
    return fail(fmt::format("the author must be one line of at most {} bytes", kMaxAuthorBytes));
  }
  if (reason.size() > kMaxReasonBytes || !is_one_line(reason)) {
    return fail(fmt::format("the reason must be one line of at most {} bytes", kMaxReasonBytes));
  }
  return {};
}

std::string author_or_unknown(const std::string& author) {
  return author.empty() ? "unknown" : author;
}

}  // namespace hawser::control
