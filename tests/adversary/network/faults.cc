// Reads faults from text and prints counts as JSON, each from one table of names.
#include "network/faults.h"

#include <charconv>
#include <sstream>

namespace hawser::adversary {
namespace {

struct FaultName {
  const char* name;
  double Faults::*member;
  double least;
  double most;
};

constexpr double kLongest = 10000;  // milliseconds: TCP gives up on anything longer
constexpr FaultName kFaultNames[] = {
    {"loss", &Faults::loss, 0, 1},
    {"duplicate", &Faults::duplicate, 0, 1},
    {"reorder", &Faults::reorder, 0, 1},
    {"reorder_span", &Faults::reorder_span, 1, 1000},
    {"reorder_ms", &Faults::reorder_ms, 0, kLongest},
    {"jitter", &Faults::jitter, 0, 1},
    {"jitter_ms", &Faults::jitter_ms, 0, kLongest},
    {"delay_ms", &Faults::delay_ms, 0, kLongest},
    {"split", &Faults::split, 0, 1},
    {"split_most", &Faults::split_most, 2, 64},
    {"merge", &Faults::merge, 0, 1},
    {"merge_ms", &Faults::merge_ms, 0, kLongest},
    {"corrupt", &Faults::corrupt, 0, 1},
};

struct CountName {
  const char* name;
  std::uint64_t Counts::*member;
};

constexpr CountName kCountNames[] = {
    {"received", &Counts::received},
    {"sent", &Counts::sent},
    {"other", &Counts::other},
    {"segments", &Counts::segments},
    {"lost", &Counts::lost},
    {"duplicated", &Counts::duplicated},
    {"reordered", &Counts::reordered},
    {"jittered", &Counts::jittered},
    {"split", &Counts::split},
    {"pieces", &Counts::pieces},
    {"merged", &Counts::merged},
    {"corrupted", &Counts::corrupted},
    {"wrong_checksum", &Counts::wrong_checksum},
    {"resets", &Counts::resets},
    {"unsent", &Counts::unsent},
    {"missed", &Counts::missed},
};

std::string read_fault(const std::string& item, Faults& faults) {
  const std::size_t sign = item.find('=');
  const std::string name = item.substr(0, sign);
  for (const FaultName& fault : kFaultNames) {
    if (name != fault.name) continue;
    if (sign == std::string::npos) return name + ": write it as " + name + "=NUMBER";
    double value = 0;
    const char* end = item.data() + item.size();
    const auto [at, error] = std::from_chars(item.data() + sign + 1, end, value);
    if (error != std::errc{} || at != end || !(value >= fault.least && value <= fault.most)) {
      std::ostringstream text;
      text << name << ": a number from " << fault.least << " to " << fault.most << ", not \""
           << item.substr(sign + 1) << '"';
      return text.str();
    }
    faults.*fault.member = value;
    return {};
  }
  std::string known;
  for (const FaultName& fault : kFaultNames) known += std::string(" ") + fault.name;
  return "\"" + name + "\" is no fault; there are" + known;
}

}  // namespace

std::string read_faults(const std::string& text, Faults& faults) {
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) {
    if (item.empty()) continue;
    if (std::string wrong = read_fault(item, faults); !wrong.empty()) return wrong;
  }
  return {};
}

void Counts::add(const Counts& other_counts) {
  for (const CountName& count : kCountNames) this->*count.member += other_counts.*count.member;
}

std::string Counts::json() const {
  std::string text = "{";
  for (const CountName& count : kCountNames) {
    if (text.size() > 1) text += ", ";
    text += '"' + std::string(count.name) + "\": " + std::to_string(this->*count.member);
  }
  return text + "}";
}

}  // namespace hawser::adversary
