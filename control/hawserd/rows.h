// Rows of services and backends as hawserctl shows them: state, counters and shares joined.
#pragma once

#include <string>
#include <vector>

#include "control.pb.h"
#include "controller.h"
#include "dataplane.pb.h"

namespace hawser::control {

// `service` and `backend` empty: all. `counters` may be empty when the dataplane did not answer.
[[nodiscard]] std::vector<v1::ServiceRow> service_rows(const View& view,
                                                       const dataplane::v1::CountersReply& counters,
                                                       const std::string& service);
[[nodiscard]] std::vector<v1::BackendRow> backend_rows(const View& view,
                                                       const dataplane::v1::CountersReply& counters,
                                                       const std::string& service,
                                                       const std::string& backend);
// Where runtime differs from the file.
[[nodiscard]] std::vector<v1::Drift> drift_rows(const View& view);

[[nodiscard]] v1::HistoryRow history_row(const HistoryEntry& entry);

// Never the secrets.
[[nodiscard]] v1::Event event_row(const FleetEvent& event);
[[nodiscard]] v1::KeysReply keys_reply(const KeysView& view);

// Backends that new flows may go to, of one service and of all.
[[nodiscard]] std::uint32_t backends_serving(const View& view, const model::Service& service);
[[nodiscard]] std::uint32_t backends_serving(const View& view);

}  // namespace hawser::control
