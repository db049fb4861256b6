// A lock file that one process at a time can hold.
#pragma once

#include <string>

#include "hawser/base/result.h"

namespace hawser::control {

// Held until destroyed, or until the process ends in whatever way. The file itself stays.
class FileLock {
 public:
  // `what` names the thing it guards, for the message to whoever comes second.
  [[nodiscard]] static Result<FileLock> take(const std::string& path, const std::string& what);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// Creates a directory and its parents; it is no error if they are there.
[[nodiscard]] Result<void> make_directories(const std::string& path, unsigned mode);

}  // namespace hawser::control
