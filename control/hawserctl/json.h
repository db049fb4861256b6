// Replies as JSON for programs: numbers as numbers, keys in a stable order.
//
// Keys are the names of the Protobuf fields plus what is added below. json_fields.h documents every
// one; a test compares the two, so a key cannot change unnoticed.
#pragma once

#include <string>

#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

#include "api.h"

namespace hawser::ctl {

using Json = nlohmann::ordered_json;

// Every field, also those at their default.
[[nodiscard]] Json to_json(const google::protobuf::Message& message);

// With "verdict" first and "service_list" last.
[[nodiscard]] Json status_json(const rpc::StatusReply& status, const rpc::ServicesReply& services);
// Each backend with "id" (service/name) first.
[[nodiscard]] Json backends_json(const rpc::BackendsReply& reply);
[[nodiscard]] Json flows_json(const path::FlowsReply& reply);
// With "changed" and "confirmed" first.
[[nodiscard]] Json change_json(const rpc::ChangeReply& reply);
[[nodiscard]] Json reload_json(const rpc::ReloadReply& reply);
// The keys at the top, as in the list; with "changed" and "confirmed" first.
[[nodiscard]] Json rotation_json(const rpc::RotateKeysReply& reply);
[[nodiscard]] Json version_json(const rpc::VersionReply& reply);

// Indented, with a newline at the end; text that is no UTF-8 is replaced, never refused.
[[nodiscard]] std::string dump(const Json& json);
// On one line.
[[nodiscard]] std::string dump_line(const Json& json);

}  // namespace hawser::ctl
