// OutputFile: a file, or standard output, that is whole as far as it goes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "failure.h"

namespace hawser::ctl {

class OutputFile {
 public:
  // "-" is standard output. A file that is there already is refused, unless `force`; it keeps what
  // it has until the first write. A new one can be read by its owner only.
  static Outcome<OutputFile> open(const std::string& path, bool force);
  OutputFile(OutputFile&& other) noexcept
      : path_(std::move(other.path_)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        kind_(other.kind_),
        written_(other.written_) {}
  OutputFile& operator=(OutputFile&&) = delete;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  // Removes a new file that nothing was written to.
  ~OutputFile();

  enum class Wrote : std::uint8_t { kAll, kNobodyReads, kFailed };
  // All of it at once, or nothing: what a full disk has taken of it is taken back. `error` says
  // why.
  [[nodiscard]] Wrote write(std::string_view bytes);
  // To the disk. Once, at the end; false when it failed.
  [[nodiscard]] bool finish();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  enum class Kind : std::uint8_t { kNew, kOld, kStream };
  OutputFile(std::string path, int descriptor, Kind kind)
      : path_(std::move(path)), descriptor_(descriptor), kind_(kind) {}
  bool cut() const;

  std::string path_;
  int descriptor_;
  Kind kind_;
  std::uint64_t written_ = 0;  // bytes
  std::string error_;
};

}  // namespace hawser::ctl
