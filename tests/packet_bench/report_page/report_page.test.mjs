import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, describe, test } from "node:test";

import { SCHEMES, SIZES, chartTexts, launch, misplaced, open, settled } from "./browser.mjs";

const names = readdirSync("samples").filter((name) => name.endsWith(".html")).map((name) => name.slice(0, -5));
const pageOf = (name) => resolve("samples", `${name}.html`);
const resultsOf = (name) => JSON.parse(readFileSync(`samples/${name}.json`, "utf8"));
const RUNS = names.filter((name) => name.startsWith("run"));
const DUETS = names.filter((name) => name.startsWith("duet"));
const [, DESK] = SIZES;

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const chartsOf = async (page) =>
  Object.fromEntries(JSON.parse(await page.locator("#charts").textContent()).map((chart) => [chart.id, chart]));
// Zero has no place on a logarithmic axis.
const positive = (values) => values.map((value) => (value > 0 ? value : null));

async function withPage(name, size, scheme, look) {
  const { context, page, wrong } = await open(browser, pageOf(name), size, scheme);
  try {
    await look(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

describe("at every size, light and dark", () => {
  for (const name of names) {
    for (const size of SIZES) {
      for (const scheme of SCHEMES) {
        test(`${name} at ${size[0]}, ${scheme}: no text is cut, nothing overlaps, no script fails`, async () => {
          await withPage(name, size, scheme, async (page) => {
            await page.screenshot({ path: `screenshots/${name}-${size[0]}-${scheme}.png`, fullPage: true });
            assert.deepEqual(await misplaced(page), []);
            for (const figure of await page.locator("figure").all()) {
              assert.ok(await figure.locator("canvas").count() === 1, `${await figure.getAttribute("id")} is drawn`);
            }
          });
        });
      }
    }
  }
});

describe("the values are the results'", () => {
  for (const name of RUNS) {
    test(`of ${name}`, async () => {
      await withPage(name, DESK, "light", async (page) => {
        const { details, tps } = resultsOf(name);
        const { rate, latency, heat, percentiles, losses, lateness } = await chartsOf(page);
        const values = (chart, line) => chart.lines.find((each) => each.name === line)?.values;
        const seconds = details.series;
        assert.deepEqual(latency.at, seconds.map((each) => each.beginS + each.seconds / 2));
        assert.deepEqual(latency.widths, seconds.map((each) => each.seconds));
        for (const [line, key] of [["p50", "p50Ms"], ["p99", "p99Ms"], ["max", "maxMs"]]) {
          assert.deepEqual(values(latency, line), positive(seconds.map((each) => each[key])));
        }
        for (const line of ["sent", "fulfilled"]) {
          assert.deepEqual(values(rate, line), seconds.map((each) => each[line] / each.seconds));
        }
        assert.deepEqual(values(lateness, "latest"), positive(seconds.map((each) => each.latenessMaxMs)));
        assert.deepEqual(heat.cells.map((column) => Object.fromEntries(column.map(([upTo, count]) => [String(upTo), count]))),
          seconds.map((each) => each.fulfilledUpToMs));
        assert.deepEqual(rate.levels.map((level) => level.high), [details.thresholds.tps]);
        if (details.percentiles.length) {
          const below = details.percentiles.filter((each) => each.percent < 100);
          assert.deepEqual(percentiles.at, below.map((each) => each.percent));
          assert.deepEqual(percentiles.lines[0].values, below.map((each) => each.ms));
        }
        const lost = seconds.some((each) => each.notFulfilled > 0);
        assert.equal(losses !== undefined, lost);
        for (const line of losses?.lines ?? []) {
          assert.deepEqual(line.values, seconds.map((each) => each.notFulfilledBy[line.name] ?? 0));
        }
        const shown = await page.locator(".figures dd").first().textContent();
        assert.ok(Math.abs(Number(shown) - tps) < 0.06, `${shown} is ${tps}`);
      });
    });
  }

  for (const name of DUETS) {
    test(`of ${name}`, async () => {
      await withPage(name, DESK, "light", async (page) => {
        const { pairs, findings, verdict } = resultsOf(name);
        const charts = await chartsOf(page);
        // What is not 0 wide is a pair; a gap between two rounds is.
        const ofPairs = (chart, values) => values.filter((_, i) => chart.widths[i] > 0);
        const worse = charts["cpu-worse"];
        const shown = ofPairs(worse, worse.lines[0].values.map((value, i) => value ?? worse.lines[1].values[i]));
        pairs.forEach((pair, i) => {
          const ratio = 100 * (pair.candidate.cpuUsPerPacket / pair.base.cpuUsPerPacket - 1);
          assert.ok(Math.abs(shown[i] - ratio) < 1e-3, `pair ${i}: ${shown[i]} is ${ratio}`);
        });
        ofPairs(worse, worse.lines[1].values).forEach((value, i) =>
          assert.equal(value !== null, pairs[i].stealShare > 0.05, `pair ${i} is left out for a cause alone`));
        for (const [id, key] of [["cpu", "cpuUsPerPacket"], ["p50", "p50Ms"], ["p99", "p99Ms"]]) {
          for (const { name: side, values } of charts[id].lines) {
            ofPairs(charts[id], values).forEach((value, i) => {
              if (value !== null) assert.ok(Math.abs(value - pairs[i][side][key]) < 1e-5);
            });
          }
        }
        assert.equal(await page.locator(".outcome").textContent(), verdict);
        const rows = page.locator(".comparisons > div");
        assert.equal(await rows.count(), findings.length);
        for (const [i, finding] of findings.entries()) {
          const text = await rows.nth(i).locator(".worth").textContent();
          assert.ok(Math.abs(parseFloat(text) / 100 - finding.worsening) < 0.006, `${text} is ${finding.worsening}`);
        }
      });
    });
  }
});

test("a figure is worth as many digits as its interval", async () => {
  await withPage("duet-worse", DESK, "light", async (page) => {
    const text = await page.locator(".comparisons .worth").first().textContent();
    assert.match(text, /^\+\d\d % \(\+\d\d % to \+\d\d %\)$/);
  });
});

test("an improvement is drawn below the line of no difference, within the chart", async () => {
  await withPage("duet-better", DESK, "light", async (page) => {
    const ticks = (await chartTexts(page, "cpu-worse")).map(Number).filter((tick) => !Number.isNaN(tick));
    assert.ok(Math.min(...ticks) <= -40, `ticks ${ticks}`);
  });
});

test("pointing at a second shows its figures, in all charts over time", async () => {
  await withPage("run-bad", DESK, "light", async (page) => {
    const second = resultsOf("run-bad").details.series[25];
    const over = await page.locator("#latency .u-over").boundingBox();
    await page.mouse.move(over.x + over.width * (second.beginS + 0.5) / 40, over.y + over.height / 2);
    await settled(page);
    const legend = (id) => page.locator(`#${id} .u-legend`).textContent();
    const latency = await legend("latency");
    assert.match(latency, /25 s to 26 s/);
    assert.match(latency, new RegExp(`p99:?${Number(second.p99Ms.toPrecision(4))}`));
    assert.match(await legend("rate"), /fulfilled:?9,000/);
    assert.match(await legend("losses"), /rejected with 503:?500/);
    assert.match(await page.locator("#heat .readout").textContent(), /25 s to 26 s: /);
    await page.screenshot({ path: "screenshots/run-bad-hover.png", fullPage: true });
    assert.deepEqual(await misplaced(page), []);
  });
});

test("a second of silence is a gap", async () => {
  await withPage("run-bad", DESK, "light", async (page) => {
    const over = await page.locator("#latency .u-over").boundingBox();
    await page.mouse.move(over.x + over.width * 13.5 / 40, over.y + over.height / 2);
    await settled(page);
    assert.match(await page.locator("#latency .u-legend").textContent(), /p50:?none/);
  });
});

test("dragging shows a part of the time in all charts, and there is a way back", async () => {
  await withPage("run-bad", DESK, "light", async (page) => {
    const before = await chartTexts(page, "rate");
    const over = await page.locator("#latency .u-over").boundingBox();
    const at = (share) => [over.x + over.width * share, over.y + over.height / 2];
    assert.equal(await page.locator("#whole").isVisible(), false);
    await page.mouse.move(...at(0.5));
    await page.mouse.down();
    await page.mouse.move(...at(0.6), { steps: 4 });
    await page.mouse.up();
    await settled(page);
    assert.equal(await page.locator("#whole").isVisible(), true);
    const during = await chartTexts(page, "rate");
    assert.ok(during.includes("22 s") && !during.includes("40 s"), `${during}`);
    await page.screenshot({ path: "screenshots/run-bad-zoomed.png", fullPage: true });
    await page.locator("#whole").click();
    await settled(page);
    assert.deepEqual(await chartTexts(page, "rate"), before);
    assert.equal(await page.locator("#whole").isVisible(), false);
  });
});

test("whoever turns the lights out while he reads has a dark page", async () => {
  await withPage("run", DESK, "light", async (page) => {
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await page.emulateMedia({ colorScheme: "dark" });
    await settled(page);
    assert.notEqual(await paper(), light);
    assert.equal(await page.locator("canvas").count(), await page.locator("figure").count());
  });
});

test("a real run's report is such a page", async () => {
  const done = spawnSync(process.env.PACKET_BENCH, ["run", "--rate", "1000", "--duration", "3s", "--warmup", "0s",
    "--threshold-tps", "0", "--output", "samples/real.json", "--report", "samples/real.html"], { encoding: "utf8" });
  assert.ok(done.stdout.includes("verified"), done.stderr);
  await withPage("real", DESK, "dark", async (page) => {
    assert.deepEqual(await misplaced(page), []);
    const { latency } = await chartsOf(page);
    assert.deepEqual(latency.lines[1].values, resultsOf("real").details.series.slice(0, 3).map((each) => each.p99Ms));
  });
});

test("the plotting library is the lockfile's, to the byte", () => {
  for (const [ours, theirs] of [["uPlot.iife.min.js", "dist/uPlot.iife.min.js"], ["uPlot.min.css", "dist/uPlot.min.css"], ["uPlot.LICENSE", "LICENSE"]]) {
    assert.ok(readFileSync(`${process.env.PAGE_SOURCES}/${ours}`).equals(readFileSync(`node_modules/uplot/${theirs}`)),
      `${ours} is not what package-lock.json has: cp node_modules/uplot/${theirs} ${process.env.PAGE_SOURCES}/${ours}`);
  }
});
