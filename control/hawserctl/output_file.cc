// Opens, writes and closes files with POSIX calls, since each error must be told.
#include "output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace hawser::ctl {
namespace {

constexpr mode_t kOwnerOnly = 0600;  // packets are what users send

std::string reason(int error) {
  return std::generic_category().message(error);
}

}  // namespace

Outcome<OutputFile> OutputFile::open(const std::string& path, bool force) {
  if (path == "-") return OutputFile("standard output", ::dup(STDOUT_FILENO), Kind::kStream);
  int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
  const bool is_new = descriptor >= 0;
  if (!is_new && errno == EEXIST) {
    if (!force) {
      return Failure{ExitCode::kFailed, fmt::format("{} is there already", path),
                     "give another name, or --force to write over it"};
    }
    descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  }
  if (descriptor < 0) {
    return Failure{ExitCode::kFailed, fmt::format("{} cannot be written: {}", path, reason(errno)),
                   ""};
  }
  return OutputFile(path, descriptor, is_new ? Kind::kNew : Kind::kOld);
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (kind_ == Kind::kNew && written_ == 0) ::unlink(path_.c_str());
}

OutputFile::Wrote OutputFile::write(std::string_view bytes) {
  if (kind_ == Kind::kOld && written_ == 0) cut();
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EPIPE) return Wrote::kNobodyReads;
    error_ = reason(errno);
    if (!cut() && done > 0) error_ += ", and it ends within a block";
    return Wrote::kFailed;
  }
  written_ += bytes.size();
  return Wrote::kAll;
}

// Back to what is whole. Of a pipe, or of what is behind standard output, nothing can be taken
// back.
bool OutputFile::cut() const {
  return kind_ != Kind::kStream && ::ftruncate(descriptor_, static_cast<off_t>(written_)) == 0;
}

bool OutputFile::finish() {
  // A pipe cannot be synchronised, and need not.
  const bool synchronised = ::fsync(descriptor_) == 0 || errno == EINVAL || errno == EROFS;
  if (!synchronised) error_ = reason(errno);
  return synchronised;
}

}  // namespace hawser::ctl
