// What a backend's agent says, in HAProxy's agent protocol: one line of words.
#include "agent_reply.h"

#include <algorithm>
#include <array>

#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

constexpr std::string_view kBetween = " \t,";
constexpr std::uint32_t kWhole = 100;

struct HealthWord {
  std::string_view word;
  AgentHealth health;
};
constexpr std::array<HealthWord, 5> kHealthWords{{{"up", AgentHealth::kUp},
                                                  {"down", AgentHealth::kDown},
                                                  {"fail", AgentHealth::kDown},
                                                  {"failed", AgentHealth::kDown},
                                                  {"stopped", AgentHealth::kDown}}};

struct ModeWord {
  std::string_view word;
  AgentMode mode;
};
constexpr std::array<ModeWord, 3> kModeWords{{{"ready", AgentMode::kReady},
                                              {"drain", AgentMode::kDrain},
                                              {"maint", AgentMode::kMaintenance}}};

std::string lower(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

bool digits_only(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "75%": how much of the weight; none when the word is no such thing.
std::optional<std::uint32_t> percent_of(std::string_view word) {
  if (word.empty() || word.back() != '%') return std::nullopt;
  word.remove_suffix(1);
  if (!digits_only(word)) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : word) {
    value = std::min(value * 10 + static_cast<std::uint32_t>(c - '0'), kWhole);
  }
  return value;
}

void note_word(std::string_view raw, AgentReply& out) {
  const std::string word = lower(raw);
  for (const HealthWord& known : kHealthWords) {
    if (known.word == word) {
      out.health = known.health;
      return;
    }
  }
  for (const ModeWord& known : kModeWords) {
    if (known.word == word) {
      out.mode = known.mode;
      return;
    }
  }
  constexpr std::string_view kConnections = "maxconn:";
  if (word.compare(0, kConnections.size(), kConnections) == 0 &&
      digits_only(std::string_view(word).substr(kConnections.size()))) {
    return;
  }
  if (const std::optional<std::uint32_t> percent = percent_of(word)) {
    out.percent = percent;
  } else if (out.unknown.empty()) {
    out.unknown = raw;
  }
}

}  // namespace

AgentReply parse_agent_reply(std::string_view line) {
  AgentReply reply;
  line = line.substr(0, std::min(line.find_first_of(std::string_view("\r\n\0", 3)), line.size()));
  while (!line.empty()) {
    const std::size_t start = line.find_first_not_of(kBetween);
    if (start == std::string_view::npos) break;
    line.remove_prefix(start);
    if (line.front() == '#') {
      const std::size_t text = line.find_first_not_of(" \t", 1);
      if (text != std::string_view::npos) reply.reason = line.substr(text);
      break;
    }
    const std::size_t end = std::min(line.find_first_of(kBetween), line.size());
    note_word(line.substr(0, end), reply);
    line.remove_prefix(end);
  }
  return reply;
}

void AgentMemory::note(const AgentReply& reply) {
  if (reply.health) health_ = reply.health;
  if (reply.mode) mode_ = reply.mode;
  if (!reply.percent) return;
  weightless_ = *reply.percent == 0;
  if (!weightless_) percent_ = reply.percent;
}

std::optional<AgentState> AgentMemory::state() const {
  if (mode_ == AgentMode::kMaintenance) return AgentState::kMaintenance;
  if (health_ == AgentHealth::kDown) return AgentState::kDown;
  if (mode_ == AgentMode::kDrain || weightless_) return AgentState::kDrain;
  if (health_ || mode_ || percent_) return AgentState::kUp;
  return std::nullopt;
}

std::string_view to_string(AgentState state) noexcept {
  constexpr std::array<std::string_view, 4> kWords{"maintenance", "down", "drain", "up"};
  return kWords[static_cast<std::size_t>(state)];
}

}  // namespace hawser::control
