// Jobs: what is asked of one backend again and again, and what is remembered from time to time.
#include "health_job.h"

#include <utility>

#include <fmt/format.h>

namespace hawser::control {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

// The Host of a backend without a name: the port only where it is not the usual one.
std::string host_of(const CheckTarget& target) {
  const bool tls = uses_tls(target.check.type);
  if (target.port != (tls ? kHttpsPort : kHttpPort)) {
    return net::endpoint_to_string(target.address, target.port);
  }
  const std::string address = net::to_string(target.address);
  return target.address.is_ipv4() ? address : "[" + address + "]";
}

// The name of a host alone: "web.example:8443" is asked for as "web.example".
std::string name_of_host(const std::string& host) {
  if (!host.empty() && host.front() == '[') return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

std::string server_name(const model::Check& check) {
  if (!check.tls.server_name.empty()) return check.tls.server_name;
  return asks_http(check.type) ? name_of_host(check.http.host) : std::string();
}

}  // namespace

// --- material ------------------------------------------------------------------------------------

std::shared_ptr<TlsContext> CheckMaterial::tls(const model::TlsCheck& settings) {
  const std::string key = fmt::format("{}\n{}\n{}\n{}", settings.verify, settings.ca_file,
                                      settings.client_certificate, settings.client_key);
  std::shared_ptr<TlsContext>& known = contexts_[key];
  if (known == nullptr) known = std::make_shared<TlsContext>(settings);
  return known;
}

std::shared_ptr<const BodyPattern> CheckMaterial::pattern(const std::string& text) {
  if (text.empty()) return nullptr;
  const auto known = patterns_.find(text);
  if (known != patterns_.end()) return known->second;
  const Result<std::shared_ptr<const BodyPattern>> compiled = BodyPattern::compile(text);
  return patterns_.emplace(text, compiled ? *compiled : nullptr).first->second;
}

void CheckMaterial::forget() {
  contexts_.clear();
  patterns_.clear();
}

// --- checks --------------------------------------------------------------------------------------

CheckJob::CheckJob(CheckTarget target, const HealthChecker::Callback& callback)
    : callback_(callback) {
  const model::Check& check = target.check;
  route_.address = target.address;
  route_.port = target.port;
  route_.timeout_ms = check.timeout_ms;
  route_.proxy_header = check.proxy_protocol;
  route_.server_name = server_name(check);
  route_.expires_within = check.tls.expires_within_seconds;
  if (asks_http(check.type)) request_ = http_request(check.http, host_of(target));
  report_.target = std::move(target);
}

const Route& CheckJob::prepare(CheckMaterial& material) {
  const model::Check& check = target().check;
  if (uses_tls(check.type)) {
    tls_ = material.tls(check.tls);
    route_.tls = tls_.get();
  }
  if (asks_http(check.type)) pattern_ = material.pattern(check.http.body_regex);
  return route_;
}

std::unique_ptr<Talk> CheckJob::make_talk() {
  const model::Check& check = target().check;
  if (asks_http(check.type)) {
    return std::make_unique<HttpTalk>(check.http, request_, pattern_.get());
  }
  if (check.send.empty() && check.expect.empty()) return nullptr;
  return std::make_unique<BytesTalk>(check);
}

void CheckJob::report(const Landing& landing, std::chrono::milliseconds took) {
  const model::Check& check = target().check;
  report_.passed = landing.passed;
  report_.text = landing.text;
  if (landing.passed) {
    if (report_.text.empty()) report_.text = route_.tls == nullptr ? "connected" : "TLS handshake";
    report_.text += fmt::format(" in {} ms", took.count());
  }
  report_.warning = landing.warning;
  if (!landing.warning.empty()) report_.text += "; " + landing.warning;
  report_.event = streak_.count(landing.passed, check.rise, check.fall);
  callback_(report_);
}

// --- agents --------------------------------------------------------------------------------------

AgentJob::AgentJob(AgentTarget target, const HealthChecker::AgentCallback& callback)
    : callback_(callback) {
  route_.address = target.address;
  route_.port = target.agent.port;
  route_.timeout_ms = target.agent.timeout_ms;
  report_.target = std::move(target);
}

const Route& AgentJob::prepare(CheckMaterial& /*material*/) {
  return route_;
}

std::unique_ptr<Talk> AgentJob::make_talk() {
  return std::make_unique<AgentTalk>(target().agent.send);
}

void AgentJob::report(const Landing& landing, std::chrono::milliseconds /*took*/) {
  const std::string before = std::exchange(report_.text, landing.text);
  report_.answered = landing.passed;
  if (landing.passed) {
    const AgentReply reply = parse_agent_reply(landing.text);
    memory_.note(reply);
    report_.text = shown(landing.text);
    if (!reply.unknown.empty()) {
      report_.text += fmt::format(" (\"{}\" means nothing)", shown(reply.unknown));
    }
  }
  report_.changed = report_.text != before;
  report_.state = memory_.state();
  report_.percent = memory_.percent();
  if (callback_) callback_(report_);
}

}  // namespace hawser::control
