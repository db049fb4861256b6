-- What wrk asks in `compare`: each thread is a user, whose connections all carry the cookie of the
-- user's session. The header Home names the backend that gave the cookie; any other backend refuses
-- such a request. Arguments: "close" or "keep", then cookie and home of each user.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  wrk.headers["Cookie"] = arguments[2 + 2 * number]
  wrk.headers["Home"] = arguments[3 + 2 * number]
  if arguments[1] == "close" then wrk.headers["Connection"] = "close" end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "connect": %d, "read": %d, "write": %d, ' ..
    '"status": %d, "timeout": %d, "p50": %d, "p99": %d, "p999": %d}\n',
    summary.requests, summary.duration, errors.connect, errors.read, errors.write, errors.status,
    errors.timeout, latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
