// SPDX-License-Identifier: BSD-2-Clause
// From which figure on something counts, and why there. Shares are of the capacity: RAM and swap of
// the host, or the limit that was hit.
#pragma once

#include <cstdint>

namespace oomwitness::thresholds {

inline constexpr std::uint64_t kKib = 1024;
inline constexpr std::uint64_t kMib = 1024 * kKib;
inline constexpr std::uint64_t kGib = 1024 * kMib;

// One consumer: half of everything, or clearly ahead of whoever comes next.
inline constexpr double kSingleShare = 0.50;
inline constexpr double kLeaderShare = 0.40;
inline constexpr double kLeaderTimesNext = 3.0;
// The only task of a cgroup is its consumer unless page cache or kernel memory outweighs it.
inline constexpr double kOnlyTaskShare = 0.25;
// Many: nobody stands out, and together they explain the shortage.
inline constexpr double kNobodyShare = 0.35;
inline constexpr double kTogetherShare = 0.60;

// A protected task matters when its death would have made a difference.
inline constexpr double kProtectedShare = 0.10;
inline constexpr double kProtectedTimesVictim = 2.0;

// Below, no useful program fits: the kernel charges 64 pages a CPU at a time, page tables and
// stacks alone take hundreds of KiB.
inline constexpr std::uint64_t kTinyLimit = 4 * kMib;
// A task's share may be a little over 1: pages that it maps may be charged to other cgroups.
inline constexpr double kOverLimitShare = 1.10;
inline constexpr double kKernelOfLimit = 0.50;
inline constexpr double kLittleAnon = 0.25;
inline constexpr double kDirtyOfLimit = 0.50;
inline constexpr double kNoWriteback = 0.01;
inline constexpr double kSmallVictim = 0.05;
inline constexpr double kCacheOfLimit = 0.50;
inline constexpr double kShmemOfLimit = 0.50;

// Normal overflow leaves usage at the limit or a few pages below it; charges go in batches of 64
// pages a CPU, on real machines at most about 1 % of the limit.
inline constexpr double kOverflow = 0.01;
inline constexpr std::uint64_t kChargeBatchPages = 64;
// page_counter's maximum is 2^63 bytes rounded down to pages; pages are at most 64 KiB, and v1
// prints double of it for the sum of memory and swap.
inline constexpr std::uint64_t kUnlimited = (1ULL << 63U) - 64 * kKib;

// Without the host's size, what the listed tasks held stands for it; less than this cannot.
inline constexpr std::uint64_t kGuessedFrom = kGib;

// What no kill frees, as a share of RAM: less is ordinary on a busy host.
inline constexpr double kKindOfRam = 0.30;
inline constexpr double kKernelCertain = 0.50;
inline constexpr std::uint64_t kLargeCache = kGib;  // one slab cache: telling without RAM's size
// Per-CPU lists, early reservations and drivers of a healthy host stay well below.
inline constexpr double kUnaccountedOfRam = 0.15;
inline constexpr double kDirtyOfRam = 0.30;
// Shared memory as large as what is unevictable was pinned by its owner (SHM_LOCK), not ramfs.
inline constexpr double kPinnedShmem = 0.80;

inline constexpr double kSwapFull = 0.01;  // free share
// Swap devices are mostly of a power of two; a sum within a percent below one is hardly chance.
inline constexpr std::uint64_t kLargestSwap = 64 * kGib;
inline constexpr std::uint64_t kRoundWithin = 100;

inline constexpr double kAtMin = 1.10;      // of the min watermark: allocations stall there
inline constexpr double kElsewhere = 10.0;  // times as much free where it may not be taken

// A victim this small cannot have caused a shortage.
inline constexpr double kTinyVictim = 0.01;

// One name, hundreds of tasks, each negligible: something multiplies.
inline constexpr std::uint64_t kStormTasks = 200;
inline constexpr double kStormOfTasks = 0.50;
inline constexpr double kStormEach = 0.005;

inline constexpr std::uint64_t kSecond = 1'000'000'000;
inline constexpr std::uint64_t kRepeatStrong = 60 * kSecond;
// The reaper starts after 2 s and tries ten times; a victim that lives longer is held in the
// kernel.
inline constexpr std::uint64_t kStuck = 10 * kSecond;

// The shape of growth before the kill. Fewer samples, or less time, fit any shape.
inline constexpr std::uint64_t kTrendSamples = 5;
inline constexpr std::uint64_t kTrendSpan = 2 * kSecond;
// Less is the ordinary coming and going of a workload.
inline constexpr double kRiseOfWhole = 0.10;
// A burst leaves no time to react: most of the rise within these last seconds.
inline constexpr std::uint64_t kBurstWithin = 10 * kSecond;
inline constexpr double kBurstOfRise = 0.70;
// A leak follows a straight line through requests and garbage collections.
inline constexpr double kLeakFit = 0.80;
// Reclaim holds a full cgroup within a few percent of its limit for as long as it finds pages.
inline constexpr double kFullShare = 0.95;
inline constexpr std::uint64_t kPlateauFrom = 10 * kSecond;
inline constexpr double kPlateauOfWindow = 0.50;
inline constexpr double kGrowerShare = 0.50;  // of the growth: who grew that much is who grew

}  // namespace oomwitness::thresholds
