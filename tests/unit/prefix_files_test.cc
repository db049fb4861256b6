// Prefix lists in files of their own: what they may hold, and how mistakes are told.
#include <map>

#include "configuration_rows.h"

namespace hawser::model {
namespace {

const std::string kListed = std::string(R"([[prefix_list]]
name = "blocked"
prefixes = ["192.0.2.128/25", "203.0.113.9"]
file = "/lists/blocked"
)") + kPort + kService + "deny = [\"blocked\"]\n" +
                            kBackend;

// Files by their path.
FileReader files(std::map<std::string, std::string> texts) {
  return [texts = std::move(texts)](const std::string& path) -> Result<std::string> {
    const auto found = texts.find(path);
    if (found == texts.end()) return fail("No such file or directory");
    return found->second;
  };
}

std::vector<std::string> listed(const ParsedConfiguration& parsed) {
  std::vector<std::string> texts;
  for (const net::Prefix& prefix : *parsed.configuration.prefix_lists.at(0).prefixes) {
    texts.push_back(net::to_string(prefix));
  }
  return texts;
}

TEST(PrefixFiles, AreReadLineByLineAndEachPrefixOnce) {
  const ParsedConfiguration parsed =
      parse_configuration(kListed, "f",
                          files({{"/lists/blocked", R"(# from the abuse desk

  10.1.2.3/8	# host bits do not count
192.0.2.128/25
2001:db8::1
)"
                                                    "198.51.100.0/24\r\n"
                                                    "10.0.0.0/8"}}));
  ASSERT_TRUE(parsed.ok()) << parsed.diagnostics.front().to_string();
  // In the order of their bytes.
  EXPECT_EQ(listed(parsed),
            (std::vector<std::string>{"10.0.0.0/8", "2001:db8::1/128", "192.0.2.128/25",
                                      "198.51.100.0/24", "203.0.113.9/32"}));
}

TEST(PrefixFiles, AreNotNeededByThoseWhoServeNoServices) {
  const ParsedConfiguration parsed = parse_configuration(kListed, "f");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(listed(parsed).size(), 2U);
}

TEST(PrefixFiles, MistakesAreToldWithTheirOwnFileAndLineAfterTheOthers) {
  std::string text = "10.0.0.0/8\n\n   \xc3\xa9 10.0.0.0\x01/8\n10.0.0.0/8 10.1.0.0/16\n";
  const ParsedConfiguration parsed =
      parse_configuration(kListed + "colour = 1\n", "f", files({{"/lists/blocked", text}}));
  const std::string advice =
      "\" is no network; write it like 192.0.2.0/24, 2001:db8::/32 or, for one address, 192.0.2.7";
  std::vector<std::string> lines;
  for (const Diagnostic& found : parsed.diagnostics) lines.push_back(found.to_string());
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "f:20:1: service \"web\", backend \"b1\": unknown key \"colour\"; known "
                       "here: name, address, port, weight, quic_server_id, generation",
                       "/lists/blocked:3:4: \"?? 10.0.0.0?/8" + advice,
                       "/lists/blocked:4:1: \"10.0.0.0/8 10.1.0.0/16" + advice}));
}

TEST(PrefixFiles, AFileOfSomethingElseIsGivenUp) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += std::string(1000, 'x') + "\n";
  const ParsedConfiguration parsed =
      parse_configuration(kListed, "f", files({{"/lists/blocked", text}}));
  ASSERT_EQ(parsed.diagnostics.size(), limits::kMaxPrefixFileErrors + 1);
  EXPECT_EQ(parsed.diagnostics.back().to_string(),
            "/lists/blocked:10:1: too many mistakes; the rest of the file is not read");
  EXPECT_LT(parsed.diagnostics.front().message.size(), 200U);
}

TEST(PrefixFiles, AFileThatIsNotThereIsToldWhereItIsNamed) {
  EXPECT_EQ(parse_configuration(kListed, "f", files({})).diagnostics.at(0).to_string(),
            "f:4:8: prefix list \"blocked\": /lists/blocked cannot be read: No such file or "
            "directory");
}

TEST(PrefixFiles, TooManyPrefixesAreRefused) {
  std::string text;
  for (std::size_t i = 0; i < limits::kMaxPrefixes; ++i) {
    text += std::to_string(i >> 16U) + "." + std::to_string(i >> 8U & 0xffU) + "." +
            std::to_string(i & 0xffU) + ".0/24\n";
  }
  const ParsedConfiguration parsed =
      parse_configuration(kListed, "f", files({{"/lists/blocked", text}}));
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(parsed.diagnostics[0].to_string(),
            "f:1:1: prefix list \"blocked\": with it there are 1048578 prefixes in all lists, must "
            "be at most 1048576; leave out what larger networks contain");
}

}  // namespace
}  // namespace hawser::model
