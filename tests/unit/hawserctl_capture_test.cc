// The verb capture against a gRPC server with canned frames: files, blocks, ends, exit codes.
#include <fstream>
#include <sstream>

#include "hawserctl_server_fixture.h"
#include "pcapng.h"

namespace hawser::ctl {
namespace {

using CaptureVerb = HawserctlServer;

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::uint32_t word_at(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  bytes.copy(static_cast<char*>(static_cast<void*>(&value)), sizeof(value), at);
  return value;
}

// The types of the blocks of a file; empty when their lengths do not add up.
std::vector<std::uint32_t> block_types(const std::string& bytes) {
  std::vector<std::uint32_t> types;
  for (std::size_t at = 0; at < bytes.size();) {
    if (bytes.size() - at < 12) return {};
    const std::uint32_t length = word_at(bytes, at + 4);
    const bool whole = length >= 12 && length % 4 == 0 && length <= bytes.size() - at;
    if (!whole || word_at(bytes, at + length - 4) != length) return {};
    types.push_back(word_at(bytes, at));
    at += length;
  }
  return types;
}

path::CaptureReply first_reply() {
  path::CaptureReply reply;
  path::CapturePort& port = *reply.add_ports();
  port.set_name("uplink");
  port.set_device("net_af_packet0,iface=uplink");
  port.set_mac("02:00:00:00:00:01");
  reply.add_counts();
  return reply;
}

path::CaptureReply frames_reply(int frames) {
  path::CaptureReply reply;
  for (int i = 0; i < frames; ++i) {
    path::CapturedFrame& frame = *reply.add_frames();
    frame.set_unix_nanoseconds(1'800'000'000'123'456'789ULL);
    frame.set_length(60);
    frame.set_data(std::string(54, 'x'));
    frame.set_verdict("forward_nat");
    frame.set_sent(i % 2 == 1);
  }
  path::CaptureCounts& counts = *reply.add_counts();
  counts.set_matched(12);
  counts.set_sampled_out(3);
  counts.set_over_rate(2);
  counts.set_ring_full(1);
  return reply;
}

constexpr std::uint32_t kSection = 0x0a0d0d0a;

TEST(Pcapng, BlocksAreAsTheDraftSays) {
  // pcapng, section 4.3: an Enhanced Packet Block, byte by byte on a little-endian machine.
  const std::string block = pcapng::enhanced_packet({.interface = 1,
                                                     .unix_nanoseconds = 0x0102030405060708ULL,
                                                     .length = 9,
                                                     .data = "abcde",
                                                     .sent = true,
                                                     .comment = "hey"});
  const std::string wanted(
      "\x06\0\0\0"              // type
      "\x3c\0\0\0"              // length
      "\x01\0\0\0"              // interface
      "\x04\x03\x02\x01"        // time, high
      "\x08\x07\x06\x05"        // time, low
      "\x05\0\0\0"              // captured
      "\x09\0\0\0"              // of the frame
      "abcde\0\0\0"             // data, padded
      "\x02\0\x04\0\x02\0\0\0"  // epb_flags: outbound
      "\x01\0\x03\0hey\0"       // opt_comment
      "\0\0\0\0"                // opt_endofopt
      "\x3c\0\0\0",             // length
      60);
  EXPECT_EQ(block, wanted);
}

TEST(Pcapng, AnInterfaceHasNanosecondsAndItsAddress) {
  const std::string block = pcapng::interface_description(
      {.name = "up", .description = "", .mac = "02:00:00:00:00:01", .snap = 96});
  const std::string wanted(
      "\x01\0\0\0\x34\0\0\0"
      "\x01\0\0\0\x60\0\0\0"              // Ethernet, snap length
      "\x02\0\x02\0up\0\0"                // if_name
      "\x06\0\x06\0\x02\0\0\0\0\x01\0\0"  // if_MACaddr
      "\x09\0\x01\0\x09\0\0\0"            // if_tsresol
      "\0\0\0\0\x34\0\0\0",
      52);
  EXPECT_EQ(block, wanted);
}

TEST_F(CaptureVerb, AFileHasSectionInterfacesPacketsAndStatistics) {
  daemon_.captured = {first_reply(), frames_reply(4)};
  const std::string file = directory_ + "/out.pcapng";
  const Json json = ctl_json({"capture", "--service", "web", "--verdict", "drop", "--verdict",
                              "forward_nat", "--sample", "1/5", "--count", "4", "--side", "sent",
                              "--snap", "54", "--out", file});
  EXPECT_EQ(json["frames"], 4);
  EXPECT_EQ(json["matched"], 12);
  EXPECT_EQ(json["sampled_out"], 3);
  EXPECT_EQ(json["over_rate"], 2);
  EXPECT_EQ(json["ring_full"], 1);
  EXPECT_EQ(json["ended"], "count");
  EXPECT_EQ(block_types(content(file)), (std::vector<std::uint32_t>{kSection, 1, 6, 6, 6, 6, 5}));
  EXPECT_EQ(daemon_.last_capture.service(), "web");
  EXPECT_EQ(daemon_.last_capture.verdicts_size(), 2);
  EXPECT_EQ(daemon_.last_capture.sample(), 5U);
  EXPECT_EQ(daemon_.last_capture.frames(), 4U);
  EXPECT_EQ(daemon_.last_capture.side(), path::SENT);
  EXPECT_EQ(daemon_.last_capture.snap(), 54U);
  const auto mode = std::filesystem::status(file).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(CaptureVerb, ForPeopleItCountsOnStandardError) {
  daemon_.captured = {first_reply(), frames_reply(2)};
  const Ran ran = ctl({"capture", "--out", directory_ + "/out.pcapng"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err,
            "hawserctl: 2 frames of 12 packets, 3 sampled out, 2 dropped: more than workers may "
            "copy (over_rate), 1 dropped: not taken in time (ring_full)\n");
}

TEST_F(CaptureVerb, AFileThatIsThereIsKeptUnlessForced) {
  const std::string file = directory_ + "/out.pcapng";
  std::ofstream(file) << std::string(5000, 'o');
  daemon_.captured = {first_reply(), frames_reply(1)};
  const Ran ran = ctl({"capture", "--out", file});
  EXPECT_EQ(ran.code, ExitCode::kFailed);
  EXPECT_NE(ran.err.find("is there already: give another name, or --force"), std::string::npos);
  EXPECT_EQ(content(file), std::string(5000, 'o'));
  EXPECT_EQ(ctl({"capture", "--out", file, "--force"}).code, ExitCode::kOk);
  EXPECT_EQ(block_types(content(file)), (std::vector<std::uint32_t>{kSection, 1, 6, 5}));
}

TEST_F(CaptureVerb, ARefusalLeavesNoFileAndHarmsNone) {
  daemon_.answer = {grpc::StatusCode::FAILED_PRECONDITION, "another capture is running"};
  const std::string file = directory_ + "/out.pcapng";
  const Ran ran = ctl({"capture", "--out", file});
  EXPECT_EQ(ran.code, ExitCode::kRefused);
  EXPECT_EQ(ran.err, "hawserctl: another capture is running\n");
  EXPECT_FALSE(std::filesystem::exists(file));
  std::ofstream(file) << "precious";
  EXPECT_EQ(ctl({"capture", "--out", file, "--force"}).code, ExitCode::kRefused);
  EXPECT_EQ(content(file), "precious");
}

TEST_F(CaptureVerb, WhatIsCutOffIsWholeUntilThere) {
  daemon_.captured = {first_reply(), frames_reply(3)};
  daemon_.answer = {grpc::StatusCode::UNAVAILABLE, "the capture was cut off: gone"};
  const std::string file = directory_ + "/out.pcapng";
  const Ran ran = ctl({"capture", "--out", file});
  EXPECT_EQ(ran.code, ExitCode::kUnreachable);
  EXPECT_EQ(ran.err, "hawserctl: the capture was cut off: gone\n");
  EXPECT_EQ(block_types(content(file)), (std::vector<std::uint32_t>{kSection, 1, 6, 6, 6, 5}));
}

TEST_F(CaptureVerb, AFullDiskIsNamed) {
  daemon_.captured = {first_reply(), frames_reply(3)};
  const Ran ran = ctl({"capture", "--out", "/dev/full", "--force"});
  EXPECT_EQ(ran.code, ExitCode::kFailed);
  EXPECT_NE(ran.err.find("/dev/full cannot be written: No space left on device"), std::string::npos)
      << ran.err;
}

TEST_F(CaptureVerb, WhatDoesNotBeginTimesOut) {
  daemon_.capture_waits = true;
  const std::string file = directory_ + "/out.pcapng";
  const Ran ran = ctl({"--timeout", "0.3", "capture", "--out", file});
  EXPECT_EQ(ran.code, ExitCode::kTimedOut);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(CaptureVerb, TheReadOnlySocketDoesNotDoIt) {
  const Ran ran =
      ctl({"--socket", read_only_twin(socket_), "capture", "--out", directory_ + "/out.pcapng"});
  EXPECT_EQ(ran.code, ExitCode::kFailed);
  EXPECT_NE(ran.err.find("does not do this"), std::string::npos);
}

TEST_F(CaptureVerb, AWrongCommandLineSaysWhatIsWrong) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> rows{
      {{}, "capture needs --out FILE"},
      {{"--out", "-", "--json"}, "--json and --out - both want standard output"},
      {{"--out", "f", "--sample", "10"}, "--sample \"10\" must be 1/N"},
      {{"--out", "f", "--sample", "1/0"}, "must be 1/N"},
      {{"--out", "f", "--verdict", "forward_nta"}, "is not known (did you mean \"forward_nat\"?)"},
      {{"--out", "f", "--side", "left"}, "must be one of received, sent, both"},
      {{"--out", "f", "--snap", "10"}, "--snap \"10\" must be a whole number from 54"},
      {{"--out", "f", "--count", "0"}, "--count \"0\" must be a whole number from 1"},
      {{"--out", "f", "--seconds", "0"}, "must be seconds above 0"},
      {{"--out", "f", "--service", "a", "--backend", "b/c"}, "exclude each other"},
  };
  for (const auto& [options, words] : rows) {
    std::vector<std::string> args{"capture"};
    args.insert(args.end(), options.begin(), options.end());
    const Ran ran = ctl(args);
    EXPECT_EQ(ran.code, ExitCode::kUsage) << words;
    EXPECT_NE(ran.err.find(words), std::string::npos) << ran.err;
  }
}

}  // namespace
}  // namespace hawser::ctl
