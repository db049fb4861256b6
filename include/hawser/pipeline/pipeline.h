// The packet's way: rx -> recognise -> parse -> neighbours -> icmp -> fragments -> classify ->
// lookup -> splice -> admit -> carry -> rewrite -> tx.
//
// One direction, a burst at a time. A stage is a loop over the burst around a per-packet function;
// a packet that has its verdict skips the rest, and one that recognise knew goes on at carry. No
// stage calls another: the order stands here alone.
#pragma once

#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// Finds the flows of packets about which nothing is special; notes what parse, classify and look_up
// would. The others stay as they came.
void recognise(Burst& burst, Context& context) noexcept;

// Reads Ethernet and IP headers, checks them in the order of the RFCs, finds the transport header.
void parse(Burst& burst, const Context& context) noexcept;

// Answers ARP requests and neighbour solicitations for our addresses, in place.
void answer_neighbours(Burst& burst, const Context& context) noexcept;

// Answers echo requests for services; finds the flow that an ICMP error is about.
void handle_icmp(Burst& burst, Context& context) noexcept;

// Gives later fragments of a datagram the ports of the first, or holds them until it comes.
void join_fragments(Burst& burst, Context& context) noexcept;

// Finds the service a packet is for, or the NAT address it returns to; punts what is not for us.
void classify(Burst& burst, const Context& context) noexcept;

// Finds known flows, in two passes: hash and prefetch all, then match all.
void look_up(Burst& burst, Context& context) noexcept;

// Reads connections of spliced services, and joins them to backends; those packets are done then.
void splice(Burst& burst, Context& context) noexcept;

// Chooses a backend for new flows and records them.
void admit(Burst& burst, Context& context) noexcept;

// Rewrites the packets that recognise knew, where nothing is in their way.
void carry(Burst& burst, Context& context) noexcept;

// Writes addresses, ports, MACs and checksums; sends resets.
void rewrite(Burst& burst, Context& context) noexcept;

// All of the above, then counts the verdicts. Afterwards every packet has one, and the caller must
// send, hand off, punt or free it accordingly; held ones are the pipeline's. The same for what is
// finished in the outbox; what is released there is run once more. Neither allocates, locks, throws
// nor makes a system call.
void run(Burst& burst, Context& context) noexcept;

// Gives up fragments whose first did not come. What that finishes is in the outbox.
void tick_fragments(Context& context) noexcept;

// Retries, deadlines and ends of spliced connections. What that makes is in the outbox.
void tick_splice(Context& context) noexcept;

// What is due without a packet. Call it between bursts, every few milliseconds; then look at the
// outbox as after run().
void tick(Context& context) noexcept;

// Looks at the buckets that are due after `microseconds` more have passed and forgets flows that
// were idle too long, or whose service is gone. Call it between bursts.
void sweep(Context& context, std::uint64_t microseconds) noexcept;

}  // namespace hawser::pipeline
