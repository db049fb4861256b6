// Random packets that hit: few clients, so that flows recur, and replies to ports that are in use.
#pragma once

#include <vector>

#include "model_packets.h"
#include "random.h"
#include "world.h"

namespace hawser::property {

class PacketGenerator {
 public:
  PacketGenerator(const Network& network, const Shape& shape, Random& random)
      : network_(network), shape_(shape), random_(random) {}

  // A burst for a worker, of `most` packets at most. Reads the model for what is in use.
  [[nodiscard]] std::vector<Segment> burst(const ModelWorker& worker, std::size_t most);

 private:
  [[nodiscard]] Segment request();
  [[nodiscard]] Segment again(const Segment& earlier);
  [[nodiscard]] Segment reply(const ModelWorker& worker, const std::vector<Segment>& earlier);
  [[nodiscard]] Segment stray_reply();
  void answer(Segment& segment, const ModelWorker& worker, const Local& local);
  void fill(Segment& segment);
  void complain(Segment& segment);
  void cut(std::vector<Segment>& segments, std::size_t most);
  void spoil(Segment& segment);
  [[nodiscard]] std::uint8_t flags();

  const Network& network_;
  const Shape& shape_;
  Random& random_;
};

}  // namespace hawser::property
