// Requests, responses and rules of HTTP as benchmarks use them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "hawser/model/splice.h"

namespace hawser::bench {

// Requests come in so many variants, of one size, so that no branch learns one by heart.
inline constexpr std::size_t kVariants = 16;
// Of a request's head; the least has room for what every one has.
inline constexpr std::size_t kLeastHead = 190;

// A GET of exactly `bytes`, an even number of kLeastHead or more. The value of the cookie "hawser"
// is its last header's end: see cookie_offset(). Up to 899 bytes it is that of a small client, then
// that of a browser; what is left is filled with other cookies.
[[nodiscard]] std::string request_head(std::size_t bytes, std::size_t variant);
// Where the value of the cookie begins in a head of that size; even.
[[nodiscard]] std::size_t cookie_offset(std::size_t bytes);

// The same of a POST whose body has no end within a measurement.
[[nodiscard]] std::string upload_head(std::size_t bytes, std::size_t variant);
// And the head of such a response.
[[nodiscard]] std::string download_head(std::size_t variant);

// A response with Content-Length, head and body together of exactly `bytes`, 300 or more.
[[nodiscard]] std::string response(std::size_t bytes, std::size_t variant);

// So many rules, in turn: a host, the begin of a path, and regular expressions over the User-Agent
// and over a cookie. The last alone matches requests from here, and asks for nothing.
[[nodiscard]] std::vector<model::Rule> rules_that_match_last(std::size_t count);

}  // namespace hawser::bench
