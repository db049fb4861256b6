// Between messages and values of what is read in connections: cookies, rules, keys.
#pragma once

#include <string>

#include "fields.h"
#include "hawser/model/splice.h"

namespace hawser::dataplane::v1 {
class Cookie;
class CookieKey;
class Splice;
}  // namespace hawser::dataplane::v1

namespace hawser::api {

void to_message(const model::Splice& splice, dataplane::v1::Splice& message);
void to_message(const model::Cookie& cookie, dataplane::v1::Cookie& message);
void to_message(const model::CookieKey& key, dataplane::v1::CookieKey& message);

[[nodiscard]] Result<model::Splice> splice_from(const dataplane::v1::Splice& message,
                                                const std::string& service);
[[nodiscard]] model::Cookie cookie_from(const dataplane::v1::Cookie& message, Fields& fields);
// The error never holds the secret.
[[nodiscard]] Result<model::CookieKey> cookie_key_from(const dataplane::v1::CookieKey& message);

}  // namespace hawser::api
