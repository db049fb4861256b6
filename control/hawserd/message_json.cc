// Writes Protobuf messages as JSON by reflection.
#include "message_json.h"

#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <nlohmann/json.hpp>

namespace hawser::control {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (c < ' ' || c > '~' || c == '"' || c == '\\') return false;
  }
  return true;
}

template <typename Number>
void append_number(Number value, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}", value);
}

void append_real(double value, std::string& out) {
  if (std::isfinite(value)) {
    append_number(value, out);
  } else {
    out += "null";
  }
}

class Writer {
 public:
  Writer(JsonFields fields, std::string& out) : fields_(fields), out_(out) {}

  void write(const Message& message) {
    const Reflection& reflection = *message.GetReflection();
    out_ += '{';
    const char* comma = "";
    const auto add = [&](const FieldDescriptor& field) {
      out_.append(comma).append("\"").append(field.name()).append("\":");
      comma = ",";
      write_field(message, reflection, field);
    };
    if (fields_ == JsonFields::kAll) {
      const google::protobuf::Descriptor& descriptor = *message.GetDescriptor();
      for (int i = 0; i < descriptor.field_count(); ++i) add(*descriptor.field(i));
    } else {
      std::vector<const FieldDescriptor*> set;
      reflection.ListFields(message, &set);
      for (const FieldDescriptor* field : set) add(*field);
    }
    out_ += '}';
  }

 private:
  void write_field(const Message& message, const Reflection& reflection,
                   const FieldDescriptor& field) {
    if (!field.is_repeated()) {
      // As hawserctl writes it: a message that is not there has its defaults.
      if (field.has_optional_keyword() && !reflection.HasField(message, &field)) {
        out_ += "null";
      } else {
        write_value(message, reflection, field, -1);
      }
      return;
    }
    out_ += '[';
    const int size = reflection.FieldSize(message, &field);
    for (int at = 0; at < size; ++at) {
      if (at != 0) out_ += ',';
      write_value(message, reflection, field, at);
    }
    out_ += ']';
  }

  // One value of a field; `index` below 0: the field is not repeated.
  void write_value(const Message& message, const Reflection& reflection,
                   const FieldDescriptor& field, int index) {
    const bool one = index < 0;
    std::string scratch;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_UINT32:
        return append_number(one ? reflection.GetUInt32(message, &field)
                                 : reflection.GetRepeatedUInt32(message, &field, index),
                             out_);
      case FieldDescriptor::CPPTYPE_UINT64:
        return append_number(one ? reflection.GetUInt64(message, &field)
                                 : reflection.GetRepeatedUInt64(message, &field, index),
                             out_);
      case FieldDescriptor::CPPTYPE_INT32:
        return append_number(one ? reflection.GetInt32(message, &field)
                                 : reflection.GetRepeatedInt32(message, &field, index),
                             out_);
      case FieldDescriptor::CPPTYPE_INT64:
        return append_number(one ? reflection.GetInt64(message, &field)
                                 : reflection.GetRepeatedInt64(message, &field, index),
                             out_);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return append_real(one ? reflection.GetDouble(message, &field)
                               : reflection.GetRepeatedDouble(message, &field, index),
                           out_);
      case FieldDescriptor::CPPTYPE_FLOAT:
        return append_real(
            static_cast<double>(one ? reflection.GetFloat(message, &field)
                                    : reflection.GetRepeatedFloat(message, &field, index)),
            out_);
      case FieldDescriptor::CPPTYPE_BOOL:
        out_ += (one ? reflection.GetBool(message, &field)
                     : reflection.GetRepeatedBool(message, &field, index))
                    ? "true"
                    : "false";
        return;
      case FieldDescriptor::CPPTYPE_ENUM:
        return append_json((one ? reflection.GetEnum(message, &field)
                                : reflection.GetRepeatedEnum(message, &field, index))
                               ->name(),
                           out_);
      case FieldDescriptor::CPPTYPE_STRING:
        return append_json(
            one ? reflection.GetStringReference(message, &field, &scratch)
                : reflection.GetRepeatedStringReference(message, &field, index, &scratch),
            out_);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return write(one ? reflection.GetMessage(message, &field)
                         : reflection.GetRepeatedMessage(message, &field, index));
    }
  }

  JsonFields fields_;
  std::string& out_;
};

}  // namespace

void append_json(const Message& message, JsonFields fields, std::string& out) {
  Writer(fields, out).write(message);
}

void append_json(std::string_view text, std::string& out) {
  if (is_plain(text)) {
    out.append("\"").append(text).append("\"");
    return;
  }
  using Json = nlohmann::json;
  out += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hawser::control
