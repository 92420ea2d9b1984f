#pragma once

#include <cstdint>
#include <string>

/// Disks that fail, for tests: the system's calls on files, each of which can be made to fail or to write
/// less.
///
/// Two ways to use it. A test program that links the object library `fault_shim` sets a Plan itself. Any
/// other program is started with LD_PRELOAD=libpolyhead_fault_shim.so and these variables:
///
///     POLYHEAD_FAULT_FILES   parts of paths, with ':' between them; only files whose path holds one of them
///     count POLYHEAD_FAULT_CALLS   kinds that count, with ',' between them: open write sync allocate
///     truncate rename unlink
///                            close map lock; without it all of them but lock
///     POLYHEAD_FAULT_AT      the number of the call that fails, from 1; 0, or without it: none
///     POLYHEAD_FAULT_COUNT   how many calls fail from there on (1); "all" for every one
///     POLYHEAD_FAULT_ERROR   ENOSPC EIO EDQUOT EROFS ENODEV EOPNOTSUPP EINTR ENOLCK ENOSYS, or "short": half
///     of a write is written POLYHEAD_FAULT_RANK    only in this rank of an Open MPI job POLYHEAD_FAULT_LOG
///     a file that gets a line for each call that counts: its number, kind, path, and "FAILED"
///
/// A fault happens before the call: what fails has no effect, except that close closes. "short" leaves calls
/// alone that write nothing. The links, renames and unlinks of a path count by any of their paths.
namespace polyhead::faults {

/// Which calls fail.
struct Plan {
  std::string files;       ///< as POLYHEAD_FAULT_FILES; empty: no file counts
  std::string calls;       ///< as POLYHEAD_FAULT_CALLS
  std::int64_t at = 0;     ///< as POLYHEAD_FAULT_AT
  std::int64_t count = 1;  ///< as POLYHEAD_FAULT_COUNT
  int error = 0;           ///< an errno; 0: short writes
  std::string log;         ///< as POLYHEAD_FAULT_LOG
};

/// Begins to count anew. Not while other threads use files.
void set_plan(const Plan& plan);

/// Calls since then that counted.
std::int64_t calls();

/// How many of them failed, or wrote less.
std::int64_t faults();

}  // namespace polyhead::faults
