// The sub-commands of hawser-bench. Each adds itself to the command line and returns what runs it.
#pragma once

#include <functional>

#include "measure.h"
#include "report.h"

namespace CLI {
class App;
}

namespace hawser::bench {

// Reports what it measured; throws std::runtime_error when that was not what it should measure.
using Command = std::function<void(const Common&, Report&)>;

[[nodiscard]] Command add_l4(CLI::App& app);
[[nodiscard]] Command add_floor(CLI::App& app);
[[nodiscard]] Command add_flows(CLI::App& app);
[[nodiscard]] Command add_new_flows(CLI::App& app);
[[nodiscard]] Command add_connections(CLI::App& app);
[[nodiscard]] Command add_syn(CLI::App& app);
[[nodiscard]] Command add_l7(CLI::App& app);
[[nodiscard]] Command add_splice(CLI::App& app);
[[nodiscard]] Command add_table(CLI::App& app);
[[nodiscard]] Command add_compare(CLI::App& app);
[[nodiscard]] Command add_apply(CLI::App& app);
[[nodiscard]] Command add_micro(CLI::App& app);
[[nodiscard]] Command add_report(CLI::App& app);

}  // namespace hawser::bench
