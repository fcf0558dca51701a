#pragma once

#include <string_view>

// The files of report/page, compiled in: see page_assets.cpp.in and the room's CMake.
namespace slipway::bench {

extern const std::string_view report_css;
extern const std::string_view report_js;
extern const std::string_view uplot_css;
extern const std::string_view uplot_js;
extern const std::string_view uplot_licence;

}  // namespace slipway::bench
