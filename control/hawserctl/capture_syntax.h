// The syntax of `capture`: rows of the table of commands, and how its values are read.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "commands.h"
#include "hawser/base/limits.h"
#include "hawser/model/verdict_names.h"

namespace hawser::ctl {

// N of "1/N", from 1 to limits::kMaxCaptureSample; nothing when it is something else.
[[nodiscard]] std::optional<std::uint32_t> parse_sample(std::string_view text);

inline constexpr std::array<std::string_view, 3> kCaptureSides{"received", "sent", "both"};

// Kinds first; a verdict with the name of its kind is there once.
inline constexpr auto kCaptureVerdicts = [] {
  std::array<std::string_view, model::kVerdictKindNames.size() + model::kVerdictNames.size() - 1>
      words;
  std::size_t at = 0;
  for (const std::string_view kind : model::kVerdictKindNames) words[at++] = kind;
  for (const std::string_view name : model::kVerdictNames) {
    if (name != "hand_off") words[at++] = name;
  }
  return words;
}();

inline constexpr std::array kCaptureOptions{
    Option{"--out", "FILE", Value::kPath,
           "where the packets go, as pcapng; - is standard output, for | wireshark -k -i -"},
    Option{"--force", "", Value::kFlag, "write over FILE if it is there"},
    Option{"--service", "SERVICE", Value::kService, "only packets of this service"},
    Option{"--backend", "BACKEND", Value::kBackend, "only packets from and to this backend"},
    Option{"--client", "ADDRESS[/BITS]", Value::kText,
           "only packets of this client or network, on both sides of the balancer"},
    Option{"--verdict", "VERDICT", Value::kVerdict,
           "only packets with this verdict, as in counters, or of this kind: forward, reply, hold, "
           "hand_off, punt or drop; may be repeated",
           0, 0, true},
    Option{"--side", "SIDE", Value::kSide,
           "received: packets as they came in; sent: as they went out; default both"},
    Option{"--count", "N", Value::kNumber, "end after N frames", 1, limits::kMaxCaptureFrames},
    Option{"--seconds", "T", Value::kSeconds, "end after that long", 0, limits::kMaxCaptureSeconds},
    Option{"--snap", "BYTES", Value::kNumber, "of each frame at most; default all of it",
           limits::kMinCaptureSnap, limits::kMaxFrame},
    Option{"--sample", "1/N", Value::kSample, "one of N packets, received and sent together"}};

inline constexpr std::array kCaptureExamples{
    Example{"hawserctl capture --client 192.0.2.7 --out user.pcapng",
            "all that one user and his backends say, until Ctrl-C"},
    Example{"hawserctl capture --verdict drop --count 100 --out drops.pcapng",
            "what is dropped, and under which name"},
    Example{"hawserctl capture --service web --sample 1/100 --out - | wireshark -k -i -", "live"}};

inline constexpr std::string_view kCaptureDetails =
    "Takes packets from the running dataplane into a pcapng file for Wireshark, tcpdump or tshark. "
    "A packet that is forwarded or answered is there twice: inbound as it came in and outbound as "
    "it went out; --side leaves one out. Each has a comment: its verdict, service, backend and "
    "worker, and what was changed on the way. The filters apply together. It runs until --count, "
    "--seconds, Ctrl-C, or until nobody reads its output; the file is complete in each case, and "
    "its last blocks count what matched, what was sampled out, and what was dropped because it was "
    "more than workers may copy. --timeout is the time it may take to begin. One capture runs at a "
    "time: another is refused with exit code 3. Needs the admin socket.";

}  // namespace hawser::ctl
