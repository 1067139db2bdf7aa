-- Distinct names against POST /v1/classify. Environment: KEY; LINES a request (1 or more);
-- RATE requests a second over all threads (0: as many as the service takes); THREADS.
local ffi = require("ffi")
ffi.cdef("struct moment { long s, ns; }; int clock_gettime(int, struct moment *);")
local names = {}
for line in io.lines(os.getenv("NAMES")) do names[#names + 1] = line end
local lines = tonumber(os.getenv("LINES") or "1")
local rate = tonumber(os.getenv("RATE") or "0")
local threads = tonumber(os.getenv("THREADS") or "2")
local headers = {
  ["Content-Type"] = "application/json",
  ["Authorization"] = "Bearer " .. os.getenv("KEY"),
}
local thread_number = 0
local bad = 0

function setup(thread)
  thread:set("number", thread_number)
  thread_number = thread_number + 1
end

function init()
  math.randomseed(1000 + number)
  count = number * 10000000
end

local function line()
  count = count + 1
  local name = names[count % #names + 1]
  return string.format('{"name":"%s %d号"}', name, count)
end

function request()
  if lines == 1 then return wrk.format("POST", "/v1/classify", headers, line()) end
  local all = {}
  for i = 1, lines do all[i] = line() end
  return wrk.format("POST", "/v1/classify", headers, '{"lines":[' .. table.concat(all, ",") .. "]}")
end

if rate > 0 then
  -- Independent callers: requests are due at random times, and wait for nobody's answer as long as
  -- a connection is free; one that comes too late for its time is sent at once.
  local moment, due = ffi.new("struct moment"), nil
  function delay()
    ffi.C.clock_gettime(1, moment)  -- CLOCK_MONOTONIC
    local now = tonumber(moment.s) * 1000 + tonumber(moment.ns) / 1e6
    due = (due or now) - 1000 * threads / rate * math.log(1 - math.random())
    return math.max(0, math.floor(due - now))
  end
end

function done(summary, latency)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.3f, "errors": %d, "p50_ms": %.2f, "p90_ms": %.2f, '
    .. '"p99_ms": %.2f, "max_ms": %.2f}\n',
    summary.requests, summary.duration / 1e6, failed, latency:percentile(50) / 1000,
    latency:percentile(90) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
