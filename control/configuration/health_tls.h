// TLS of health checks: settings shared by many checks, the session of one, and what went wrong.
//
// A handshake is always a whole one: a resumed session would show the certificate of an earlier
// one, and the certificate is what is checked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hawser/base/result.h"
#include "hawser/model/check.h"
#include "hawser/net/address.h"

struct ssl_st;
struct ssl_ctx_st;

namespace hawser::control {

// A setting that names a file, and what is wrong with it.
struct TlsFault {
  std::string_view key;  // "ca_file", "client_certificate", "client_key"
  std::string reason;
};

// Authorities, own certificate and protocol versions. Loading what a system trusts takes
// milliseconds, so all checks with the same settings share one.
class TlsContext {
 public:
  // Reads the files. With a fault it is still there, and every session fails with the fault.
  explicit TlsContext(const model::TlsCheck& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] const std::optional<TlsFault>& fault() const { return fault_; }

 private:
  friend class TlsSession;
  void load(const model::TlsCheck& settings);

  ssl_ctx_st* context_;
  std::optional<TlsFault> fault_;
};

// Why a certificate is no good, as it was found in the chain.
struct CertificateFault {
  int code = 0;  // X509_V_ERR_...; 0: nothing is wrong
  int depth = 0;
  std::int64_t from_unix = 0;
  std::int64_t until_unix = 0;
  std::string issuer;
  std::string names;
};

class TlsSession {
 public:
  enum class Step : std::uint8_t { kDone, kWait, kEnd, kFailed };

  // On a connected, non-blocking socket that outlives it. `name` is asked for and verified; empty:
  // `address` is verified.
  TlsSession(TlsContext& context, int descriptor, const std::string& name,
             const net::IpAddress& address);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  [[nodiscard]] Step handshake();
  // Takes what was sent off `bytes`; done when nothing is left.
  [[nodiscard]] Step send(std::string_view& bytes);
  // Done: `size` of the buffer's bytes came.
  [[nodiscard]] Step receive(char* buffer, std::size_t room, std::size_t& size);
  // Tells the peer that it was no accident.
  void close();
  // Why a step failed: "certificate expired on 2026-11-20".
  [[nodiscard]] const std::string& failure() const { return failure_; }
  // When the first certificate of the chain expires, seconds since 1970. After the handshake.
  [[nodiscard]] std::optional<std::int64_t> expires_unix() const;

 private:
  static int note_fault(int good, void* chain);
  Step step(int result);
  [[nodiscard]] std::string handshake_failure(unsigned long error) const;

  ssl_st* session_;
  std::string name_;  // as verified
  CertificateFault certificate_;
  bool open_ = false;  // the handshake is over
  std::string failure_;
};

// "2026-11-20", in UTC.
[[nodiscard]] std::string day_of(std::int64_t unix_seconds);

}  // namespace hawser::control
