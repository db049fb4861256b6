// What a value is completed with, and how a script is filled in.
#include "completion_parts.h"

namespace hawser::ctl {

std::string_view kind_of(Value value) {
  switch (value) {
    case Value::kPath:
      return "path";
    case Value::kService:
      return "service";
    case Value::kBackend:
      return "backend";
    case Value::kTarget:
      return "target";
    case Value::kSort:
    case Value::kAction:
    case Value::kPlanned:
    case Value::kShell:
    case Value::kVerdict:
    case Value::kSide:
      return "words";
    case Value::kFlag:
      return "flag";
    case Value::kText:
    case Value::kNumber:
    case Value::kSeconds:
    case Value::kDuration:
    case Value::kWord:
    case Value::kMethod:
    case Value::kRequestTarget:
    case Value::kHeader:
    case Value::kCookie:
    case Value::kEndpoint:
    case Value::kSample:
      return "none";
  }
  return "none";
}

std::vector<Verb> shown_verbs() {
  std::vector<Verb> shown;
  for (const Verb& verb : verbs()) {
    if (!verb.hidden) shown.push_back(verb);
  }
  return shown;
}

std::string words_text(Value value, std::string_view gap) {
  return joined(
      words_of(value), [](std::string_view word) { return word; }, gap);
}

std::string fill_in(std::string_view script,
                    std::span<const std::pair<std::string_view, std::string>> fills) {
  std::string out(script);
  for (const auto& [word, text] : fills) out.replace(out.find(word), word.size(), text);
  return out;
}

}  // namespace hawser::ctl
