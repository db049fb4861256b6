// Protobuf messages as JSON, written as text at once: a tree of values in between would cost more
// than the answer when there are ten thousand backends.
#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/message.h>

namespace hawser::control {

// Which fields are written.
enum class JsonFields {
  kAll,  // what `hawserctl --json` has: every one, an optional one that is not known as null
  kSet,  // but not those that are 0, false or empty
};

// Behind `out`. Keys are the names of the fields in their order, numbers are numbers (one that is
// not finite is null), enums are their names. Thread-safe.
void append_json(const google::protobuf::Message& message, JsonFields fields, std::string& out);

// A string of JSON, with its quotes; what is no UTF-8 becomes U+FFFD.
void append_json(std::string_view text, std::string& out);

}  // namespace hawser::control
