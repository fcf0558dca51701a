#pragma once

#include <cstdlib>

#include <benchmark/benchmark.h>

// With MICRO_ITERATIONS=N in the environment each benchmark runs exactly N times instead of as long
// as the clock says, so that instructions can be counted (scripts/count-instructions).
inline void counted(benchmark::internal::Benchmark* benchmark) {
  const char* text = std::getenv("MICRO_ITERATIONS");
  const long iterations = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  if (iterations > 0) benchmark->Iterations(iterations);
}
