// Replies as text for people. Each function returns whole lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api.h"
#include "table.h"

namespace hawser::ctl {

// `now_unix` in seconds turns moments into "3 min ago".
[[nodiscard]] std::string status_view(const rpc::StatusReply& status,
                                      const rpc::ServicesReply& services, const Paint& paint,
                                      std::uint64_t now_unix);
[[nodiscard]] std::string services_view(const rpc::ServicesReply& reply, const Paint& paint);
// What services bear and whom they let in: the lower table of `services`.
[[nodiscard]] std::string settings_view(const rpc::ServicesReply& reply, const Paint& paint);
// What they do when backends come, fail and leave: the lowest table of `services`.
[[nodiscard]] std::string availability_view(const rpc::ServicesReply& reply, const Paint& paint,
                                            std::uint64_t now_unix);
[[nodiscard]] std::string backends_view(const rpc::BackendsReply& reply, const Paint& paint,
                                        std::uint64_t now_unix);
// `all`: also counters at zero.
[[nodiscard]] std::string counters_view(const rpc::CountersReply& reply, bool all,
                                        const Paint& paint);
// Of spliced services, behind counters_view().
[[nodiscard]] std::string service_counters_view(const rpc::CountersReply& reply, bool all,
                                                const Paint& paint);
[[nodiscard]] std::string flows_view(const path::FlowsReply& reply, const Paint& paint);
// `subject`: what was asked for, in case nothing changed ("web/b1: weight is 50").
[[nodiscard]] std::string change_view(const rpc::ChangeReply& reply, std::string_view subject,
                                      const Paint& paint);
// Of a file that was taken; a refused one is a failure.
[[nodiscard]] std::string reload_view(const rpc::ReloadReply& reply, const Paint& paint);

[[nodiscard]] std::string keys_view(const rpc::KeysReply& reply, const Paint& paint,
                                    std::uint64_t now_unix);
[[nodiscard]] std::string rotation_view(const rpc::RotateKeysReply& reply, const Paint& paint,
                                        std::uint64_t now_unix);
// Moments are told as they passed by and in UTC, to find them in logs and graphs.
[[nodiscard]] std::string history_view(const rpc::HistoryReply& reply, const Paint& paint,
                                       std::uint64_t now_unix);
// One line, without a table: events come one by one.
[[nodiscard]] std::string event_line(const rpc::Event& event, const Paint& paint);
// What the guards say, and what becomes of every backend of the services that change.
[[nodiscard]] std::string plan_view(const rpc::Plan& plan, const Paint& paint);
// "min_ready of web is 1, would be 0"; empty: no guard refuses.
[[nodiscard]] std::string refusal_of(const rpc::Plan& plan);
// One sentence, then the backend or the status.
[[nodiscard]] std::string why_view(const path::ExplainReply& reply, std::string_view service,
                                   const Paint& paint);
// The same behind a table of every step.
[[nodiscard]] std::string trace_view(const path::ExplainReply& reply, std::string_view service,
                                     const Paint& paint);

// How the state of a backend or service is coloured.
[[nodiscard]] Tone tone_of_state(std::string_view state) noexcept;

}  // namespace hawser::ctl
