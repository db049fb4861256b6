// What is wrong with a certificate or a TLS handshake, in words an operator can act on.
#include "certificate_text.h"

#include <algorithm>
#include <ctime>
#include <memory>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace hawser::control {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::int64_t unix_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return timegm(&parts);
}

// The common name, or the whole where there is none.
std::string name_text(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at >= 0) {
    const ASN1_STRING* const text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    unsigned char* bytes = nullptr;
    const int size = ASN1_STRING_to_UTF8(&bytes, text);
    if (size >= 0) {
      std::string out(bytes, bytes + size);
      OPENSSL_free(bytes);
      return out;
    }
  }
  char line[256];
  X509_NAME_oneline(name, line, sizeof(line));
  return line;
}

// Whom the certificate is for: its first DNS names, else its common name.
std::string names_of(X509* certificate) {
  constexpr int kShown = 3;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string text;
  int found = 0;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS || ++found > kShown) continue;
    const ASN1_STRING* const value = name->d.dNSName;
    const unsigned char* const bytes = ASN1_STRING_get0_data(value);
    text += (text.empty() ? "" : ", ") + std::string(bytes, bytes + ASN1_STRING_length(value));
  }
  if (found > kShown) text += ", ...";
  return text.empty() ? name_text(X509_get_subject_name(certificate)) : text;
}

// A text from outside on one line.
std::string clean(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '.');
  return text;
}

}  // namespace

CertificateFault describe(int code, int depth, X509* certificate) {
  CertificateFault fault{.code = code, .depth = depth};
  if (certificate == nullptr) return fault;
  fault.from_unix = unix_of(X509_get0_notBefore(certificate));
  fault.until_unix = unix_of(X509_get0_notAfter(certificate));
  fault.issuer = clean(name_text(X509_get_issuer_name(certificate)));
  fault.names = clean(names_of(certificate));
  return fault;
}

std::string fault_text(const CertificateFault& fault, const std::string& name) {
  const std::string whose =
      fault.depth == 0 ? "certificate" : fmt::format("certificate of authority {}", fault.names);
  switch (fault.code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format("{} expired on {}", whose, day_of(fault.until_unix));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("{} is valid from {} only", whose, day_of(fault.from_unix));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "certificate is self-signed";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return fmt::format("certificate is of the unknown authority {}", fault.issuer);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("certificate is for {}, not for {}", fault.names, name);
    default:
      return fmt::format("{}: {}", whose, X509_verify_cert_error_string(fault.code));
  }
}

std::string alert_text(int reason, const std::string& name) {
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_WRONG_SSL_VERSION:
      return "the answer is no TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "no common version of TLS: 1.2 and 1.3 are asked for";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "TLS handshake refused: no common cipher, or a client certificate is missing";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "the server asks for a client certificate";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "the server does not take the client certificate";
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
      return fmt::format("the server does not know the name {}", name);
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return "closed in the TLS handshake";
    default:
      break;
  }
  const char* const text = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason));
  return fmt::format("TLS: {}", text == nullptr ? "unknown error" : text);
}

std::optional<std::int64_t> first_expiry(const SSL* session) {
  const STACK_OF(X509)* const chain = SSL_get0_verified_chain(session);
  std::optional<std::int64_t> first;
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    const std::int64_t until = unix_of(X509_get0_notAfter(sk_X509_value(chain, i)));
    first = first ? std::min(*first, until) : until;
  }
  if (first) return first;
  const X509* const own = SSL_get0_peer_certificate(session);
  if (own == nullptr) return std::nullopt;
  return unix_of(X509_get0_notAfter(own));
}

}  // namespace hawser::control
