// What is wrong with a certificate or a TLS handshake, in words an operator can act on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <openssl/ssl.h>

#include "health_tls.h"

namespace hawser::control {

// What text a fault of X509_verify_cert at this depth needs; `certificate` may be null.
[[nodiscard]] CertificateFault describe(int code, int depth, X509* certificate);

// `name` is the one that was to be verified.
[[nodiscard]] std::string fault_text(const CertificateFault& fault, const std::string& name);

// Of a handshake that failed by `reason`, one of SSL_R_...
[[nodiscard]] std::string alert_text(int reason, const std::string& name);

// When the first certificate of the peer's chain expires, seconds since 1970; of the peer's own
// where no chain was verified.
[[nodiscard]] std::optional<std::int64_t> first_expiry(const SSL* session);

}  // namespace hawser::control
