// Turns Protobuf messages into JSON by reflection, and adds what programs need besides.
#include "json.h"

#include <google/protobuf/descriptor.h>

#include "verdict.h"

namespace hawser::ctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// One value of a field; `index` below 0: the field is not repeated.
Json value_of(const Message& message, const Reflection& reflection, const FieldDescriptor& field,
              int index) {
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT32:
      return one ? reflection.GetUInt32(message, &field)
                 : reflection.GetRepeatedUInt32(message, &field, index);
    case FieldDescriptor::CPPTYPE_UINT64:
      return one ? reflection.GetUInt64(message, &field)
                 : reflection.GetRepeatedUInt64(message, &field, index);
    case FieldDescriptor::CPPTYPE_INT32:
      return one ? reflection.GetInt32(message, &field)
                 : reflection.GetRepeatedInt32(message, &field, index);
    case FieldDescriptor::CPPTYPE_INT64:
      return one ? reflection.GetInt64(message, &field)
                 : reflection.GetRepeatedInt64(message, &field, index);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return one ? reflection.GetDouble(message, &field)
                 : reflection.GetRepeatedDouble(message, &field, index);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return one ? reflection.GetFloat(message, &field)
                 : reflection.GetRepeatedFloat(message, &field, index);
    case FieldDescriptor::CPPTYPE_BOOL:
      return one ? reflection.GetBool(message, &field)
                 : reflection.GetRepeatedBool(message, &field, index);
    case FieldDescriptor::CPPTYPE_ENUM:
      return (one ? reflection.GetEnum(message, &field)
                  : reflection.GetRepeatedEnum(message, &field, index))
          ->name();
    case FieldDescriptor::CPPTYPE_STRING:
      return one ? reflection.GetString(message, &field)
                 : reflection.GetRepeatedString(message, &field, index);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return to_json(one ? reflection.GetMessage(message, &field)
                         : reflection.GetRepeatedMessage(message, &field, index));
  }
  return nullptr;
}

}  // namespace

Json to_json(const Message& message) {
  Json json = Json::object();
  const google::protobuf::Descriptor& descriptor = *message.GetDescriptor();
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (field.has_optional_keyword() && !reflection.HasField(message, &field)) {
      json[field.name()] = nullptr;
      continue;
    }
    if (!field.is_repeated()) {
      json[field.name()] = value_of(message, reflection, field, -1);
      continue;
    }
    Json list = Json::array();
    const int size = reflection.FieldSize(message, &field);
    for (int at = 0; at < size; ++at) list.push_back(value_of(message, reflection, field, at));
    json[field.name()] = std::move(list);
  }
  return json;
}

Json status_json(const rpc::StatusReply& status, const rpc::ServicesReply& services) {
  Json json;
  json["verdict"] = to_string(severity_of(status));
  json.update(to_json(status));
  json["service_list"] = to_json(services)["services"];
  return json;
}

Json backends_json(const rpc::BackendsReply& reply) {
  Json list = Json::array();
  for (const rpc::BackendRow& row : reply.backends()) {
    Json json;
    json["id"] = row.service() + "/" + row.name();
    json.update(to_json(row));
    list.push_back(std::move(json));
  }
  return Json{{"backends", std::move(list)}};
}

Json flows_json(const path::FlowsReply& reply) {
  Json json = to_json(reply);
  json.erase("last");
  return json;
}

Json change_json(const rpc::ChangeReply& reply) {
  Json json;
  json["changed"] = !reply.changes().empty() && !reply.dry_run();
  json["confirmed"] = reply.epoch() != 0;
  json.update(to_json(reply));
  return json;
}

Json reload_json(const rpc::ReloadReply& reply) {
  Json json;
  json["changed"] = !reply.changes().empty() && !reply.dry_run() && reply.diagnostics().empty();
  json["confirmed"] = reply.epoch() != 0;
  json.update(to_json(reply));
  return json;
}

Json rotation_json(const rpc::RotateKeysReply& reply) {
  Json json;
  json["changed"] = !reply.dry_run();
  json["confirmed"] = reply.epoch() != 0;
  json.update(to_json(reply.keys()));
  Json rest = to_json(reply);
  rest.erase("keys");
  json.update(rest);
  return json;
}

Json version_json(const rpc::VersionReply& reply) {
  Json json;
  json["hawserctl"] = HAWSER_VERSION;
  json.update(to_json(reply));
  return json;
}

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string dump_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hawser::ctl
