#include "packet_bench/report/page.hpp"

#include "base/base64.hpp"
#include "base/json.hpp"
#include "base/sha256.hpp"
#include "packet_bench/common/text.hpp"
#include "packet_bench/report/page_assets.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

// What a policy calls a script by, so that no other runs, whatever a target's answers hold.
std::string hash_of(const std::string& script) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(script.data());
  const Digest digest = Sha256().digest({bytes, script.size()});
  return "'sha256-" + base64(digest) + "'";
}

// A script's text as it stands between its tags.
std::string library() {
  return fmt::format("\n/*!\n{}*/\n{}", uplot_licence, uplot_js);
}

std::string head_of(const Page& page, const std::string& scripts) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src {}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>{}: {}</title>\n<style>\n{}</style>\n<style>\n{}</style>\n</head>\n",
      scripts, html_escaped(page.command), html_escaped(page.outcome), uplot_css, report_css);
}

std::string header_of(const Page& page) {
  std::string text = fmt::format(
      "<header class=\"{0}\">\n<p class=\"kicker\">{1}</p>\n<h1><span class=\"outcome\">{0}</span> "
      "{2}</h1>\n<p class=\"subject\">{3}</p>\n",
      html_escaped(page.outcome), html_escaped(page.command), html_escaped(page.headline),
      html_escaped(page.subject));
  if (!page.reasons.empty()) {
    text += "<ul class=\"reasons\">\n";
    for (const std::string& reason : page.reasons) {
      text += fmt::format("<li>{}</li>\n", html_escaped(reason));
    }
    text += "</ul>\n";
  }
  return text + "</header>\n";
}

std::string figures_of(const Page& page) {
  if (page.figures.empty()) return {};
  std::string text = "<dl class=\"figures\">\n";
  for (const auto& [name, value, note] : page.figures) {
    text += fmt::format("<div><dt>{}</dt><dd>{}</dd><dd class=\"note\">{}</dd></div>\n",
                        html_escaped(name), html_escaped(value), html_escaped(note));
  }
  return text + "</dl>\n";
}

// A track with no difference in the middle: the interval, the estimate and what is allowed.
std::string track_of(const Page::Comparison& comparison) {
  if (!std::isfinite(comparison.low) || !std::isfinite(comparison.high)) {
    return "<span class=\"track unknown\"></span>";
  }
  const double most =
      1.15 * std::max({std::abs(comparison.low), std::abs(comparison.high), comparison.allowed});
  const auto at = [most](double value) { return 50 + 50 * value / std::max(most, 1e-9); };
  return fmt::format(
      "<span class=\"track\"><i class=\"none\"></i><i class=\"allowed\" "
      "style=\"left:{:.2f}%\"></i><i class=\"interval\" style=\"left:{:.2f}%;width:{:.2f}%\"></i>"
      "<i class=\"estimate\" style=\"left:{:.2f}%\"></i></span>",
      at(comparison.allowed), at(comparison.low), at(comparison.high) - at(comparison.low),
      at(comparison.estimate));
}

std::string comparisons_of(const Page& page) {
  if (page.comparisons.empty()) return {};
  std::string text =
      "<section class=\"comparisons\">\n<p class=\"scale\"><span><i>better</i><i>no "
      "difference</i><i>worse</i></span></p>\n";
  for (const Page::Comparison& each : page.comparisons) {
    text += fmt::format(
        "<div class=\"{}\"><b>{}</b>{}<span class=\"worth\">{}</span><span class=\"note\">{}</span>"
        "</div>\n",
        html_escaped(each.finding), html_escaped(each.name), track_of(each),
        html_escaped(worth_text(each.estimate, each.low, each.high)), html_escaped(each.note));
  }
  return text + "</section>\n";
}

std::string charts_of(const Page& page) {
  if (page.charts.empty()) return {};
  std::string text =
      "<p class=\"hint\">Drag across a chart to look closer at all of the same time; "
      "double-click to come back.<button type=\"button\" id=\"whole\" hidden>Whole time</button>"
      "</p>\n<noscript><p class=\"hint\">The charts need scripts, which are off "
      "here.</p></noscript>\n<main class=\"charts\">\n";
  for (const Chart& chart : page.charts) {
    text += fmt::format(
        "<figure id=\"{}\"><figcaption>{} <small>{}</small></figcaption><div "
        "class=\"plot\"></div></figure>\n",
        chart.id, html_escaped(chart.title), html_escaped(chart.unit));
  }
  return text + "</main>\n";
}

std::string facts_of(const Page& page) {
  std::string text = "<table class=\"facts\">\n";
  for (const auto& [name, value] : page.facts) {
    text += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", html_escaped(name),
                        html_escaped(value));
  }
  return text + "</table>\n";
}

// JSON in which nothing ends the script that it stands in.
std::string data_of(const Page& page) {
  nlohmann::ordered_json charts = nlohmann::ordered_json::array();
  for (const Chart& chart : page.charts) charts.push_back(to_json(chart));
  std::string safe;
  for (const char c : to_text(charts)) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

std::string html_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string to_html(const Page& page) {
  const std::string plots = library();
  const std::string drawing = "\n" + std::string(report_js);
  const bool draws = !page.charts.empty();
  std::string text =
      head_of(page, draws ? hash_of(plots) + " " + hash_of(drawing) : std::string("'none'"));
  text += "<body>\n" + header_of(page) + figures_of(page) + comparisons_of(page) + charts_of(page) +
          facts_of(page);
  if (draws) {
    text += fmt::format(
        "<script type=\"application/json\" id=\"charts\">{}</script>\n"
        "<script>{}</script>\n<script>{}</script>\n",
        data_of(page), plots, drawing);
  }
  return text + "</body>\n</html>\n";
}

}  // namespace slipway::bench
