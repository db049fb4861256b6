// Runs the packet rows that generate.py wrote through the pipeline and reports in TAP.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "frame_pool.h"
#include "hawser/pipeline/verdict.h"
#include "row_run.h"
#include "script.h"

namespace hawser::spec {
namespace {

using Lines = std::vector<std::string>;

// The row that runs, for the handler below.
const char* running_title = "";

// A packet read or wrote beyond its frame: say in which row, then die as usual.
void on_bad_access(int signal_number) {
  constexpr std::string_view kText = "\nBail out! memory beyond the frame was touched in row: ";
  (void)!write(STDOUT_FILENO, kText.data(), kText.size());
  (void)!write(STDOUT_FILENO, running_title, std::strlen(running_title));
  (void)!write(STDOUT_FILENO, "\n", 1);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

// Every verdict but `undecided` that no frame of the rows expects.
Lines unreached(const std::vector<Row>& rows) {
  std::set<std::string> reached;
  for (const Row& row : rows) {
    for (const Step& step : row.steps) {
      if (const auto* burst = std::get_if<BurstStep>(&step)) {
        for (const FrameCase& frame : burst->frames) reached.insert(frame.verdict);
        for (const FrameCase& frame : burst->after) reached.insert(frame.verdict);
      } else if (const auto* tick = std::get_if<TickStep>(&step)) {
        for (const FrameCase& frame : tick->after) reached.insert(frame.verdict);
      }
    }
  }
  Lines lines;
  for (const pipeline::VerdictInfo& info : pipeline::kVerdictTable) {
    if (info.verdict == pipeline::Verdict::kUndecided) continue;
    if (!reached.contains(std::string(info.name))) {
      lines.push_back("no row reaches the verdict " + std::string(info.name));
    }
  }
  return lines;
}

bool report(std::size_t index, const std::string& title, const Lines& lines) {
  std::printf("%s %zu - %s\n", lines.empty() ? "ok" : "not ok", index, title.c_str());
  for (const std::string& line : lines) std::printf("# %s\n", line.c_str());
  std::fflush(stdout);
  return lines.empty();
}

std::vector<Row> read_rows(const char* path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(std::string("cannot read ") + path);
  std::vector<Row> rows;
  std::string line;
  while (std::getline(file, line)) rows.push_back(read_row(Json::parse(line)));
  return rows;
}

int run_file(const char* path) {
  const std::vector<Row> rows = read_rows(path);
  std::printf("1..%zu\n", rows.size() + 1);
  FramePool pool;
  bool good = true;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    running_title = rows[i].title.c_str();
    Lines lines = run_row(rows[i], pool, By::kAnybody);
    for (const std::string& line : run_row(rows[i], pool, By::kStages)) {
      lines.push_back("by the stages alone: " + line);
    }
    good &= report(i + 1, rows[i].title, lines);
  }
  good &= report(rows.size() + 1, "every verdict is reached by a row", unreached(rows));
  return good ? 0 : 1;
}

}  // namespace
}  // namespace hawser::spec

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: spec_test ROWS-FILE\n");
    return 2;
  }
  for (const int number : {SIGSEGV, SIGBUS}) signal(number, hawser::spec::on_bad_access);
  try {
    return hawser::spec::run_file(arguments[1]);
  } catch (const std::exception& wrong) {
    std::printf("Bail out! %s\n", wrong.what());
    return 1;
  }
}
