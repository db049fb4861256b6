// Writes a request as the lines that patterns are run over (model/rule_patterns.h).
//
// Nothing that no rule asks for is written. Threading: the layout is immutable; each worker writes
// into a buffer of its own. Nothing allocates but the constructors.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "hawser/l7/client_hello.h"
#include "hawser/l7/http_head.h"
#include "hawser/model/rule_patterns.h"

namespace hawser::l7 {

// The lines of one scan.
struct RuleSubject {
  explicit RuleSubject(std::size_t lines);

  void clear() noexcept;

  std::unique_ptr<char[]> bytes;  // limits::kRuleSubject; not touched before it is needed
  std::size_t size = 0;
  // By line: how often its name was met in this scan, and where its value ends (of several, the
  // last). An end of 0: not there.
  std::vector<std::uint16_t> met;
  std::vector<std::uint32_t> ends;
};

class RuleSubjectLayout {
 public:
  explicit RuleSubjectLayout(const model::RulePatterns& patterns);

  // Writes the lines of one scan, the first of which is 0. A value that comes several times for a
  // name with regular expressions is one value a scan, so that no match can begin in one and end in
  // another. True when a further scan has something to look at.
  [[nodiscard]] bool write(const RequestHead& head, std::size_t scan,
                           RuleSubject& out) const noexcept;
  [[nodiscard]] bool write(const ClientHello& hello, std::size_t scan,
                           RuleSubject& out) const noexcept;

 private:
  static constexpr std::uint16_t kNoLine = UINT16_MAX;

  struct Line {
    std::array<char, model::kRuleMarkBytes> mark;
    bool lower_case = false;
    bool regex = false;
  };

  // Names of headers, or of cookies, to lines: open addressing, at most half full.
  class Names {
   public:
    Names(const std::vector<model::RuleLine>& lines, model::RuleField field);

    [[nodiscard]] bool empty() const noexcept { return slots_.empty(); }
    // The line of that name, or kNoLine.
    [[nodiscard]] std::uint16_t find(std::string_view name) const noexcept;

   private:
    struct Slot {
      std::string name;  // headers: in lower case
      std::uint16_t line = kNoLine;
    };
    [[nodiscard]] std::uint32_t hash(std::string_view name) const noexcept;

    std::vector<Slot> slots_;    // none, or a power of two
    std::uint64_t lengths_ = 0;  // bit n: a name of n bytes is among them; 63: of more
    bool fold_ = false;          // without regard to case
  };

  void write_headers(const RequestHead& head, RuleSubject& out) const noexcept;
  [[nodiscard]] bool write_cookies(const RequestHead& head, std::size_t scan,
                                   RuleSubject& out) const noexcept;
  // A value of a name that may come again. True when it is for a later scan.
  [[nodiscard]] bool write_repeatable(std::uint16_t line, std::string_view value, std::size_t scan,
                                      RuleSubject& out) const noexcept;
  void write_line(std::uint16_t line, std::string_view value, RuleSubject& out) const noexcept;

  [[nodiscard]] bool begin(std::uint16_t line, std::size_t bytes, RuleSubject& out) const noexcept;
  void append(std::uint16_t line, std::string_view value, RuleSubject& out) const noexcept;
  void end(std::uint16_t line, RuleSubject& out) const noexcept;

  std::vector<Line> lines_;
  std::array<std::uint16_t, 7> fields_;  // lines of the fields without names, else kNoLine
  Names headers_;
  Names cookies_;
};

}  // namespace hawser::l7
