// What a backend's agent says, in HAProxy's agent protocol: one line of words.
//
// Words stand between blanks, tabs or commas, in any order and case; of several of one kind the
// last counts. What a line does not speak of stays as it was. HAProxy's manual, "agent-check".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hawser::control {

// What follows from all that an agent said so far, the strongest first.
enum class AgentState : std::uint8_t { kMaintenance, kDown, kDrain, kUp };

enum class AgentHealth : std::uint8_t { kUp, kDown };
enum class AgentMode : std::uint8_t { kReady, kDrain, kMaintenance };

struct AgentReply {
  std::optional<AgentHealth> health;     // up; down, fail, failed, stopped
  std::optional<AgentMode> mode;         // ready, drain, maint
  std::optional<std::uint32_t> percent;  // of the weight, 0 to 100; more counts as 100
  std::string reason;                    // behind the first '#'
  std::string unknown;                   // the first word that means nothing
  friend bool operator==(const AgentReply&, const AgentReply&) = default;
};

// `line` ends where its first line end is, if it has one. Words it does not know are passed over.
[[nodiscard]] AgentReply parse_agent_reply(std::string_view line);

// What one agent said so far. A mode and a health last until the agent takes them back: `up` ends
// `down`, `ready` ends `drain` and `maint`, as in HAProxy.
class AgentMemory {
 public:
  void note(const AgentReply& reply);
  // None: it never spoke of it.
  [[nodiscard]] std::optional<AgentState> state() const;
  [[nodiscard]] std::optional<std::uint32_t> percent() const { return percent_; }

 private:
  std::optional<AgentHealth> health_;
  std::optional<AgentMode> mode_;
  std::optional<std::uint32_t> percent_;  // 1 to 100
  bool weightless_ = false;               // 0 %: as drained
};

// "maintenance", "down", "drain", "up".
[[nodiscard]] std::string_view to_string(AgentState state) noexcept;

}  // namespace hawser::control
