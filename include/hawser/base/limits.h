// Every limit of Hawser: its unit, its reason, and what happens when it is reached.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace hawser::limits {

// --- the packet path -----------------------------------------------------------------------------

// Packets handled together. 32 keeps the burst's Packet structs (2 KiB) and one line of every
// packet in L1; DPDK's receive functions are tuned for it. A larger burst is split.
inline constexpr std::size_t kBurst = 32;

// Largest frame accepted, bytes without FCS: 9000-byte jumbo payload + Ethernet + two VLAN tags.
// A longer one is dropped as too_long.
inline constexpr std::size_t kMaxFrame = 9022;

// --- flows ---------------------------------------------------------------------------------------

// Flows a worker can hold, all families together are sized apart. 2^26 entries = 1 GiB of IPv4
// flows. A configuration above it is refused.
inline constexpr std::uint32_t kMinFlowsPerWorker = 1024;
inline constexpr std::uint32_t kMaxFlowsPerWorker = 1U << 26;

// Live flows a service can be limited to: those of full tables, both families, on all workers
// (2^34). Refused above.
inline constexpr std::uint64_t kMaxFlowsPerService = std::uint64_t{1} << 34;

// Longest flow timeout, seconds. Half the range of CoarseTime less an hour, so that an entry's age
// is unambiguous even when it is swept late. A longer one is refused.
inline constexpr std::uint32_t kMaxTimeoutSeconds = 8 * 3600;

// Seconds a flow is kept after a reset, so that stray segments are not taken for a new flow. IPVS's
// CLOSE timeout.
inline constexpr std::uint16_t kResetLingerSeconds = 10;

// The sweep visits each bucket at least this often, seconds; expired flows may live that much
// longer in the counts. 20 s keeps the cost near one bucket a burst for 4 Mi buckets.
inline constexpr std::uint32_t kSweepSeconds = 20;

// Buckets looked at in one sweep step at most, so that a long pause does not become a long stall.
inline constexpr std::uint32_t kSweepBucketsPerStep = 256;

// --- NAT -----------------------------------------------------------------------------------------

// Local ports used for NAT on each NAT address. Below 1024 is left alone: privileged by custom.
inline constexpr std::uint32_t kFirstNatPort = 1024;
inline constexpr std::uint32_t kNatPorts = 65536 - kFirstNatPort;

// Free ports of an address that rest: they are not given out. A port released while a burst is on
// its way cannot be in use again within it, so a reply that was matched keeps its meaning until it
// is sent. Beyond it, new flows are dropped as nat_ports_exhausted.
inline constexpr std::uint32_t kNatPortsResting = kBurst;

// Flows looked at for one that is over when no local port is free. A burst of such new flows costs
// that many cache lines each, no more.
inline constexpr std::size_t kReclaimLooks = 64;

// Seconds after which a SYN that its client repeats counts as one that the backend did not answer:
// TCP repeats it after one second and after three (RFC 6298 section 2), so a lost one does not
// count.
inline constexpr std::uint16_t kSilentSeconds = 3;

// SYNs on their way to backends whose answers are timed, of a worker: 32 KiB, an L1 cache. With
// more, the older ones are not timed (handshake_clock.h).
inline constexpr std::size_t kTimedHandshakes = 4096;

// NAT addresses in all (8 bits in a flow entry). One more is refused with the snapshot.
inline constexpr std::size_t kMaxNatAddresses = 256;

// --- new flows -----------------------------------------------------------------------------------

// How far above its share of live flows a backend may be, thousandths: design default and maximum
// (beyond ten times the share a bound means nothing). Above it new flows go to another candidate.
inline constexpr std::uint32_t kBoundedLoadPermille = 250;
inline constexpr std::uint32_t kMaxBoundedLoadPermille = 10'000;
// Live flows up to which a backend is never above its bound: in small numbers what a hash deals out
// unevenly is noise, not load.
inline constexpr std::uint64_t kBoundedLoadFloor = 16;
// Further slots asked for a backend below its bound before all are looked at in turn.
inline constexpr std::uint32_t kCandidates = 8;

// How long a packet without a flow goes to a slot's owner before its last change, milliseconds:
// most flows from before it have ended by then, and more and more are from after it.
inline constexpr std::uint32_t kPreviousOwnerMilliseconds = 300'000;

// --- openings: telling backends their client's address -------------------------------------------

// Connections of a worker that are being opened with TOA or PROXY; new ones beyond it are dropped
// as opening_table_full, and the client's SYN comes again.
inline constexpr std::uint16_t kOpenings = 16'384;
// How long one stays in the table when nothing happens, and how long after its header was
// delivered, for acknowledgements that were overtaken; milliseconds.
inline constexpr std::uint32_t kOpeningMilliseconds = 60'000;
inline constexpr std::uint32_t kDeliveredMilliseconds = 2'000;
// A PROXY header that is not acknowledged is sent again after this time, then twice it, and so on
// (RFC 6298 begins with 1 s; backends are near); so often in all. Then it counts as lost.
inline constexpr std::uint32_t kProxyHeaderMilliseconds = 200;
inline constexpr std::uint8_t kProxyHeaderAttempts = 8;
// The wheel that finds what is due: one round is 10 s.
inline constexpr std::uint32_t kOpeningSlots = 1024;
inline constexpr std::uint32_t kOpeningTickMilliseconds = 10;

// --- fragments -----------------------------------------------------------------------------------

// Datagrams in fragments that a worker knows at once, in sets of two; a power of two. Beyond it the
// older of a set gives way, and later fragments of it count as fragment_first_missing.
inline constexpr std::size_t kFragmentEntries = 4096;
// Time a datagram's first fragment is remembered, milliseconds. RFC 791 lets reassembly take 15 s,
// Linux 30 s; fragments of one datagram follow each other within a path's jitter.
inline constexpr std::uint32_t kFragmentMilliseconds = 2000;
// Fragments a worker holds because the first has not come, and how long, milliseconds. Beyond
// either they are dropped as fragment_table_full or fragment_first_missing.
inline constexpr std::size_t kHeldFragments = 64;
inline constexpr std::uint32_t kHoldMilliseconds = 100;

// --- packets the pipeline makes ------------------------------------------------------------------

// Bytes that may be written before a frame: tunnel headers (IPv6 and UDP, 48) and a VLAN tag fit
// twice. DPDK's RTE_PKTMBUF_HEADROOM, asserted there.
inline constexpr std::size_t kHeadroom = 128;
// Empty buffers a worker has ready for packets of its own; beyond it packets are dropped as
// no_buffer. Every packet of a burst may need one.
inline constexpr std::size_t kSpares = 64;
// Finished packets waiting beside those of a burst: one made for each of the burst, those timers
// make and the fragments that stop waiting.
inline constexpr std::size_t kOutbox = 256;
// Packets let go that wait to be run once more; others stay held until the next occasion.
inline constexpr std::size_t kReleased = 256;

// --- ICMP and tunnels ----------------------------------------------------------------------------

// Echo replies and ICMP errors a worker sends, a second and at once; more are dropped as
// icmp_rate_limited (RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 f).
inline constexpr std::uint32_t kEchoRate = 1000;
inline constexpr std::uint32_t kIcmpErrorRate = 1000;
inline constexpr std::uint32_t kIcmpBurst = 100;
// Bytes of an ICMPv4 error with its IP header (RFC 1812 section 4.3.2.3), of an ICMPv6 error (RFC
// 4443 section 2.4 c).
inline constexpr std::size_t kIcmpv4ErrorBytes = 576;
inline constexpr std::size_t kIcmpv6ErrorBytes = 1280;
// How long the path MTU of a tunnel is remembered, milliseconds (RFC 1191 section 6.3: 10 minutes).
inline constexpr std::uint32_t kPathMtuMilliseconds = 600'000;
// Paths that a worker on its own, in tests and benchmarks, can tell apart; a dataplane's workers
// share one memory of kMaxNeighbours.
inline constexpr std::size_t kOwnPaths = 1024;
// IPv6 extension headers of one packet; a longer chain is dropped as ipv6_extension_chain.
inline constexpr unsigned kMaxExtensionHeaders = 8;
// The port of GUE (IANA).
inline constexpr std::uint16_t kGuePort = 6080;

// --- TCP options ---------------------------------------------------------------------------------

// Bytes of a TCP header with its options: 15 words (RFC 9293 section 3.1). An option that would not
// fit is not added.
inline constexpr std::size_t kMaxTcpHeader = 60;
// Largest window scale, a shift count; a greater one is taken for this (RFC 7323 section 2.3).
inline constexpr std::uint8_t kMaxWindowScale = 14;

// --- reading requests (splice) -------------------------------------------------------------------

// Head of an HTTP/1 message, bytes and header lines; larger ones are refused with 431, responses
// with 502. The bytes of a buffer for a head that comes in pieces.
inline constexpr std::size_t kMaxHttpHead = 16U << 10;
inline constexpr std::size_t kMaxHttpHeaders = 100;
// Line of a chunk's size with its extensions, and trailers of a message, bytes; longer ones are
// refused as bad_chunk_size and bad_trailer.
inline constexpr std::size_t kMaxChunkLine = 1024;
inline constexpr std::size_t kMaxTrailers = 8192;
// Body or chunk of a message, bytes: what signed 64-bit readers understand too. Larger ones are
// refused as bad_length and bad_chunk_size, as are sizes of more digits than any such needs.
inline constexpr std::uint64_t kMaxContentLength = INT64_MAX;
inline constexpr unsigned kMaxChunkDigits = 16;
// A TLS client's first message with its record headers, bytes; what is larger is reset.
inline constexpr std::size_t kMaxClientHello = kMaxHttpHead;
// Name of a server (RFC 1035 section 2.3.4) and list of protocols of a TLS client that are kept,
// bytes. A longer name is malformed; protocols beyond are not looked at.
inline constexpr std::size_t kMaxServerName = 255;
inline constexpr std::size_t kMaxAlpnBytes = 256;
// How far the clocks of two balancers may differ, units of 10 s. A cookie from further ahead is
// from the future and counts as none.
inline constexpr std::uint32_t kCookieSkew = 6;

// Parts of the idle time of sessions by which live ones are counted, 10 s each or more: with the
// default of 15 minutes, 10 s. A session counts for one part longer at most.
inline constexpr std::uint32_t kSessionBuckets = 90;
// Backends whose live sessions are counted, the first ones by id: 8 KiB each and worker, taken when
// the first session comes. Of others they are not known.
inline constexpr std::size_t kSessionBackends = 1U << 14;

// What may be configured about it; refused beyond. Time a request's head may take, milliseconds:
// below 100 slow networks lose, and beyond a minute nothing is left of a defence.
inline constexpr std::uint32_t kMinHeadMilliseconds = 100;
inline constexpr std::uint32_t kMaxHeadMilliseconds = 60'000;
// Body of the balancer's own answers, bytes: with its head it fits the smallest segment twice over.
inline constexpr std::size_t kMaxErrorBody = 512;
// Name, path and domain of our cookie, bytes each: the Set-Cookie line must fit a segment with room
// to spare. The domain is a host name (RFC 1035 section 2.3.4).
inline constexpr std::size_t kMaxCookieName = 64;
inline constexpr std::size_t kMaxCookiePath = 128;
inline constexpr std::size_t kMaxCookieDomain = 253;
// Lifetime of a session, seconds: not used, and in all. The idle time counts in the cookie's units
// of 10 s; a month of stickiness is no stickiness but a home address.
inline constexpr std::uint32_t kMinCookieIdleSeconds = 10;
inline constexpr std::uint32_t kMaxCookieIdleSeconds = 24 * 3600;
inline constexpr std::uint32_t kMaxCookieSeconds = 30 * 24 * 3600;
// Keys of session cookies that count at once: the one that signs and the one before it. An id is
// four bits of the cookie.
inline constexpr std::size_t kCookieKeys = 2;
inline constexpr std::uint32_t kMaxCookieKeyId = 15;
// Name of a header, of a parameter of the query or of an application's cookie, bytes.
inline constexpr std::size_t kMaxFieldName = 128;
// Rules of a service, their patterns together, and bytes of one: what Hyperscan compiles while an
// operator waits.
inline constexpr std::size_t kMaxRules = 1000;
inline constexpr std::size_t kMaxRulePatterns = 4000;
inline constexpr std::size_t kMaxRulePattern = 1000;
// Alternatives that a regular expression with ^ inside may become; refused above.
inline constexpr std::size_t kMaxRuleAlternatives = 100;
// Where a rule redirects to, before "$host" and "$target" are put in, bytes.
inline constexpr std::size_t kMaxRuleLocation = 1000;
// Least status of an answer that denies, and status of a redirect that names none (RFC 9110 section
// 15.4.9: for good, and with the same method).
inline constexpr std::uint32_t kMinDenyStatus = 400;
inline constexpr std::uint16_t kDefaultRedirect = 308;
// Requests a second that a rule may let through. Refused above.
inline constexpr std::uint32_t kMaxRuleRate = 1'000'000;
// Compiled rules of a service, bytes; several times what the largest set above was seen to take.
inline constexpr std::size_t kMaxRulesDatabase = 32U << 20;
// Bytes of a request that rules look at, each line with its mark: no head gives more, because none
// of its bytes is in more than a header and a cookie, and a mark is no longer than the line it
// stands for. What would not fit is not seen by the rules.
inline constexpr std::size_t kRuleSubject = 4 * kMaxHttpHead;
// Values of one cookie name, or protocols of a TLS client, that a regular expression looks at; the
// ones after are not seen by it. Each further one costs a scan.
inline constexpr std::size_t kRuleScans = 8;

// --- spliced connections -------------------------------------------------------------------------

// Of one worker: 20 bits of a NAT record name one. As many are kept as the worker has local ports,
// at least kMinSpliced; beyond it new ones are answered with 503.
inline constexpr std::size_t kMaxSpliced = (1U << 20) - 1;
inline constexpr std::size_t kMinSpliced = 1023;
// The wheel that finds what is due: one round is 10 s.
inline constexpr std::uint32_t kSpliceSlots = 1024;
inline constexpr std::uint32_t kSpliceTickMilliseconds = 10;
// Buffers of a worker for heads that come in pieces: kMaxHttpHead bytes each, 16 MiB in all.
// Without one a request is answered with 503, and a response waits for its backend to send it
// again.
inline constexpr std::size_t kHeadBuffers = 1024;
// Buffers of a worker for short texts, and bytes of one; 16 MiB in all. A connection has one at
// most for each of these, and without one: X-Forwarded-For makes the request wait for its client to
// send it again, a session cookie is not given, an answer of ours becomes a reset.
inline constexpr std::size_t kTexts = 16'384;
inline constexpr std::size_t kTextBytes = 1024;
// Packets that a worker holds until their turn comes, of all and of one connection; more are
// dropped as hold_full, and their senders send them again.
inline constexpr std::size_t kHeldPackets = 4096;
inline constexpr std::uint8_t kHeldPerConnection = 32;
// Window scale that clients are offered, a shift count: 8 MiB, what Linux usually asks for.
inline constexpr std::uint8_t kOfferedWindowScale = 7;
// Window of the SYN-ACK and while a head is read: that head may come at once.
inline constexpr std::uint16_t kReadingWindow = kMaxHttpHead;
// Time between two SYNs to one backend, and until the next is tried; milliseconds (the design: 500
// ms). SYNs in all, over several backends; then 503.
inline constexpr std::uint32_t kSpliceSynMilliseconds = 250;
inline constexpr std::uint8_t kSpliceSynsPerBackend = 2;
inline constexpr std::uint8_t kSpliceSyns = 8;
// What the balancer owns is sent again when it was not acknowledged for this time, then for twice
// it, and so on; milliseconds (RFC 6298 begins with 1 s; backends are near). Sent again so often,
// the last time after 12.6 s; 12.8 s later, 25.4 s after the first time, both sides are reset
// (splice_owned_lost).
inline constexpr std::uint32_t kOwnedMilliseconds = 200;
inline constexpr std::uint8_t kOwnedAttempts = 6;
// How long a connection that is over is remembered, for what is still on its way; milliseconds.
inline constexpr std::uint32_t kSpliceLinger = 3000;
inline constexpr std::uint32_t kSpliceResetLinger = 500;
// Connections to backends that were left for another and are not quite closed; beyond it they are
// reset at once. They are kept for so many rounds of so many milliseconds, 2 s in all; after each
// round but the last a FIN that was not acknowledged is sent again, then a reset.
inline constexpr std::size_t kLeftBehind = 16'384;
inline constexpr std::uint32_t kLeftBehindMilliseconds = 500;
inline constexpr std::uint8_t kLeftBehindRounds = 4;
// Flows without a connection that a worker remembers, and how long their segments must keep coming
// until they are reset, and when they are forgotten: milliseconds. What overtakes the first segment
// of a connection does so by less. Another flow in the same place only delays the reset.
inline constexpr std::size_t kStrangers = 4096;
inline constexpr std::uint32_t kStrangerMilliseconds = 500;
inline constexpr std::uint32_t kStrangerForgottenMilliseconds = 60'000;
// A segment that lies so little before the end of a connection that is over is a late copy of its
// own, and begins no other, bytes: more than an upload brings while a copy is on its way. What
// comes from the same port with numbers so close waits for the linger.
inline constexpr std::uint32_t kOldSegment = 16U << 20;
// Answers to segments that do not fit their connection, a second (RFC 5961 section 7).
inline constexpr std::uint32_t kChallengeRate = 100;
// How far a known body may reach beyond what has been seen, bytes: more than any window (RFC 7323).
inline constexpr std::uint32_t kKnownAhead = 1U << 30;
// An answer of the balancer's own, bytes of head and body: it fits one text and one segment. With a
// redirect that does not fit, its Location is left out.
inline constexpr std::size_t kMaxAnswer = kTextBytes;

// --- QUIC (draft-ietf-quic-load-balancers section 5) ---------------------------------------------

inline constexpr std::uint32_t kMaxQuicConfigId = 6;   // 7 says "not routable"
inline constexpr std::uint32_t kMaxQuicServerId = 15;  // bytes
inline constexpr std::uint32_t kMinQuicNonce = 4;      // bytes
inline constexpr std::uint32_t kMaxQuicNonce = 18;
inline constexpr std::size_t kQuicKeyBytes = 16;
// Server id and nonce together, bytes: with the first octet the 20 bytes of QUIC version 1 (RFC
// 9000 section 17.2). A configuration above any of these is refused.
inline constexpr std::uint32_t kMaxQuicPlaintext = 19;

// --- prefix lists --------------------------------------------------------------------------------

// Lists, and prefixes of all together: 1 Mi IPv4 and IPv6 prefixes are some tens of MiB. Refused
// above.
inline constexpr std::size_t kMaxPrefixLists = 256;
inline constexpr std::size_t kMaxPrefixes = 1U << 20;
// Events a token bucket holds when full: its shortage is kept in thousandths in 32 bits. A larger
// burst counts as this one.
inline constexpr std::uint32_t kMaxRateBurst = UINT32_MAX / 1000;
// A file of prefixes, bytes, and mistakes of it that are told; beyond either it is not read
// further.
inline constexpr std::size_t kMaxPrefixFile = 64U << 20;
inline constexpr std::size_t kMaxPrefixFileErrors = 10;
// Characters of a prefix: the longest IPv6 address with a length.
inline constexpr std::size_t kMaxPrefixText = 49;
// New flows a second that can be configured: more than any machine sees. Refused above.
inline constexpr std::uint32_t kMaxFlowRate = 1'000'000'000;
// Sets of source prefixes whose rate a worker remembers, all services together: four in each, 65
// 536 in 1 MiB. Beyond them the one that is nearest to its full rate is forgotten
// (source_limiter.h).
inline constexpr std::size_t kSourceSets = 1U << 14;

// --- services and backends -----------------------------------------------------------------------

// Services in a snapshot: 16-bit ids, 0 is none. One more is refused with the snapshot.
inline constexpr std::size_t kMaxServices = 65535;

// Backend ids over all services: 20 bits in a flow entry, 0 is none. Refused above.
inline constexpr std::size_t kMaxBackends = (1U << 20) - 1;

// Backends of one service: table slots hold 15-bit indexes, the last is "nobody". Refused above.
inline constexpr std::size_t kMaxBackendsPerService = 32766;

// Weight of a backend, unitless, relative to the others of its service. There is no weight 0:
// `drain` (no new flows, old ones stay) and `maintenance` (none at all) say which is meant.
inline constexpr std::uint32_t kMinWeight = 1;
inline constexpr std::uint32_t kMaxWeight = 1000;
inline constexpr std::uint32_t kDefaultWeight = 100;

// Backends whose handshakes and responses are timed, the first ones by id: 54 MiB of addresses for
// each worker, of which those that are in use take memory, 3.3 kB each. Others have no times.
inline constexpr std::size_t kTimedBackends = 1U << 14;

// Slots of a service's table: the primes of the Maglev paper (section 5.3). The larger one above
// kLargeTableBackends keeps a backend's share within 1 % of its weight.
inline constexpr std::uint32_t kTableSlots = 65537;
inline constexpr std::uint32_t kLargeTableSlots = 655373;
inline constexpr std::size_t kLargeTableBackends = 300;

// Bytes of a name of a service or backend; what a terminal column and a metric label bear.
inline constexpr std::size_t kMaxName = 63;

// Workers: each has at least 64512 / 128 = 504 local ports of every NAT address. Refused above.
inline constexpr std::size_t kMaxWorkers = 128;

// --- ports and neighbours ------------------------------------------------------------------------

// Ports of one dataplane. Refused above.
inline constexpr std::size_t kMaxPorts = 16;
// Addresses of one port, gateway entries of one port. Refused above.
inline constexpr std::size_t kMaxPortAddresses = 64;

// Neighbours resolved: one per distinct backend address and gateway. Refused with the snapshot.
inline constexpr std::size_t kMaxNeighbours = 1U << 17;

// --- control -------------------------------------------------------------------------------------

// One frame on the dataplane socket, bytes: 1000 services x 100 backends fit four times over.
// A longer one closes the connection with an error.
inline constexpr std::size_t kMaxControlFrame = 64U << 20;

// Connections to the dataplane socket at once; one more is closed at once with an error frame.
inline constexpr std::size_t kMaxControlConnections = 32;

// Head of a request that an operator asks about, bytes; longer ones are refused with a usage error.
// Above kMaxHttpHead, so that what happens to a head too large can be asked as well.
inline constexpr std::size_t kMaxExplainHead = 64U << 10;

// Entries of one answer to `hawserctl history`: 1000 with the longest names and reasons are 1.3 MB,
// below gRPC's 4 MiB for a message. hawserctl refuses a larger number with a usage error, hawserd
// answers others who ask for more with so many, and says that there are more.
inline constexpr std::uint32_t kMaxHistoryEntries = 1000;
// And of an answer to somebody who names no number: what fits on a screen.
inline constexpr std::uint32_t kDefaultHistoryEntries = 20;

// Threads that answer HTTP, one connection each: a browser, two Prometheus servers and some slow
// clients. Connections beyond them wait, so many at once; one more is closed.
inline constexpr unsigned kHttpThreads = 16;
inline constexpr unsigned kHttpWaiting = 64;
// A request's line and head, bytes: ten times what a browser sends. 400 above it.
inline constexpr unsigned kMaxHttpRequestBytes = 16U << 10;
// Milliseconds that a request may take to arrive, and a client to take the next part of an answer;
// then the connection is closed.
inline constexpr unsigned kHttpTimeoutMilliseconds = 5000;
// And a whole answer, seconds: what Prometheus waits for at most by default settings is 10.
inline constexpr unsigned kHttpAnswerSeconds = 60;
// Scrapes of /metrics at once, and answers of /api: two Prometheus servers and whoever looks. Each
// holds what hawserd knows, 100 MB with 100 000 backends. One more is 503; for /api it waits first.
inline constexpr unsigned kScrapesAtOnce = 4;
// Values of a metric that are put into text together, about 400 bytes each before.
inline constexpr std::size_t kMetricsAtOnce = 2000;
// An answer is sent in parts of so many bytes; a shorter one goes at once, with its length.
inline constexpr std::size_t kHttpPart = 64U << 10;

// Configuration file, bytes. A longer one is refused.
inline constexpr std::size_t kMaxConfigurationBytes = 64U << 20;

// --- the configuration file: beyond these it is refused with a diagnostic ------------------------

// Highest core number, DPDK's RTE_MAX_LCORE on Debian less one.
inline constexpr std::uint32_t kMaxCore = 127;

// Descriptors of a queue: below 64 a burst does not fit twice, above 32768 no driver goes.
inline constexpr std::uint32_t kMinDescriptors = 64;
inline constexpr std::uint32_t kMaxDescriptors = 32768;

// Packet buffers of the process: enough for one queue, and at most 16 Mi (36 GiB of memory).
inline constexpr std::uint32_t kMinMbufs = 1024;
inline constexpr std::uint32_t kMaxMbufs = 1U << 24;

// MTU, bytes: IPv6 asks for 1280 (RFC 8200 section 5); a jumbo frame must fit kMaxFrame.
inline constexpr std::uint32_t kMinMtu = 1280;
inline constexpr std::uint32_t kMaxMtu = 9000;

// VLAN identifiers (IEEE 802.1Q): 0 is no VLAN, 4095 reserved.
inline constexpr std::uint32_t kMinVlan = 1;
inline constexpr std::uint32_t kMaxVlan = 4094;

// Name of a TAP interface, bytes: the kernel's IFNAMSIZ with its terminator.
inline constexpr std::size_t kMaxInterfaceName = 15;

// Path of a directory or text of a device, bytes: the kernel's PATH_MAX.
inline constexpr std::size_t kMaxPath = 4096;

// Path of a socket, bytes: sun_path with its terminator, less "-ro" of the read-only twin.
inline constexpr std::size_t kMaxSocketPath = 104;

// Slots of a table configured by hand: 32 MiB of indexes for one service.
inline constexpr std::uint32_t kMaxTableSlots = 1U << 24;
// Slots a backend has at least, so that weights mean something.
inline constexpr std::uint32_t kMinSlotsPerBackend = 2;

// Time between two checks of a backend and time one may take, milliseconds: shorter ones are an
// attack on the backend, longer ones are no check.
inline constexpr std::uint32_t kMinCheckMilliseconds = 50;
inline constexpr std::uint32_t kMaxCheckMilliseconds = 3600 * 1000;

// Count in front of a duration's unit: leaves room for the largest unit in milliseconds.
inline constexpr std::uint64_t kMaxDurationCount = UINT64_MAX / 86'400'000;

// Slow start, seconds: longer ones are a weight that somebody sets by hand. Its weight grows in so
// many steps, each a new table with the fewest moves.
inline constexpr std::uint32_t kMaxSlowStartSeconds = 3600;
inline constexpr std::uint32_t kSlowStartSteps = 20;

// Passive ejection: failures that may be asked for, the window they are counted in and how long a
// backend may be ejected, seconds. The window is made of what is seen every second.
inline constexpr std::uint32_t kMaxPassiveFailures = 1'000'000;
inline constexpr std::uint32_t kMinPassiveWindowSeconds = 2;
inline constexpr std::uint32_t kMaxPassiveWindowSeconds = 300;
inline constexpr std::uint32_t kMaxEjectionSeconds = 24 * 3600;

// A drain's deadline and a maintenance's end may be that far away, seconds; the resets at a
// deadline may be spread over that long. Refused above.
inline constexpr std::uint64_t kMaxTermSeconds = 30ULL * 24 * 3600;
inline constexpr std::uint32_t kMaxJitterSeconds = 3600;
inline constexpr std::uint32_t kDefaultJitterSeconds = 10;
// Steps in which a drain with a deadline lets sessions go, and its flows at the end: each is a
// snapshot.
inline constexpr std::uint32_t kDrainSteps = 64;

// Parts that the sessions and flows of a backend are cut into to be let go one after the other.
inline constexpr std::uint16_t kSlices = 4096;

// Events that hawserd remembers for those who ask later; the oldest are forgotten.
inline constexpr std::size_t kMaxEvents = 10'000;
// Entries of the history that are kept; the oldest are erased.
inline constexpr std::uint64_t kMaxHistoryKept = 100'000;
// Epochs are reserved on disk so many at once: a start skips what was not used of them.
inline constexpr std::uint64_t kEpochReserve = 1000;

// Checks in a row that bring a backend up or down.
inline constexpr std::uint32_t kMinCheckCount = 1;
inline constexpr std::uint32_t kMaxCheckCount = 100;

// HTTP status codes (RFC 9110 section 15).
inline constexpr std::uint32_t kMinHttpStatus = 100;
inline constexpr std::uint32_t kMaxHttpStatus = 599;

// Path, host, body text, pattern or bytes to send of a check, bytes: what fits a request head
// everywhere.
inline constexpr std::size_t kMaxCheckText = 2048;
// Name of a host, bytes (RFC 1035 section 2.3.4, in text). Refused above.
inline constexpr std::size_t kMaxHostName = 253;
// Headers that a check sends of its own. Refused above.
inline constexpr std::size_t kMaxCheckHeaders = 16;
// Of a response's body so much is searched, bytes; the rest is not read.
inline constexpr std::size_t kMaxCheckBody = 64U << 10;
// Head of a response to a check, interim ones among it, bytes. A longer one fails the check.
inline constexpr std::size_t kMaxCheckHead = 32U << 10;
// Checks in flight at once, and the part of the process's descriptors (one in so many) that they
// may take; more wait their turn.
inline constexpr std::size_t kMaxChecksInFlight = 4096;
inline constexpr std::size_t kCheckDescriptorShare = 2;
// Line of an agent, bytes: HAProxy reads no more than a buffer. Of a longer one nothing is
// believed.
inline constexpr std::size_t kMaxAgentLine = 4096;
// A certificate that expires within this time is told before it hurts, seconds: design default, and
// maximum (nobody renews ten years ahead).
inline constexpr std::uint32_t kDefaultExpiresWithin = 7 * 86'400;
inline constexpr std::uint32_t kMaxExpiresWithin = 3650U * 86'400;

// Further arguments for the EAL.
inline constexpr std::size_t kMaxEalArguments = 64;

// --- between cores -------------------------------------------------------------------------------

// Between two sums of all workers' live flows: what a worker knows of the others is never older
// than twice that (bounded load, max_flows).
inline constexpr std::chrono::milliseconds kLoadPeriod{50};
// Packets waiting for the worker that owns their flow; more are freed as hand_off_ring_full.
inline constexpr unsigned kHandOffRing = 1024;
// Packets of all workers waiting for the main core; more are freed as punt_ring_full.
inline constexpr unsigned kPuntRing = 1024;
// Frames of kernel and resolver waiting for the first worker; more are freed as inject_ring_full.
inline constexpr unsigned kInjectRing = 1024;

// Punted packets handled in one turn of the main loop, so that sockets get their turn.
inline constexpr unsigned kPuntBurst = 64;
// Frames read from one TAP in one turn of the main loop.
inline constexpr unsigned kTapBurst = 64;

// --- memory --------------------------------------------------------------------------------------

// Packet buffers a core keeps for itself: half of DPDK's maximum, several bursts.
inline constexpr unsigned kMbufCache = 256;
// Bytes of a packet buffer's data room at least: what drivers expect for a frame of 1518 bytes.
inline constexpr unsigned kMbufDataRoom = 2048;
// Memory of EAL and drivers beside the packet buffers, MiB, and more for each queue.
inline constexpr std::size_t kEalMegabytes = 48;
inline constexpr std::size_t kQueueMegabytes = 2;

// --- flow listings -------------------------------------------------------------------------------

// Buckets a worker looks at in one turn of its loop while a listing runs: about 5 us.
inline constexpr std::size_t kListingBuckets = 64;
// Rows on their way from one worker to the main core; a worker waits when they are not taken.
inline constexpr std::size_t kListingRows = 4096;
// Rows of one FlowsReply, and rows of a listing that names no limit.
inline constexpr std::size_t kRowsPerReply = 256;
inline constexpr std::uint32_t kDefaultFlowRows = 1000;

// --- captures ------------------------------------------------------------------------------------

// Captures of one dataplane at once: each costs its workers time. One more is refused.
inline constexpr std::size_t kMaxCaptures = 1;
// Packets that one worker gives a capture in a millisecond, and at once after a pause; more are
// counted as over_rate. 50 000 a second cost a worker one or two percent of its time.
inline constexpr std::uint32_t kCapturePerMillisecond = 50;
inline constexpr std::uint32_t kCaptureBurst = 5000;
// Frames that one worker sets aside in a millisecond as they came in, before it is known whether
// the capture wants them; then those wanted are counted as over_rate. Most in a burst of them too.
inline constexpr std::uint32_t kAsidePerMillisecond = 200;
inline constexpr std::uint32_t kAsideBurst = 5000;
// Frames on their way from one worker to the main core, bytes, a power of two: what comes in 50 ms
// at the rate above with 1500-byte frames. Packets without room are counted as ring_full.
inline constexpr std::size_t kCaptureRing = 8U << 20;
// Frames and bytes of one CaptureReply, and the time after which one is sent without any, so that
// both ends know that the other still is there.
inline constexpr std::size_t kFramesPerReply = 256;
inline constexpr std::size_t kCaptureReplyBytes = 256U << 10;
inline constexpr std::chrono::milliseconds kCaptureHeartbeat{100};
// One in so many packets at the most rare; frames and time of a capture that has an end. Refused
// above with a usage error.
inline constexpr std::uint32_t kMaxCaptureSample = 1'000'000;
inline constexpr std::uint64_t kMaxCaptureFrames = 1'000'000'000;
inline constexpr std::uint32_t kMaxCaptureSeconds = 7 * 24 * 3600;
// Bytes of a frame that are kept at least: link, IP and TCP headers without options or tag.
inline constexpr std::uint32_t kMinCaptureSnap = 54;

// --- neighbours ----------------------------------------------------------------------------------

// How long an answer is good for (RFC 4861 section 10, REACHABLE_TIME).
inline constexpr std::chrono::milliseconds kReachable{30'000};
// Between two probes of one neighbour (RFC 4861 section 10, RETRANS_TIMER).
inline constexpr std::chrono::milliseconds kProbeInterval{1000};
// Unanswered probes after which a neighbour counts as failed: one to its last MAC address, three
// to all (RFC 4861 section 10, MAX_MULTICAST_SOLICIT). It is still probed each kProbeInterval.
inline constexpr unsigned kUnicastProbes = 1;
inline constexpr unsigned kBroadcastProbes = 3;
// Between two looks at all neighbours, and probes sent in one; the others wait for the next look.
inline constexpr std::chrono::milliseconds kResolverTick{100};
inline constexpr std::size_t kProbesPerTick = 256;

// --- control sockets
// -------------------------------------------------------------------------------------

// One request on the read-only socket, bytes: its users need not be trusted with memory.
inline constexpr std::size_t kReadOnlyFrame = 64U << 10;
// Answers waiting for a slow client, bytes: above it no further request of it is looked at.
inline constexpr std::size_t kReplyBacklog = 1U << 20;

// --- idling --------------------------------------------------------------------------------------

// A worker without packets spins so long before it sleeps (idle = "adaptive"), microseconds, and
// then sleeps this long at first, that much at most.
inline constexpr std::uint32_t kSpinMicroseconds = 50;
inline constexpr std::uint32_t kFirstSleepMicroseconds = 20;
inline constexpr std::uint32_t kLongestSleepMicroseconds = 200;
// The main core waits between these for punted packets, microseconds.
inline constexpr std::uint32_t kMainShortWaitMicroseconds = 50;
inline constexpr std::uint32_t kMainLongWaitMicroseconds = 1000;

}  // namespace hawser::limits
