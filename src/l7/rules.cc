// Rules over requests: the database as it was handed over, run over the lines of a request.
#include "hawser/l7/rules.h"

#include <algorithm>

#include <hs_runtime.h>

#include "hawser/base/limits.h"
#include "hawser/model/rule_patterns.h"
#include "rule_subject.h"

namespace hawser::l7 {
namespace {

struct FreeDatabase {
  void operator()(hs_database_t* database) const noexcept { hs_free_database(database); }
};
struct FreeScratch {
  void operator()(hs_scratch_t* scratch) const noexcept { hs_free_scratch(scratch); }
};
using Database = std::unique_ptr<hs_database_t, FreeDatabase>;
using Scratch = std::unique_ptr<hs_scratch_t, FreeScratch>;

std::string reason_of(hs_error_t code) {
  switch (code) {
    case HS_DB_VERSION_ERROR:
      return "they were compiled by another version of Hyperscan";
    case HS_DB_PLATFORM_ERROR:
      return "they were compiled for another processor";
    case HS_NOMEM:
      return "out of memory";
    default:
      return "Hyperscan says error " + std::to_string(code);
  }
}

}  // namespace

struct RuleSet::Parts {
  // A condition that a pattern fulfils, and its rule.
  struct Use {
    std::uint16_t rule;
    std::uint16_t condition;  // over all rules
  };
  struct Pattern {
    std::uint16_t line = 0;
    bool regex = false;
    std::vector<Use> uses;
  };
  // What one worker writes.
  struct Worker {
    Worker(std::size_t lines, std::size_t patterns, std::size_t conditions, std::size_t rules)
        : subject(lines), hit(patterns), held(conditions), holding(rules) {
      hits.reserve(patterns);
    }

    Scratch scratch;
    RuleSubject subject;
    std::vector<std::uint8_t> hit;       // by pattern: matched
    std::vector<std::uint8_t> held;      // by condition: holds
    std::vector<std::uint16_t> holding;  // by rule: conditions that hold
    std::vector<std::uint16_t> hits;     // patterns that matched
    std::size_t best = kNone;            // the first rule of which all hold
    const Parts* parts = nullptr;        // while scanning
  };

  explicit Parts(const model::Splice& splice);

  template <typename Message>
  [[nodiscard]] std::size_t find(const Message& message, Worker& worker) const noexcept;
  // A match of Hyperscan; other than 0: no further one is wanted.
  static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                      void* context) noexcept;
  void note(std::size_t pattern, Worker& worker) const noexcept;
  void forget(Worker& worker) const noexcept;

  std::vector<model::Rule> rules;
  std::vector<std::uint16_t> needed;  // by rule: its conditions
  std::vector<Pattern> patterns;
  std::size_t conditions = 0;
  std::size_t unconditional = kNone;  // the first rule without conditions
  RuleSubjectLayout layout;
  Database database;  // null without patterns
  std::vector<std::unique_ptr<Worker>> workers;

 private:
  Parts(const model::Splice& splice, const model::RulePatterns& all);
};

RuleSet::Parts::Parts(const model::Splice& splice)
    : Parts(splice, model::rule_patterns(splice.rules)) {}

RuleSet::Parts::Parts(const model::Splice& splice, const model::RulePatterns& all)
    : rules(splice.rules), layout(all) {
  for (const model::DistinctPattern& pattern : all.patterns) {
    patterns.push_back({.line = pattern.line,
                        .regex = pattern.pattern.match == model::RuleMatch::kRegex,
                        .uses = {}});
  }
  for (std::size_t rule = 0; rule < all.by_rule.size(); ++rule) {
    needed.push_back(static_cast<std::uint16_t>(all.by_rule[rule].size()));
    if (all.by_rule[rule].empty()) unconditional = std::min(unconditional, rule);
    for (const std::vector<std::uint16_t>& condition : all.by_rule[rule]) {
      for (const std::uint16_t pattern : condition) {
        patterns[pattern].uses.push_back({.rule = static_cast<std::uint16_t>(rule),
                                          .condition = static_cast<std::uint16_t>(conditions)});
      }
      ++conditions;
    }
  }
}

void RuleSet::Parts::note(std::size_t pattern, Worker& worker) const noexcept {
  worker.hit[pattern] = 1;
  worker.hits.push_back(static_cast<std::uint16_t>(pattern));
  for (const Use& use : patterns[pattern].uses) {
    if (worker.held[use.condition] != 0) continue;
    worker.held[use.condition] = 1;
    if (++worker.holding[use.rule] == needed[use.rule]) {
      worker.best = std::min<std::size_t>(worker.best, use.rule);
    }
  }
}

void RuleSet::Parts::forget(Worker& worker) const noexcept {
  for (const std::uint16_t pattern : worker.hits) {
    worker.hit[pattern] = 0;
    for (const Use& use : patterns[pattern].uses) {
      worker.held[use.condition] = 0;
      worker.holding[use.rule] = 0;
    }
  }
  worker.hits.clear();
}

int RuleSet::Parts::on_match(unsigned id, unsigned long long /*from*/, unsigned long long to,
                             unsigned /*flags*/, void* context) noexcept {
  Worker& worker = *static_cast<Worker*>(context);
  const Pattern& pattern = worker.parts->patterns[id];
  // It began at its line's mark; what ends behind that line is no match in it.
  if (worker.hit[id] != 0 || (pattern.regex && to > worker.subject.ends[pattern.line])) return 0;
  worker.parts->note(id, worker);
  return worker.best == 0 ? 1 : 0;
}

template <typename Message>
std::size_t RuleSet::Parts::find(const Message& message, Worker& worker) const noexcept {
  worker.best = unconditional;
  if (database == nullptr || unconditional == 0) return unconditional;
  bool more = true;
  for (std::size_t scan = 0; more && scan < limits::kRuleScans && worker.best != 0; ++scan) {
    more = layout.write(message, scan, worker.subject);
    if (worker.subject.size == 0) continue;
    hs_scan(database.get(), worker.subject.bytes.get(), static_cast<unsigned>(worker.subject.size),
            0, worker.scratch.get(), on_match, &worker);
  }
  forget(worker);
  return worker.best;
}

RuleSet::RuleSet(std::unique_ptr<Parts> parts) noexcept : parts_(std::move(parts)) {}

RuleSet::~RuleSet() = default;

Result<std::shared_ptr<const RuleSet>> RuleSet::create(const model::Splice& splice,
                                                       std::uint16_t workers) {
  if (splice.rules.size() > limits::kMaxRules) {
    return fail("there are " + std::to_string(splice.rules.size()) + " rules, must be at most " +
                std::to_string(limits::kMaxRules));
  }
  const model::RulePatterns all = model::rule_patterns(splice.rules);
  auto parts = std::make_unique<Parts>(splice);
  if (!all.patterns.empty()) {
    const Result<std::string_view> bytes = model::without_digest(all, splice.rules_database);
    if (!bytes) return bytes.error();
    hs_database_t* database = nullptr;
    const hs_error_t code = hs_deserialize_database(bytes->data(), bytes->size(), &database);
    parts->database.reset(database);
    if (code != HS_SUCCESS) return fail("the compiled rules cannot be used: " + reason_of(code));
  } else if (!splice.rules_database.empty()) {
    return fail("there are compiled rules, but no rule that has a pattern");
  }
  for (unsigned i = 0; i <= workers; ++i) {
    auto worker = std::make_unique<Parts::Worker>(all.lines.size(), all.patterns.size(),
                                                  parts->conditions, splice.rules.size());
    worker->parts = parts.get();
    if (parts->database != nullptr) {
      hs_scratch_t* scratch = nullptr;
      const hs_error_t code = hs_alloc_scratch(parts->database.get(), &scratch);
      worker->scratch.reset(scratch);
      if (code != HS_SUCCESS) return fail("the compiled rules cannot be used: " + reason_of(code));
    }
    parts->workers.push_back(std::move(worker));
  }
  return std::shared_ptr<const RuleSet>(new RuleSet(std::move(parts)));
}

std::size_t RuleSet::find(const RequestHead& head, WorkerId worker) const noexcept {
  return parts_->find(head, *parts_->workers[worker.value]);
}

std::size_t RuleSet::find(const ClientHello& hello, WorkerId worker) const noexcept {
  return parts_->find(hello, *parts_->workers[worker.value]);
}

const std::vector<model::Rule>& RuleSet::rules() const noexcept {
  return parts_->rules;
}

}  // namespace hawser::l7
