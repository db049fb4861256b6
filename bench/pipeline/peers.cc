// Speaks for clients and backends of spliced connections.
#include "peers.h"

#include <algorithm>
#include <bit>
#include <string>

#include "hawser/base/contract.h"
#include "hawser/hash/flow_hash.h"
#include "http_text.h"

namespace hawser::bench {
namespace {

constexpr std::uint8_t kData = net::kTcpAck | net::kTcpPsh;
constexpr std::uint8_t kSynAck = net::kTcpSyn | net::kTcpAck;
constexpr std::uint8_t kFinAck = net::kTcpFin | net::kTcpAck;

// From the TCP header to the TSval of the balancer's SYN-ACK: MSS and SACK permitted come before.
constexpr std::size_t kTimeInAnswer = sizeof(net::TcpHeader) + 8;

// Clocks of the two sides, as timestamps show them.
constexpr std::uint32_t kClientClock = 1'000'000;
constexpr std::uint32_t kBackendClock = 3'000'000'000;

std::uint32_t backend_isn(std::uint32_t n) noexcept {
  return n * 0x9e3779b1U;
}

// The request's head, cut where segments end.
std::vector<StreamFrame> request_frames(const Rig& rig, const PeersSetup& setup,
                                        const StreamOptions& options, std::size_t variant) {
  const std::string head = setup.bulk == Bulk::kUp ? upload_head(setup.head_bytes, variant)
                                                   : request_head(setup.head_bytes, variant);
  const std::size_t cookie_at = cookie_offset(setup.head_bytes);
  std::vector<StreamFrame> frames;
  for (std::size_t at = 0; at < head.size(); at += options.room) {
    const std::size_t size = std::min(options.room, head.size() - at);
    const bool last = at + size == head.size();
    // A value that began in the segment before would not be whole.
    HAWSER_REQUIRE(!last || cookie_at >= at);
    frames.emplace_back(rig.from_client(last ? kData : net::kTcpAck), options.data,
                        std::string_view(head).substr(at, size),
                        last ? cookie_at - at : StreamFrame::kNoCookie);
  }
  return frames;
}

StreamFrame body_frame(const Rig& rig, const PeersSetup& setup, const StreamOptions& options) {
  const tests::FrameSpec spec =
      setup.bulk == Bulk::kUp ? rig.from_client(net::kTcpAck) : rig.from_backend(net::kTcpAck);
  const std::size_t payload = setup.payload == 0 ? options.room : setup.payload;
  return StreamFrame(spec, options.data, std::string(payload, '.'));
}

}  // namespace

RigSetup spliced_rig(const SplicedSetup& setup) {
  return {.forward = model::Forward::kSplice,
          .family = setup.family == 4 ? net::Family::kIpv4 : net::Family::kIpv6,
          .capacity = std::size_t{8} << 20,
          .nat_flows = setup.connections,
          .spliced = setup.connections,
          .cookies = true,
          .rules = rules_that_match_last(setup.rules)};
}

Peers::Peers(Rig& rig, const PeersSetup& setup)
    : rig_(rig),
      mask_(setup.remembered - 1),
      timestamps_(setup.timestamps),
      talks_(setup.remembered),
      cookies_(setup.remembered),
      options_(stream_options(rig.from_client(0).source.family, setup.timestamps)),
      syn_(rig.from_client(net::kTcpSyn), options_.syn),
      client_ack_(rig.from_client(net::kTcpAck), options_.data),
      client_fin_(rig.from_client(kFinAck), options_.data),
      syn_ack_(rig.from_backend(kSynAck), options_.syn),
      backend_ack_(rig.from_backend(net::kTcpAck), options_.data),
      backend_fin_(rig.from_backend(kFinAck), options_.data),
      body_(body_frame(rig, setup, options_)),
      bulk_(setup.bulk) {
  HAWSER_REQUIRE(std::has_single_bit(setup.remembered));
  for (std::size_t variant = 0; variant < kVariants; ++variant) {
    requests_.push_back(request_frames(rig, setup, options_, variant));
    responses_.emplace_back(rig.from_backend(kData), options_.data,
                            setup.bulk == Bulk::kDown ? download_head(variant)
                                                      : response(setup.response_bytes, variant));
  }
  make_cookies();
}

// Each names a home, as if the balancer had given it just now.
void Peers::make_cookies() {
  const pipeline::Snapshot& snapshot = rig_.snapshot();
  const pipeline::ServiceEntry& service = snapshot.services.at(1);
  const std::uint32_t now = affinity::cookie_time(rig_.pace().unix_seconds());
  for (std::uint32_t n = 0; n <= mask_; ++n) {
    const BackendId home = service.members[n % service.members.size()];
    const affinity::Session session{.backend = snapshot.backends[home.value].tag,
                                    .id = hash::mix(n + 1ULL),
                                    .born = now,
                                    .refreshed = now,
                                    .epoch = 1};
    CookieText& cookie = cookies_[n];
    affinity::write_cookie(session, snapshot.splice_keys.cookies.front(), service.splice->name,
                           cookie.text);
    cookie.add_up();
  }
}

void Peers::put(const StreamFrame& frame, const Marks& marks, const CookieText& cookie,
                pipeline::Burst& burst) noexcept {
  std::uint8_t* const to = ring_.next();
  frame.write(to, marks, cookie);
  describe(burst.packets[burst.size++], to, frame.length());
  ++clock_;
}

// `joined`: the client has heard of the backend's clock.
void Peers::from_client(const StreamFrame& frame, std::uint32_t n, pipeline::Burst& burst,
                        bool joined) noexcept {
  const std::uint32_t index = n & mask_;
  const Talk& talk = talks_[index];
  const std::uint32_t clock = clock_ >> 10U;
  put(frame,
      {.source = client_of(n),
       .destination = rig_.service_end(),
       .sequence = talk.up,
       .acknowledgement = talk.down,
       .time = kClientClock + clock,
       .echo = joined ? kBackendClock + clock + talk.echo : talk.echo},
      cookies_[index], burst);
}

void Peers::from_backend(const StreamFrame& frame, const Talk& talk,
                         pipeline::Burst& burst) noexcept {
  const std::uint32_t clock = clock_ >> 10U;
  put(frame,
      {.source = talk.backend,
       .destination = talk.local,
       .sequence = talk.down - talk.shift,
       .acknowledgement = talk.up,
       .time = kBackendClock + clock,
       .echo = kClientClock + clock},
      cookies_[0], burst);
}

// The backend takes the connection: it acknowledges the SYN alone.
void Peers::join(std::uint32_t n, pipeline::Burst& burst) noexcept {
  Talk& talk = talks_[n & mask_];
  const std::uint32_t isn = backend_isn(n);
  const std::uint32_t clock = clock_ >> 10U;
  talk.shift = talk.down - (isn + 1);
  talk.echo -= kBackendClock + clock;
  put(syn_ack_,
      {.source = talk.backend,
       .destination = talk.local,
       .sequence = isn,
       .acknowledgement = n + 1,
       .time = kBackendClock + clock,
       .echo = kClientClock + clock},
      cookies_[0], burst);
}

void Peers::say(Say what, std::uint32_t n, pipeline::Burst& burst, std::uint32_t part) noexcept {
  Talk& talk = talks_[n & mask_];
  // Neighbours in a burst have other variants, and a connection has another each time.
  const std::size_t variant = hash::mix(n ^ std::uint64_t{talk.down} << 32U) % kVariants;
  switch (what) {
    case Say::kSyn:
      talk = {};
      talk.up = n;
      from_client(syn_, n, burst, false);
      ++talk.up;
      return;
    case Say::kAccept:
      from_client(client_ack_, n, burst, false);
      return;
    case Say::kRequest:
      from_client(requests_[variant][part], n, burst, talk.local.port != 0);
      talk.up += requests_[variant][part].payload();
      return;
    case Say::kSynAck:
      join(n, burst);
      return;
    case Say::kTaken:
      from_backend(backend_ack_, talk, burst);
      return;
    case Say::kResponse:
      from_backend(responses_[variant], talk, burst);
      talk.down += responses_[variant].payload();
      return;
    case Say::kThanks:
      from_client(client_ack_, n, burst, true);
      return;
    case Say::kClientFin:
      from_client(client_fin_, n, burst, true);
      ++talk.up;
      return;
    case Say::kServerFin:
      from_backend(backend_fin_, talk, burst);
      ++talk.down;
      return;
    case Say::kBody:
      if (bulk_ == Bulk::kUp) {
        from_client(body_, n, burst, true);
        talk.up += body_.payload();
      } else {
        from_backend(body_, talk, burst);
        talk.down += body_.payload();
      }
      return;
  }
}

void Peers::say_all(Say what, std::uint32_t part, std::uint32_t first, std::uint32_t size) {
  // Few at a time: each may make the pipeline send as many packets as the largest head has.
  constexpr std::uint32_t kAtATime = 4;
  const auto learn_all = [&](std::span<const pipeline::Packet> packets) { learn(packets); };
  pipeline::Burst burst;
  for (std::uint32_t n = first; n < first + size; ++n) {
    say(what, n & mask_, burst, part);
    if (burst.size < kAtATime && n + 1 < first + size) continue;
    rig_.turn(burst, learn_all);
    burst.size = 0;
    burst.again = false;
  }
}

void Peers::join_all(std::initializer_list<Say> then) {
  const std::uint32_t count = mask_ + 1;
  for (std::uint32_t n = 0; n < count; n += limits::kBurst) {
    const std::uint32_t size = std::min<std::uint32_t>(limits::kBurst, count - n);
    say_all(Say::kSyn, 0, n, size);
    say_all(Say::kAccept, 0, n, size);
    for (std::uint32_t part = 0; part < request_segments(); ++part) {
      say_all(Say::kRequest, part, n, size);
    }
    say_all(Say::kSynAck, 0, n, size);
    for (const Say what : then) say_all(what, 0, n, size);
  }
}

void Peers::learn(std::span<const pipeline::Packet> packets) noexcept {
  const std::size_t ip = sizeof(net::EthernetHeader);
  for (const pipeline::Packet& packet : packets) {
    const bool answer = packet.verdict == pipeline::Verdict::kReplySynCookie;
    if (!answer && packet.verdict != pipeline::Verdict::kSpliceOwn) continue;
    const std::uint8_t* const tcp = packet.data + packet.l4_offset;
    const auto header = load<net::TcpHeader>(tcp);
    if ((header.flags & net::kTcpSyn) == 0) continue;
    if (answer) {
      Talk& talk = talks_[(header.acknowledgement.host() - 1) & mask_];
      talk.down = header.sequence.host() + 1;
      if (timestamps_) talk.echo = load<net::Big32>(tcp + kTimeInAnswer).host();
      continue;
    }
    const std::size_t address = packet.l4_offset - 4;
    const std::size_t size = packet.l4_offset - ip > sizeof(net::Ipv4Header) ? 16 : 4;
    Talk& talk = talks_[header.sequence.host() & mask_];
    talk.local = {load<std::uint32_t>(packet.data + address - size), header.source_port.raw()};
    talk.backend = {load<std::uint32_t>(packet.data + address), header.destination_port.raw()};
  }
}

}  // namespace hawser::bench
