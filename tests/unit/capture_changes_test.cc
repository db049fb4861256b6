// What a capture says about the change of a packet, from its bytes before and after.
#include "dataplane/capture_changes.h"

#include <string>

#include <gtest/gtest.h>

#include "../support/frame.h"
#include "../support/harness.h"

namespace hawser::tests {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Words = std::vector<std::string>;

Words changes(const Bytes& came, const Bytes& goes) {
  const std::vector<const char*> found = dataplane::changes_of(came, goes);
  return {found.begin(), found.end()};
}

FrameSpec spec() {
  return {.source = address("192.0.2.7"), .destination = address("10.0.0.100"), .payload = 20};
}

TEST(CaptureChanges, TheSameFrameHasNone) {
  EXPECT_EQ(changes(frame(spec()), frame(spec())), Words());
  EXPECT_EQ(changes({}, {}), Words());
}

TEST(CaptureChanges, NatChangesAddressesAndPorts) {
  FrameSpec goes = spec();
  goes.to = {{2, 0, 0, 1, 0, 1}};
  goes.source = address("10.0.0.10");
  goes.destination = address("10.0.1.1");
  goes.source_port = 1025;
  goes.destination_port = 8080;
  EXPECT_EQ(changes(frame(spec()), frame(goes)),
            (Words{"MAC addresses", "source address", "destination address", "source port",
                   "destination port"}));
}

TEST(CaptureChanges, PaddingOfAShortFrameIsNone) {
  FrameSpec small = spec();
  small.payload = 0;
  Bytes padded = frame(small);
  padded.resize(60);
  EXPECT_EQ(changes(padded, frame(small)), Words());
}

TEST(CaptureChanges, PayloadThatGrewIsSeenThoughTheFramesAreCutShort) {
  FrameSpec goes = spec();
  goes.payload = 30;
  EXPECT_EQ(changes(frame(spec()), frame(goes)), Words{"payload"});
  Bytes one = frame(spec());
  Bytes other = frame(goes);
  one.resize(60);
  other.resize(60);
  EXPECT_EQ(changes(one, other), Words{"payload"});
}

TEST(CaptureChanges, ATunnelIsNamedAsOne) {
  const Bytes came = frame(spec());
  Bytes goes = frame({.source = address("10.0.0.10"),
                      .destination = address("10.0.1.1"),
                      .protocol = net::kProtocolUdp,
                      .payload = came.size() - 14});
  std::copy(came.begin() + 14, came.end(), goes.begin() + 42);
  EXPECT_EQ(changes(came, goes), (Words{"tunnel header"}));
}

TEST(CaptureChanges, FramesOfAnyLengthCanBeCompared) {
  const Bytes whole = frame(spec());
  for (std::size_t one = 0; one <= whole.size(); ++one) {
    for (std::size_t other = 0; other <= whole.size(); ++other) {
      // Heap memory of exactly this size, so that the sanitizers see a byte too many.
      const Bytes came(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(one));
      const Bytes goes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(other));
      EXPECT_LE(changes(came, goes).size(), 8U);
    }
  }
}

}  // namespace
}  // namespace hawser::tests
