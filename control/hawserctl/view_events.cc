// The view of `events`: one line each.
#include <fmt/format.h>

#include "units.h"
#include "views.h"

namespace hawser::ctl {
namespace {

Tone tone_of(const std::string& severity) {
  if (severity == "critical") return Tone::kBad;
  return severity == "warning" ? Tone::kNotice : Tone::kFaint;
}

}  // namespace

std::string event_line(const rpc::Event& event, const Paint& paint) {
  std::string by;
  if (!event.author().empty()) by = " (" + event.author() + ")";
  if (!event.reason().empty()) by += ": " + event.reason();
  return fmt::format("{}  {}  {:<9}  {}{}\n", utc_text(event.at_unix_ms() / 1000),
                     paint(tone_of(event.severity()), fmt::format("{:<8}", event.severity())),
                     event.kind(), printable(event.text()), printable(by));
}

}  // namespace hawser::ctl
