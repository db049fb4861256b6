// The sub-command micro: the core's parts one by one, by Google Benchmark (bench/micro).
#include <cmath>
#include <stdexcept>

#include <benchmark/benchmark.h>

#include "command_options.h"
#include "commands.h"
#include "statistics.h"

namespace hawser::bench {
namespace {

struct Options {
  std::string filter = ".";
  double seconds = 0.05;
};

// Whether it stopped with an error; versions of the library call that differently.
template <typename Run>
bool has_failed(const Run& run) {
  if constexpr (requires { run.error_occurred; }) {
    return run.error_occurred;
  } else {
    return static_cast<bool>(run.skipped);
  }
}
template <typename Run>
std::string reason_of(const Run& run) {
  if constexpr (requires { run.error_message; }) {
    return run.error_message;
  } else {
    return run.skip_message;
  }
}

// All repeats of a benchmark come together and become a row.
class RowReporter : public benchmark::BenchmarkReporter {
 public:
  explicit RowReporter(Report& report) : report_(report) {}

  bool ReportContext(const Context& /*context*/) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<double> times;
    for (const Run& run : runs) {
      if (has_failed(run)) throw std::runtime_error(run.benchmark_name() + ": " + reason_of(run));
      if (run.run_type == Run::RT_Aggregate) continue;
      times.push_back(run.cpu_accumulated_time * 1e9 / static_cast<double>(run.iterations));
    }
    if (times.empty()) return;  // of the library's own means and deviations
    const Summary summary = summarize(std::move(times));
    Row row;
    row.text("bench", "micro").text("name", runs.front().run_name.str());
    row.number("ns", summary.median, 1).number("min", summary.min, 1);
    row.number("max", summary.max, 1);
    report_.add(std::move(row));
    ++rows_;
  }
  [[nodiscard]] std::size_t rows() const { return rows_; }

 private:
  Report& report_;
  std::size_t rows_ = 0;
};

void run(const Options& options, const Common& common, Report& report) {
  std::vector<std::string> words{"hawser-bench", "--benchmark_filter=" + options.filter,
                                 "--benchmark_min_time=" + std::to_string(options.seconds),
                                 "--benchmark_repetitions=" + std::to_string(common.repeats)};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  auto count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  RowReporter reporter(report);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  if (reporter.rows() == 0) throw std::runtime_error("no benchmark has such a name");
}

}  // namespace

Command add_micro(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--filter", options->filter, "regular expression that names contain")
      ->capture_default_str();
  app.add_option("--seconds", options->seconds, "of one measurement, at least")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  return [options](const Common& common, Report& report) { run(*options, common, report); };
}

}  // namespace hawser::bench
