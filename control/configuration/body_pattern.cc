// BodyPattern: a regular expression that the body of an answer must match somewhere.
#include "body_pattern.h"

#include <utility>

#include <hs.h>

namespace hawser::control {

struct BodyPattern::Compiled {
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() {
    hs_free_scratch(scratch);
    hs_free_database(database);
  }
  hs_database_t* database = nullptr;
  hs_scratch_t* scratch = nullptr;
};

BodyPattern::BodyPattern(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
BodyPattern::~BodyPattern() = default;

Result<std::shared_ptr<const BodyPattern>> BodyPattern::compile(const std::string& text) {
  auto compiled = std::make_unique<Compiled>();
  hs_compile_error_t* error = nullptr;
  const unsigned flags = HS_FLAG_SINGLEMATCH | HS_FLAG_MULTILINE | HS_FLAG_ALLOWEMPTY;
  if (hs_compile(text.c_str(), flags, HS_MODE_BLOCK, nullptr, &compiled->database, &error) !=
      HS_SUCCESS) {
    std::string reason = error != nullptr ? error->message : "out of memory";
    hs_free_compile_error(error);
    if (!reason.empty() && reason.back() == '.') reason.pop_back();
    return fail(std::move(reason));
  }
  if (hs_alloc_scratch(compiled->database, &compiled->scratch) != HS_SUCCESS) {
    return fail("out of memory");
  }
  return std::shared_ptr<const BodyPattern>(new BodyPattern(std::move(compiled)));
}

bool BodyPattern::matches(std::string_view body) const {
  bool found = false;
  const auto note = [](unsigned, unsigned long long, unsigned long long, unsigned, void* context) {
    *static_cast<bool*>(context) = true;
    return 1;  // enough
  };
  hs_scan(compiled_->database, body.data(), static_cast<unsigned>(body.size()), 0,
          compiled_->scratch, note, &found);
  return found;
}

}  // namespace hawser::control
