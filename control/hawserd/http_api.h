// /api/v1: what the gRPC service Observe tells, as JSON over HTTP, for pages and scripts.
#pragma once

#include "http_server.h"

namespace hawser::control {

// Keys are those of `hawserctl --json`; docs/reference/http-api.md has every one that is added, and
// what may stand in the query. A name that is unknown is refused with 404 and the nearest, a wrong
// query with 400; 503 while too many others are being answered.
void answer_status(const HttpSources& sources, const HttpRequest& request, HttpReply& reply);
void answer_services(const HttpSources& sources, const HttpRequest& request, HttpReply& reply);
void answer_backends(const HttpSources& sources, const HttpRequest& request, HttpReply& reply);
void answer_events(const HttpSources& sources, const HttpRequest& request, HttpReply& reply);
// All of them in one answer, and the sessions of spliced services: what the status page asks for.
void answer_overview(const HttpSources& sources, const HttpRequest& request, HttpReply& reply);

}  // namespace hawser::control
