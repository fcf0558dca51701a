#pragma once

// What the API says of a colour, as an Instance. Pure.

#include "deploy/kubernetes/names.hpp"
#include "deploy/model/json_value.hpp"
#include "deploy/ports/engine.hpp"

#include <string>
#include <vector>

namespace slipway::deploy {

// The pods of a list that count: not those on their way out, nor those that were evicted.
std::vector<JsonValue> living_pods(const JsonValue& list);

// Names of the pods whose container runs.
std::vector<std::string> running_pods(const JsonValue& list);

// `deployment`: an object; `pods`: the list of its pods.
Instance read_instance(const JsonValue& deployment, const JsonValue& pods);

// Whether every address of a list of a Service's EndpointSlices is one of the list `pods`, and
// there is one if there are pods: slices that were emptied on the way lead nowhere.
bool lead_only_to(const JsonValue& pods, const JsonValue& slices);

// The last warning of a list of events about one of `pods`, fit to be shown; empty where there is
// none.
std::string last_warning(const JsonValue& events, const JsonValue& pods);

// "sha256:..." at the end of an image's reference, or empty.
std::string digest_of(const std::string& image);

}  // namespace slipway::deploy
