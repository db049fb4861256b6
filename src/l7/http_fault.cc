// The table of HTTP faults: status of the answer, name and meaning of each.
#include "hawser/l7/http_fault.h"

namespace hawser::l7 {
namespace {

using enum HttpFault;

// 501 is for what a later server may do; here the peer must change the message, so codings that
// are not known are 400 like every other doubt about where a body ends.
constexpr std::uint16_t kBadRequest = 400;
constexpr std::uint16_t kFieldsTooLarge = 431;
constexpr std::uint16_t kVersionNotSupported = 505;

constexpr std::array<HttpFaultInfo, kHttpFaults> kTable{{
    {kNone, 0, "none", "nothing is wrong"},
    {kNotHttp, kBadRequest, "not_http", "the first line is no request line or status line"},
    {kBadMethod, kBadRequest, "bad_method", "a byte that no method has, or no method"},
    {kBadTarget, kBadRequest, "bad_target",
     "a request target with a blank, a byte that no target has, or of no known form"},
    {kBadVersion, kVersionNotSupported, "bad_version", "neither HTTP/1.0 nor HTTP/1.1"},
    {kHttp2, kVersionNotSupported, "http2", "HTTP/2 with prior knowledge"},
    {kBareCr, kBadRequest, "bare_cr", "a CR without LF behind it"},
    {kBareLf, kBadRequest, "bare_lf", "an LF without CR before it"},
    {kNul, kBadRequest, "nul", "a zero byte in the head"},
    {kObsFold, kBadRequest, "obs_fold", "a header line that begins with a blank"},
    {kEmptyHeaderName, kBadRequest, "empty_header_name", "a header line that begins with a colon"},
    {kBadHeaderName, kBadRequest, "bad_header_name",
     "a byte that no header name has, or a blank before the colon"},
    {kNoColon, kBadRequest, "no_colon", "a header line without a colon"},
    {kBadHeaderValue, kBadRequest, "bad_header_value", "a control character in a header"},
    {kHeadTooLarge, kFieldsTooLarge, "head_too_large", "a head that does not fit the limit"},
    {kTooManyHeaders, kFieldsTooLarge, "too_many_headers", "more header lines than the limit"},
    {kNoHost, kBadRequest, "no_host", "HTTP/1.1 without Host"},
    {kHostTwice, kBadRequest, "host_twice", "more than one Host"},
    {kBadHost, kBadRequest, "bad_host",
     "a Host that is no host and port, or is not the one of the request target"},
    {kLengthAndEncoding, kBadRequest, "length_and_encoding",
     "Content-Length together with Transfer-Encoding"},
    {kBadLength, kBadRequest, "bad_length", "a Content-Length that is no number, or too large"},
    {kLengthTwice, kBadRequest, "length_twice", "more than one Content-Length"},
    {kBadEncoding, kBadRequest, "bad_encoding",
     "a Transfer-Encoding that does not end in its only chunked, is not known, or stands twice"},
    {kEncodingOnHttp10, kBadRequest, "encoding_on_http10", "Transfer-Encoding on HTTP/1.0"},
    {kBadChunkSize, kBadRequest, "bad_chunk_size", "a chunk size that is no number, or too large"},
    {kBadChunkEnd, kBadRequest, "bad_chunk_end", "no CRLF behind a chunk's size or data"},
    {kBadTrailer, kBadRequest, "bad_trailer", "a trailer that is no header line, or too many"},
    {kBadStatus, kBadRequest, "bad_status",
     "a status that is not three digits from 100 to 599, or a control character behind it"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].fault) != i || kTable[i].name.empty()) return false;
  }
  return true;
}
static_assert(in_order(), "the table is in the order of the enumerators");

}  // namespace

const std::array<HttpFaultInfo, kHttpFaults> kHttpFaultTable = kTable;

}  // namespace hawser::l7
