// Writes a request as the lines that patterns are run over.
#include "rule_subject.h"

#include <algorithm>
#include <cstring>

namespace hawser::l7 {
namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Values have no control characters but the tab, which is none to HTTP; a mark must be the only
// one.
bool has_control(std::string_view value) noexcept {
  unsigned found = 0;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    found |= static_cast<unsigned>(byte < 0x20) & static_cast<unsigned>(byte != '\t');
  }
  return found != 0;
}

// Names of one label may end in a dot, which changes nothing (RFC 1034 section 3.1).
std::string_view without_final_dot(std::string_view host) noexcept {
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  return host;
}

std::uint64_t length_bit(std::size_t length) noexcept {
  return std::uint64_t{1} << std::min<std::size_t>(length, 63);
}

}  // namespace

RuleSubject::RuleSubject(std::size_t lines)
    : bytes(new char[limits::kRuleSubject]), met(lines), ends(lines) {}

void RuleSubject::clear() noexcept {
  size = 0;
  std::fill(met.begin(), met.end(), std::uint16_t{0});
  std::fill(ends.begin(), ends.end(), std::uint32_t{0});
}

// --- names ---------------------------------------------------------------------------------------

RuleSubjectLayout::Names::Names(const std::vector<model::RuleLine>& lines, model::RuleField field)
    : fold_(field == model::RuleField::kHeader) {
  const auto of_field = [&](const model::RuleLine& line) { return line.field == field; };
  const auto count = static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), of_field));
  if (count == 0) return;
  std::size_t size = 2;
  while (size < 2 * count) size *= 2;
  slots_.resize(size);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!of_field(lines[i])) continue;
    std::size_t at = hash(lines[i].name) & (size - 1);
    while (slots_[at].line != kNoLine) at = (at + 1) & (size - 1);
    slots_[at] = {.name = lines[i].name, .line = static_cast<std::uint16_t>(i)};
    lengths_ |= length_bit(lines[i].name.size());
  }
}

// FNV-1a (Fowler, Noll, Vo): names are short, and only those of a length that occurs get here.
std::uint32_t RuleSubjectLayout::Names::hash(std::string_view name) const noexcept {
  std::uint32_t hash = 2166136261U;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(fold_ ? lower(c) : c)) * 16777619U;
  }
  return hash;
}

std::uint16_t RuleSubjectLayout::Names::find(std::string_view name) const noexcept {
  if ((lengths_ & length_bit(name.size())) == 0) return kNoLine;
  const auto same = [&](const std::string& known) {
    return known.size() == name.size() &&
           std::equal(name.begin(), name.end(), known.begin(),
                      [&](char c, char k) { return (fold_ ? lower(c) : c) == k; });
  };
  for (std::size_t at = hash(name) & (slots_.size() - 1); slots_[at].line != kNoLine;
       at = (at + 1) & (slots_.size() - 1)) {
    if (same(slots_[at].name)) return slots_[at].line;
  }
  return kNoLine;
}

// --- lines ---------------------------------------------------------------------------------------

RuleSubjectLayout::RuleSubjectLayout(const model::RulePatterns& patterns)
    : headers_(patterns.lines, model::RuleField::kHeader),
      cookies_(patterns.lines, model::RuleField::kCookie) {
  fields_.fill(kNoLine);
  for (std::size_t i = 0; i < patterns.lines.size(); ++i) {
    const model::RuleLine& line = patterns.lines[i];
    lines_.push_back({.mark = model::rule_mark(i),
                      .lower_case = model::is_lower_case(line.field),
                      .regex = line.regex});
    fields_[static_cast<std::size_t>(line.field)] = static_cast<std::uint16_t>(i);
  }
}

bool RuleSubjectLayout::begin(std::uint16_t line, std::size_t bytes,
                              RuleSubject& out) const noexcept {
  if (limits::kRuleSubject - out.size < model::kRuleMarkBytes + bytes + 1) return false;
  std::memcpy(&out.bytes[out.size], lines_[line].mark.data(), model::kRuleMarkBytes);
  out.size += model::kRuleMarkBytes;
  return true;
}

void RuleSubjectLayout::append(std::uint16_t line, std::string_view value,
                               RuleSubject& out) const noexcept {
  char* const to = &out.bytes[out.size];
  if (lines_[line].lower_case) {
    std::transform(value.begin(), value.end(), to, lower);
  } else {
    std::copy(value.begin(), value.end(), to);
  }
  out.size += value.size();
}

void RuleSubjectLayout::end(std::uint16_t line, RuleSubject& out) const noexcept {
  out.ends[line] = static_cast<std::uint32_t>(out.size);
  out.bytes[out.size++] = '\n';
}

void RuleSubjectLayout::write_line(std::uint16_t line, std::string_view value,
                                   RuleSubject& out) const noexcept {
  if (line == kNoLine || has_control(value) || !begin(line, value.size(), out)) return;
  append(line, value, out);
  end(line, out);
}

bool RuleSubjectLayout::write_repeatable(std::uint16_t line, std::string_view value,
                                         std::size_t scan, RuleSubject& out) const noexcept {
  if (!lines_[line].regex) {
    if (scan == 0) write_line(line, value, out);
    return false;
  }
  const std::size_t number = out.met[line]++;
  if (number == scan) write_line(line, value, out);
  return number > scan;
}

// Several headers of one name are one value, with a comma between (RFC 9110 section 5.3).
void RuleSubjectLayout::write_headers(const RequestHead& head, RuleSubject& out) const noexcept {
  constexpr std::string_view kComma = ", ";
  std::array<std::uint16_t, limits::kMaxHttpHeaders> lines;
  const std::span<const Header> headers = head.all();
  for (std::size_t i = 0; i < headers.size(); ++i) lines[i] = headers_.find(headers[i].name);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const std::uint16_t line = lines[i];
    if (line == kNoLine) continue;
    std::size_t bytes = 0;
    bool control = false;
    for (std::size_t j = i; j < headers.size(); ++j) {
      if (lines[j] != line) continue;
      bytes += headers[j].value.size() + kComma.size();
      control = control || has_control(headers[j].value);
    }
    const bool written = !control && begin(line, bytes, out);
    for (std::size_t j = i; j < headers.size(); ++j) {
      if (lines[j] != line) continue;
      lines[j] = kNoLine;
      if (!written) continue;
      if (j != i) append(line, kComma, out);
      append(line, headers[j].value, out);
    }
    if (written) end(line, out);
  }
}

bool RuleSubjectLayout::write_cookies(const RequestHead& head, std::size_t scan,
                                      RuleSubject& out) const noexcept {
  constexpr std::string_view kCookie = "cookie";
  bool more = false;
  for (const Header& header : head.all()) {
    if (header.name.size() != kCookie.size() || !equals_ignoring_case(header.name, kCookie)) {
      continue;
    }
    for_each_cookie(header.value, [&](std::string_view name, std::string_view value) {
      const std::uint16_t line = cookies_.find(name);
      if (line == kNoLine) return;
      const bool later = write_repeatable(line, value, scan, out);
      more = more || later;
    });
  }
  return more;
}

bool RuleSubjectLayout::write(const RequestHead& head, std::size_t scan,
                              RuleSubject& out) const noexcept {
  out.clear();
  if (scan == 0) {
    const auto line_of = [&](model::RuleField field) {
      return fields_[static_cast<std::size_t>(field)];
    };
    write_line(line_of(model::RuleField::kMethod), head.method, out);
    write_line(line_of(model::RuleField::kHost), without_final_dot(head.host), out);
    write_line(line_of(model::RuleField::kPath), head.path, out);
    if (!headers_.empty()) write_headers(head, out);
  }
  return !cookies_.empty() && write_cookies(head, scan, out);
}

bool RuleSubjectLayout::write(const ClientHello& hello, std::size_t scan,
                              RuleSubject& out) const noexcept {
  out.clear();
  const std::uint16_t name = fields_[static_cast<std::size_t>(model::RuleField::kServerName)];
  const std::uint16_t alpn = fields_[static_cast<std::size_t>(model::RuleField::kAlpn)];
  if (scan == 0 && hello.name_length != 0) write_line(name, hello.server_name(), out);
  if (alpn == kNoLine) return false;
  bool more = false;
  hello.for_each_protocol([&](std::string_view protocol) {
    const bool later = write_repeatable(alpn, protocol, scan, out);
    more = more || later;
  });
  return more;
}

}  // namespace hawser::l7
