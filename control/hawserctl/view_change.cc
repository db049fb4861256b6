// The views of verbs that change something.
#include <fmt/format.h>

#include "views.h"

namespace hawser::ctl {
namespace {

std::string change_lines(const google::protobuf::RepeatedPtrField<rpc::Change>& changes,
                         bool dry_run, const Paint& paint) {
  std::string out;
  for (const rpc::Change& change : changes) {
    const std::string name = change.backend().empty()   ? change.service()
                             : change.service().empty() ? change.backend()
                                                        : change.service() + "/" + change.backend();
    const auto side = [](const std::string& text) { return text.empty() ? "none" : text; };
    out += fmt::format("{}{}: {} {} -> {}\n", dry_run ? "would change " : "",
                       paint(Tone::kStrong, printable(name)), change.field(),
                       printable(side(change.before())), printable(side(change.after())));
  }
  return out;
}

// What the change would do, apart from the lines around it.
std::string plan_part(const rpc::Plan& plan, const Paint& paint) {
  const std::string text = plan_view(plan, paint);
  return text.empty() ? text : text + "\n";
}

std::string confirmation(std::uint64_t epoch, bool dry_run) {
  if (dry_run) return "dry run: nothing was changed\n";
  if (epoch == 0) return "";
  return fmt::format("confirmed by the dataplane, epoch {}\n", epoch);
}

std::string note_line(const std::string& note, const Paint& paint) {
  return note.empty() ? "" : paint(Tone::kNotice, "note: " + printable(note)) + "\n";
}

// What a plan says to a change that was done all the same.
std::string forced_line(const rpc::Plan& plan, const Paint& paint) {
  const std::string refusal = refusal_of(plan);
  if (refusal.empty()) return "";
  return paint(Tone::kNotice, "forced: " + printable(refusal)) + "\n";
}

}  // namespace

std::string change_view(const rpc::ChangeReply& reply, std::string_view subject,
                        const Paint& paint) {
  if (reply.changes().empty()) {
    return fmt::format("{} already; nothing to change\n", printable(subject)) +
           note_line(reply.note(), paint);
  }
  std::string out = change_lines(reply.changes(), reply.dry_run(), paint);
  out += reply.dry_run() ? plan_part(reply.plan(), paint) : forced_line(reply.plan(), paint);
  return out + confirmation(reply.epoch(), reply.dry_run()) + note_line(reply.note(), paint);
}

std::string reload_view(const rpc::ReloadReply& reply, const Paint& paint) {
  std::string out = change_lines(reply.changes(), reply.dry_run(), paint);
  if (reply.changes().empty()) {
    out += "the file is good and says what is in force already; nothing to change\n";
  } else {
    if (reply.dry_run()) out += plan_part(reply.plan(), paint);
    out += confirmation(reply.epoch(), reply.dry_run());
  }
  for (const std::string& note : reply.notes()) out += note_line(note, paint);
  return out;
}

}  // namespace hawser::ctl
