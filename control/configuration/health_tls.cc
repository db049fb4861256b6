// TLS of health checks: settings shared by many checks, the session of one, and what went wrong.
#include "health_tls.h"

#include <cerrno>
#include <cstring>
#include <ctime>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "certificate_text.h"

namespace hawser::control {
namespace {

// The first of OpenSSL's errors in words, and none left for whoever comes next.
std::string openssl_reason() {
  const unsigned long error = ERR_get_error();
  const char* const reason = ERR_reason_error_string(error);
  const bool system = ERR_SYSTEM_ERROR(error);
  std::string text = system              ? std::strerror(ERR_GET_REASON(error))
                     : reason == nullptr ? "unknown error"
                                         : reason;
  ERR_clear_error();
  return text;
}

}  // namespace

// --- context -------------------------------------------------------------------------------------

TlsContext::TlsContext(const model::TlsCheck& settings)
    : context_(SSL_CTX_new(TLS_client_method())) {
  ERR_clear_error();
  if (context_ == nullptr) {
    fault_ = TlsFault{.key = "type", .reason = "OpenSSL: " + openssl_reason()};
  } else {
    load(settings);
  }
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

void TlsContext::load(const model::TlsCheck& settings) {
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  // A server that hangs up without a goodbye is nothing out of the ordinary.
  SSL_CTX_set_options(context_, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context_, settings.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (settings.verify && settings.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context_);
  } else if (settings.verify && SSL_CTX_load_verify_file(context_, settings.ca_file.c_str()) != 1) {
    fault_ = TlsFault{.key = "ca_file", .reason = openssl_reason()};
  }
  if (settings.client_certificate.empty()) return;
  if (SSL_CTX_use_certificate_chain_file(context_, settings.client_certificate.c_str()) != 1) {
    fault_ = TlsFault{.key = "client_certificate", .reason = openssl_reason()};
  } else if (SSL_CTX_use_PrivateKey_file(context_, settings.client_key.c_str(), SSL_FILETYPE_PEM) !=
             1) {
    fault_ = TlsFault{.key = "client_key", .reason = openssl_reason()};
  } else if (SSL_CTX_check_private_key(context_) != 1) {
    fault_ = TlsFault{.key = "client_key", .reason = openssl_reason()};
  }
}

// --- session -------------------------------------------------------------------------------------

TlsSession::TlsSession(TlsContext& context, int descriptor, const std::string& name,
                       const net::IpAddress& address)
    : session_(nullptr), name_(name.empty() ? net::to_string(address) : name) {
  ERR_clear_error();
  if (context.fault_) {
    failure_ = fmt::format("{}: {}", context.fault_->key, context.fault_->reason);
    return;
  }
  session_ = SSL_new(context.context_);
  if (session_ == nullptr || SSL_set_fd(session_, descriptor) != 1) {
    failure_ = "OpenSSL: " + openssl_reason();
    return;
  }
  SSL_set_connect_state(session_);
  SSL_set_ex_data(session_, 0, this);
  const auto check = [](int good, X509_STORE_CTX* chain) { return note_fault(good, chain); };
  SSL_set_verify(session_, SSL_get_verify_mode(session_), check);
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(session_);
  const bool is_address = static_cast<bool>(net::parse_address(name_));
  if (is_address) {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, name_.c_str());
  } else {
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(parameters, name_.c_str(), name_.size());
    // An address must not be asked for (RFC 6066 section 3).
    SSL_ctrl(session_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name_.data());
  }
}

TlsSession::~TlsSession() {
  SSL_free(session_);
}

// Called for every certificate of the chain and every fault of it.
int TlsSession::note_fault(int good, void* chain) {
  auto* const context = static_cast<X509_STORE_CTX*>(chain);
  auto* const session =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const self = static_cast<TlsSession*>(SSL_get_ex_data(session, 0));
  if (good != 1 && SSL_get_verify_mode(session) != SSL_VERIFY_NONE) {
    self->certificate_ =
        describe(X509_STORE_CTX_get_error(context), X509_STORE_CTX_get_error_depth(context),
                 X509_STORE_CTX_get_current_cert(context));
  }
  return good;
}

TlsSession::Step TlsSession::step(int result) {
  const int system = errno;
  const int why = SSL_get_error(session_, result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return Step::kWait;
  const unsigned long error = ERR_peek_error();
  if (open_ && why == SSL_ERROR_ZERO_RETURN) return Step::kEnd;
  if (open_) {
    // What a server of TLS 1.3 thinks of our certificate it says after the handshake.
    failure_ = why == SSL_ERROR_SYSCALL ? "connection reset" : handshake_failure(error);
  } else if (why == SSL_ERROR_ZERO_RETURN || (why == SSL_ERROR_SYSCALL && system == 0)) {
    failure_ = "closed in the TLS handshake";
  } else if (why == SSL_ERROR_SYSCALL) {
    failure_ = "connection reset in the TLS handshake";
  } else {
    failure_ = handshake_failure(error);
  }
  ERR_clear_error();
  return Step::kFailed;
}

std::string TlsSession::handshake_failure(unsigned long error) const {
  if (certificate_.code != 0) return fault_text(certificate_, name_);
  return alert_text(ERR_GET_REASON(error), name_);
}

TlsSession::Step TlsSession::handshake() {
  if (session_ == nullptr || !failure_.empty()) return Step::kFailed;
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(session_);
  if (result != 1) return step(result);
  open_ = true;
  return Step::kDone;
}

TlsSession::Step TlsSession::send(std::string_view& bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    errno = 0;
    std::size_t sent = 0;
    const int result = SSL_write_ex(session_, bytes.data(), bytes.size(), &sent);
    if (result != 1) return step(result);
    bytes.remove_prefix(sent);
  }
  return Step::kDone;
}

TlsSession::Step TlsSession::receive(char* buffer, std::size_t room, std::size_t& size) {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_read_ex(session_, buffer, room, &size);
  return result == 1 ? Step::kDone : step(result);
}

void TlsSession::close() {
  if (!open_) return;
  SSL_shutdown(session_);
  ERR_clear_error();
}

std::optional<std::int64_t> TlsSession::expires_unix() const {
  return first_expiry(session_);
}

std::string day_of(std::int64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

}  // namespace hawser::control
