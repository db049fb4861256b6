// Tests of the requests that hawserctl puts together: what may stand in them, and their bytes.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "arguments.h"
#include "hawser/base/limits.h"
#include "request_checks.h"
#include "request_head.h"

namespace hawser::ctl {
namespace {

using Bytes = std::string;

Outcome<Arguments> parse(std::vector<std::string> args) {
  return Arguments::parse(args);
}

// --- what is refused -----------------------------------------------------------------------------

TEST(RequestArguments, MistakesAreExplained) {
  struct Row {
    std::vector<std::string> args;
    std::string words;  // what the message must contain
  };
  const std::vector<Row> rows{
      {{"why"}, "why needs a SERVICE"},
      {{"why", "web", "cart"}, R"(PATH "cart" must begin with a slash)"},
      {{"why", "web", "/a b"}, R"(PATH "/a b" has a blank at byte 3; write %20)"},
      {{"why", "web", "/a\r\nX: y"}, "has the control character 0x0d at byte 3"},
      {{"why", "web", "--header", "X: a\tb"}, "has the control character 0x09 at byte 5"},
      {{"why", "web", "--header", "X: a\x7f"}, "has the control character 0x7f at byte 5"},
      {{"why", "web", "--header", "X: a", "--header", "Y\n: b"},
       "control character 0x0a at byte 2"},
      {{"why", "web", "--header", "X"}, "has no colon"},
      {{"why", "web", "--header", ": a"}, "has no header name"},
      {{"why", "web", "--header", "a b: c"}, "has ' ' at byte 2, which a header name cannot have"},
      {{"why", "web", "--cookie", "hawser"}, "has no '='"},
      {{"why", "web", "--cookie", "a=1; b=2"}, "has a semicolon at byte 4"},
      {{"why", "web", "--cookie", "a\x01=1"}, "control character 0x01 at byte 2"},
      {{"why", "web", "--method", "GE T"}, "has ' ' at byte 3, which a method cannot have"},
      {{"why", "web", "--method", ""}, "has no method"},
      {{"why", "web", "--host", "a b"}, "has a blank at byte 2"},
      {{"why", "web", "--host", ""}, "must not be empty"},
      {{"why", "web", "--sni", std::string(256, 'a')}, "has 256 bytes, at most 255 are possible"},
      {{"why", "web", "--alpn", "h\x02"}, "control character 0x02 at byte 2"},
      {{"why", "web", "--client", "10.0.0"}, "must be an address or ADDRESS:PORT"},
      {{"why", "web", "--client", "10.0.0.1:0"}, "a port is a number from 1 to 65535"},
      {{"why", "web", "--client", "10.0.0.1:65536"}, "a port is a number from 1 to 65535"},
      {{"why", "web", "--client", "10.0.0.1:"}, "a port is a number from 1 to 65535"},
      {{"why", "web", "--client", "[::1"}, "the bracket is not closed"},
      {{"why", "web", "--client", "[::1]80"}, "after the bracket comes :PORT or nothing"},
      {{"why", "web", "--client", "10.0.0.1\x1b"}, "control character 0x1b at byte 9"},
      {{"trace", "web", "/a", "--file", "x"}, "--file holds the whole head, PATH would be a part"},
      {{"trace", "web", "--alpn", "h2", "--file", "x"}, "whole head, --alpn would be a part of it"},
      {{"why", "web", "--sni", "a", "--method", "PUT"},
       "--method is of an HTTP request, --sni of a TLS client: give one kind"},
      {{"why", "web", "--header"}, "--header needs a value: --header 'NAME: VALUE'"},
      {{"keys", "rotte"}, R"(ACTION "rotte" must be rotate)"},
      {{"keys", "--force"}, "--force is for keys rotate"},
      {{"keys", "--reason", "x"}, "--reason is for keys rotate"},
      {{"why", "w\xff"}, "has 0xff at byte 2, which is no UTF-8"},
      {{"backends", "w\xff/b1"}, "has 0xff at byte 2, which is no UTF-8"},
      {{"drain", "web/b\xc3"}, "has 0xc3 at byte 6, which is no UTF-8"},
      {{"drain", "web/b1", "--reason", "caf\xe9"}, "has 0xe9 at byte 4, which is no UTF-8"},
  };
  for (const Row& row : rows) {
    const auto arguments = parse(row.args);
    ASSERT_FALSE(arguments) << row.words;
    EXPECT_EQ(arguments.failure().code, ExitCode::kUsage);
    EXPECT_NE(arguments.failure().what.find(row.words), std::string::npos)
        << arguments.failure().what;
  }
}

// A head is bytes, other texts are not.
TEST(RequestArguments, BytesAboveAsciiMayStandInAHead) {
  const auto head = parse({"why", "web", "/\xff", "--host", "\xff", "--header", "X: \xff"});
  EXPECT_TRUE(head) << head.failure().what;
  const auto reason = parse({"drain", "web/b1", "--reason", "caf\xc3\xa9"});
  EXPECT_TRUE(reason) << reason.failure().what;
}

// The borders of the table of RFC 3629 section 4, each from both sides.
TEST(CheckText, TakesUtf8AndNothingElse) {
  for (const char* good :
       {"", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xc3\xa9z"}) {
    EXPECT_FALSE(check_text(good)) << *check_text(good);
  }
  for (const char* bad : {"\x80", "\xbf", "\xc1\xbf", "\xc2", "\xc2\x7f", "\xc2\xc0",
                          "\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    ASSERT_TRUE(check_text(bad)) << bad;
    EXPECT_NE(check_text(std::string("ok") + bad)->find("at byte 3"), std::string::npos) << bad;
  }
}

TEST(RequestArguments, RepeatedOptionsKeepTheirOrderAndOthersTheirLastValue) {
  const auto arguments = parse({"why", "--header", "A: 1", "web", "--header", "B: 2", "/x",
                                "--cookie=c=3", "--host", "one", "--host", "two"});
  ASSERT_TRUE(arguments) << arguments.failure().what;
  EXPECT_EQ(arguments->texts("--header"), (std::vector<std::string>{"A: 1", "B: 2"}));
  EXPECT_EQ(arguments->texts("--cookie"), std::vector<std::string>{"c=3"});
  EXPECT_EQ(arguments->text("--host"), "two");
  EXPECT_EQ(arguments->text("PATH"), "/x");
  EXPECT_TRUE(arguments->texts("--alpn").empty());
}

TEST(RequestArguments, OnlyARotationChangesSomething) {
  EXPECT_FALSE(parse({"keys"})->changes());
  EXPECT_TRUE(parse({"keys", "rotate"})->changes());
  EXPECT_TRUE(parse({"drain", "b1"})->changes());
  EXPECT_FALSE(parse({"why", "web"})->changes());
}

TEST(Endpoints, HaveAnAddressAndPerhapsAPort) {
  struct Row {
    std::string text;
    std::string address;
    std::uint16_t port;
  };
  const std::vector<Row> rows{{"192.0.2.7", "192.0.2.7", 0},
                              {"192.0.2.7:65535", "192.0.2.7", 65535},
                              {"2001:db8::1", "2001:db8::1", 0},
                              {"[2001:db8::1]", "2001:db8::1", 0},
                              {"[2001:db8::1]:443", "2001:db8::1", 443}};
  for (const Row& row : rows) {
    const Result<Endpoint> parsed = parse_endpoint(row.text);
    ASSERT_TRUE(parsed.has_value()) << row.text;
    EXPECT_EQ(net::to_string(parsed->address), row.address);
    EXPECT_EQ(parsed->port, row.port);
  }
}

// --- HTTP ----------------------------------------------------------------------------------------

TEST(RequestHead, HasWhatWasSaidAndEndsWithAnEmptyLine) {
  EXPECT_EQ(request_head({.host = "10.0.0.1"}), "GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n");
  EXPECT_EQ(request_head({.method = "PUT",
                          .target = "/a?b=c",
                          .host = "shop.example",
                          .headers = {"User-Agent:  test ", "X-Empty:"},
                          .cookies = {"a=1", "b=2"}}),
            "PUT /a?b=c HTTP/1.1\r\n"
            "Host: shop.example\r\n"
            "User-Agent: test\r\n"
            "X-Empty: \r\n"
            "Cookie: a=1; b=2\r\n"
            "\r\n");
}

TEST(RequestHead, AHostAmongTheHeadersIsTheOnlyOne) {
  EXPECT_EQ(request_head({.host = "10.0.0.1", .headers = {"hOsT: shop.example"}}),
            "GET / HTTP/1.1\r\nhOsT: shop.example\r\n\r\n");
}

// --- TLS -----------------------------------------------------------------------------------------

// Byte by byte after RFC 5246 sections 6.2.1, 7.4 and 7.4.1.2, RFC 6066 section 3 and RFC 7301
// section 3.1.
TEST(ClientHello, HasTheNameAndTheProtocols) {
  const Bytes random(32, '\0');
  const Bytes expected = Bytes("\x16\x03\x03\x00\x49", 5) +  // handshake record, 73 bytes
                         Bytes("\x01\x00\x00\x45", 4) +      // ClientHello, 69 bytes
                         Bytes("\x03\x03", 2) + random +     //
                         Bytes("\x00", 1) +                  // no session
                         Bytes("\x00\x02\xc0\x2f", 4) +      // one cipher suite
                         Bytes("\x01\x00", 2) +              // no compression
                         Bytes("\x00\x1a", 2) +              // extensions, 26 bytes
                         Bytes("\x00\x00\x00\x08", 4) +      // server_name, 8 bytes
                         Bytes(
                             "\x00\x06\x00\x00\x03"  // a list with one host name
                             "a.b",
                             8) +
                         Bytes("\x00\x10\x00\x0a", 4) +  // ALPN, 10 bytes
                         Bytes("\x00\x08\x02h2\x04http", 10);
  EXPECT_EQ(client_hello("a.b", std::vector<std::string>{"h2", "http"}), expected);
}

TEST(ClientHello, WithoutNameAndProtocolsHasNoExtensions) {
  const Bytes hello = client_hello("", {});
  EXPECT_EQ(hello.size(), 5U + 4 + 34 + 1 + 4 + 2 + 2);
  EXPECT_EQ(hello.substr(hello.size() - 2), Bytes("\0\0", 2));
}

// --- files ---------------------------------------------------------------------------------------

TEST(ReadHead, TakesAFileOrStandardInputAsItIs) {
  std::istringstream in("GET / HTTP/1.1\n\n\x01");
  EXPECT_EQ(*read_head("-", in), "GET / HTTP/1.1\n\n\x01");
  std::istringstream empty;
  EXPECT_EQ(read_head("-", empty).failure().code, ExitCode::kUsage);
  std::istringstream largest(std::string(limits::kMaxExplainHead, 'a'));
  EXPECT_EQ(read_head("-", largest)->size(), limits::kMaxExplainHead);
  std::istringstream larger(std::string(limits::kMaxExplainHead + 1, 'a'));
  EXPECT_EQ(read_head("-", larger).failure().code, ExitCode::kUsage);
}

TEST(ReadHead, SaysWhyAFileCannotBeRead) {
  std::istringstream in("not this");
  const auto missing = read_head("/nonexistent/head", in);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.failure().code, ExitCode::kFailed);
  EXPECT_EQ(missing.failure().what, "/nonexistent/head cannot be read");
  EXPECT_EQ(missing.failure().advice, "No such file or directory");
  EXPECT_EQ(read_head("/tmp", in).failure().code, ExitCode::kFailed);
}

}  // namespace
}  // namespace hawser::ctl
