// The loop of a worker core.
#include "dataplane/worker.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>
#include <sys/prctl.h>

#include <algorithm>
#include <utility>

#include "dataplane/idle.h"
#include "dataplane/mbuf_burst.h"
#include "hawser/base/contract.h"

namespace hawser::dataplane {

Worker::Worker(WorkerSetup setup, WorkerMemory memory, Shared& shared)
    : setup_(std::move(setup)),
      memory_(std::move(memory)),
      shared_(shared),
      state_(memory_.state(setup_.id)),
      senders_(setup_.ports.size()),
      lister_(state_),
      meter_(clock_.cycles(1'000'000)) {
  shared_.load.attach(state_);
  state_.paths = &shared_.paths;
}

Worker::~Worker() {
  while (const pipeline::Packet* spare = state_.outbox.take_spare()) {
    rte_pktmbuf_free(static_cast<rte_mbuf*>(spare->handle));
  }
  state_.splice.held.drain([](const pipeline::Packet& packet) {
    rte_pktmbuf_free(static_cast<rte_mbuf*>(packet.handle));
  });
}

void Worker::run() noexcept {
  // Without it the kernel rounds each sleep up by 50 us.
  prctl(PR_SET_TIMERSLACK, 1UL);
  memory_.touch();
  rte_rcu_qsbr* readers = shared_.readers.get();
  rte_rcu_qsbr_thread_register(readers, setup_.id.value);
  rte_rcu_qsbr_thread_online(readers, setup_.id.value);
  Idler idler(shared_.idle, clock_.cycles(limits::kSpinMicroseconds), readers, setup_.id.value);
  while (!stopping_.load(std::memory_order_relaxed)) {
    const std::uint64_t microseconds = clock_.advance();
    pipeline::Context context{.snapshot = *shared_.snapshot.load(std::memory_order_acquire),
                              .worker = state_,
                              .neighbours = shared_.neighbours,
                              .now = clock_.coarse(),
                              .now_ms = clock_.milliseconds(),
                              .now_us = clock_.microseconds(),
                              .unix_seconds = clock_.unix_seconds(),
                              .ticks = clock_.now()};
    CaptureSet* const captures = shared_.captures.load(std::memory_order_acquire);
    state_.capture = captures == nullptr ? nullptr : captures->workers[setup_.id.value].get();
    restock();
    const unsigned packets = receive(context) + take_handed_over(context) + send_injected();
    for (std::size_t port = 0; port < senders_.size(); ++port) flush(port);
    if (microseconds != 0) {
      pipeline::sweep(context, microseconds);
      pipeline::tick(context);
      empty_outbox();
      if (state_.outbox.take_released(burst_)) process(context);
    }
    lister_.step(clock_.coarse());
    rte_rcu_qsbr_quiescent(readers, setup_.id.value);
    meter_.count(packets != 0, clock_.now());
    if (packets != 0 || lister_.is_active()) {
      idler.worked();
    } else {
      idler.rest(clock_.now());
    }
  }
  rte_rcu_qsbr_thread_offline(readers, setup_.id.value);
  rte_rcu_qsbr_thread_unregister(readers, setup_.id.value);
}

unsigned Worker::receive(pipeline::Context& context) noexcept {
  unsigned total = 0;
  for (std::size_t p = 0; p < setup_.ports.size(); ++p) {
    const WorkerPort& port = setup_.ports[p];
    if (!port.receives) continue;
    const PortId port_in(static_cast<std::uint16_t>(p));
    std::array<rte_mbuf*, limits::kBurst> mbufs;
    const std::uint16_t count =
        rte_eth_rx_burst(port.dpdk_id, setup_.id.value, mbufs.data(), mbufs.size());
    if (count == 0) continue;
    burst_.size = 0;
    burst_.again = false;
    for (std::uint16_t i = 0; i < count; ++i) {
      if (restore_vlan_tag(mbufs[i])) {
        burst_.packets[burst_.size++] = packet_of(mbufs[i], port_in);
      } else {
        losses_.vlan_tag_lost.add(1);
        rte_pktmbuf_free(mbufs[i]);
      }
    }
    process(context);
    total += count;
  }
  return total;
}

unsigned Worker::take_handed_over(pipeline::Context& context) noexcept {
  std::array<rte_mbuf*, limits::kBurst> mbufs;
  const unsigned count = shared_.rings.hand_off[setup_.id.value].take(mbufs);
  if (count == 0) return 0;
  for (unsigned i = 0; i < count; ++i) {
    burst_.packets[i] = packet_of(mbufs[i], PortId(mbufs[i]->port));
  }
  burst_.size = count;
  burst_.again = false;
  process(context);
  return count;
}

// What the kernel and the resolver want sent goes out as it is.
unsigned Worker::send_injected() noexcept {
  if (setup_.id.value != 0) return 0;
  std::array<rte_mbuf*, limits::kBurst> mbufs;
  const unsigned count = shared_.rings.inject.take(mbufs);
  for (unsigned i = 0; i < count; ++i) send(PortId(mbufs[i]->port), mbufs[i]);
  return count;
}

// The burst, what it made the pipeline send besides, and what it let go.
void Worker::process(pipeline::Context& context) noexcept {
  do {
    pipeline::run(burst_, context);
    dispose(burst_.span());
    empty_outbox();
  } while (state_.outbox.take_released(burst_));
}

void Worker::empty_outbox() noexcept {
  std::span<const pipeline::Packet> finished = state_.outbox.finished();
  while (!finished.empty()) {
    const std::size_t count = std::min(finished.size(), limits::kBurst);
    dispose(finished.first(count));
    finished = finished.subspan(count);
  }
  state_.outbox.clear_finished();
}

void Worker::restock() noexcept {
  std::array<rte_mbuf*, limits::kSpares> mbufs;
  const auto wanted = static_cast<unsigned>(state_.outbox.spares_wanted());
  if (wanted == 0 || rte_pktmbuf_alloc_bulk(setup_.pool, mbufs.data(), wanted) != 0) return;
  for (unsigned i = 0; i < wanted; ++i) state_.outbox.add_spare(spare_of(mbufs[i]));
}

// Does with up to a burst of packets what their verdicts say.
void Worker::dispose(std::span<const pipeline::Packet> packets) noexcept {
  std::array<rte_mbuf*, limits::kBurst> punted;
  std::array<rte_mbuf*, limits::kBurst> dropped;
  unsigned punts = 0;
  unsigned drops = 0;
  for (const pipeline::Packet& packet : packets) {
    auto* mbuf = static_cast<rte_mbuf*>(packet.handle);
    switch (pipeline::kind_of(packet.verdict)) {
      case pipeline::VerdictKind::kForward:
      case pipeline::VerdictKind::kReply:
        send(packet.port_out, finish(packet));
        break;
      case pipeline::VerdictKind::kHandOff:
        mbuf->port = packet.port_in.value;
        if (shared_.rings.hand_off[packet.worker.value].put({&mbuf, 1}) == 1) break;
        losses_.hand_off_ring_full.add(1);
        dropped[drops++] = mbuf;
        break;
      case pipeline::VerdictKind::kHold:
        break;
      case pipeline::VerdictKind::kPunt:
        mbuf->port = packet.port_in.value;
        punted[punts++] = mbuf;
        break;
      case pipeline::VerdictKind::kUndecided:
      case pipeline::VerdictKind::kDrop:
        dropped[drops++] = mbuf;
        break;
    }
  }
  if (punts > 0) {
    const unsigned put = shared_.rings.punt.put({punted.data(), punts});
    if (put < punts) {
      losses_.punt_ring_full.add(punts - put);
      rte_pktmbuf_free_bulk(punted.data() + put, punts - put);
    }
  }
  if (drops > 0) rte_pktmbuf_free_bulk(dropped.data(), drops);
}

void Worker::send(PortId port, rte_mbuf* mbuf) noexcept {
  HAWSER_ASSERT(port.value < senders_.size());
  Sender& sender = senders_[port.value];
  if (sender.count == sender.mbufs.size()) flush(port.value);
  sender.mbufs[sender.count++] = mbuf;
}

void Worker::flush(std::size_t port) noexcept {
  Sender& sender = senders_[port];
  if (sender.count == 0) return;
  const std::uint16_t sent =
      rte_eth_tx_burst(setup_.ports[port].dpdk_id, setup_.id.value, sender.mbufs.data(),
                       static_cast<std::uint16_t>(sender.count));
  if (sent < sender.count) {
    sender.unsent.add(sender.count - sent);
    rte_pktmbuf_free_bulk(sender.mbufs.data() + sent, sender.count - sent);
  }
  sender.count = 0;
}

void Worker::reset_counters(BackendId id) noexcept {
  state_.backends[id.value].clear();
  if (id.value < state_.times.size()) state_.times[id.value].clear();
  if (id.value < state_.sessions.size()) state_.sessions[id.value].clear();
}

}  // namespace hawser::dataplane
