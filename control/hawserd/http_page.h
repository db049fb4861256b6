// `/`: the status page, one file that needs nothing but the JSON of the same server.
#pragma once

#include <string_view>

#include "http_server.h"

namespace hawser::control {

// Made at build time by page/embed.py. The policy lets a browser run the page's own script and
// style alone, by their hashes, and ask this server alone.
extern const std::string_view kStatusPage;
extern const std::string_view kStatusPagePolicy;

void answer_page(const HttpSources& sources, const HttpRequest& request, HttpReply& reply);

}  // namespace hawser::control
