#pragma once

#include "connector/config.hpp"

#include <optional>

// Amounts from one account's unit to another's, by fixed scales and rates. Exact: never floating.
namespace slipway::connector {

// How many of `to`'s units one of `from`'s is worth; nothing when their assets differ and one has
// no rate, or when the ratio does not fit in 64 bits over 64 bits.
std::optional<Ratio> exchange_ratio(const AccountConfig& from, const AccountConfig& to);

// amount * ratio, rounded down, so that the connector never pays out more than came in; nothing
// when that is over 2^64 - 1.
std::optional<std::uint64_t> convert(std::uint64_t amount, const Ratio& ratio);

// The largest amount that convert accepts.
std::uint64_t largest_convertible(const Ratio& ratio);

}  // namespace slipway::connector
