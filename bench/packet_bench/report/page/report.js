// Draws the charts that the page carries as JSON (chart.hpp says what is in it) with uPlot. Charts over time share
// their cursor and what part of it they show.
"use strict";

(() => {
  const HEIGHT = 240;
  const FONT = "12px system-ui, sans-serif";
  const PERCENTS = [50, 90, 99, 99.9, 99.99, 99.999, 99.9999];
  const LONG = 300; // seconds from which on time is read in minutes
  const STEPS_OF_LONG = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

  const charts = JSON.parse(document.getElementById("charts").textContent);
  const drawn = [];
  const whole = document.getElementById("whole");

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const figure = (value) => value.toLocaleString("en", { maximumSignificantDigits: 4 });

  // Each nine is as wide as the one before it (HdrHistogram's axis).
  const nines = (percent) => -Math.log10(1 - percent / 100);
  const percentOf = (x) => `p${Number((100 * (1 - 10 ** -x)).toPrecision(7))}`;

  function clock(seconds) {
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.round(seconds % 60)];
    if (!parts[0]) parts.shift();
    return parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
  }

  function timeOf(chart, seconds) {
    return chart.length < LONG ? `${figure(seconds)} s` : clock(seconds);
  }

  // What a point covers: "3 s to 4 s".
  function spanOf(chart, index) {
    if (chart.axis === "percent") return `p${chart.at[index]}`;
    const half = chart.widths[index] / 2;
    return `${timeOf(chart, chart.at[index] - half)} to ${timeOf(chart, chart.at[index] + half)}`;
  }

  // As wide as its longest label.
  function sizeOf(plot, labels, axis, cycle) {
    if (cycle > 1) return plot.axes[axis]._size;
    plot.ctx.font = plot.axes[axis].font[0];
    const widths = (labels ?? []).map((label) => plot.ctx.measureText(label ?? "").width / devicePixelRatio);
    return Math.ceil(Math.max(20, ...widths) + plot.axes[axis].gap + 4);
  }

  // Round figures around the data and the levels, which are part of what is to be seen.
  function rangeOf(chart) {
    return (_plot, low, high) => {
      for (const level of chart.levels) {
        low = low == null ? level.low : Math.min(low, level.low);
        high = high == null ? level.high : Math.max(high, level.high);
      }
      if (low == null) return chart.logY ? [0.1, 1] : [0, 1];
      if (chart.logY) return uPlot.rangeLog(low, Math.max(high, low * 1.01), 10, false);
      const span = Math.max(high - Math.min(low, 0), 1e-9);
      return [low < 0 ? low - span * 0.08 : 0, high + span * 0.08];
    };
  }

  function inPlot(plot, draw) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    draw(ctx, bbox);
    ctx.restore();
  }

  // Levels and bands, each named at the right over its line, or under it where there is no room above.
  function drawLevels(chart) {
    return (plot) => inPlot(plot, (ctx, bbox) => {
      const scale = devicePixelRatio;
      let taken = [];
      for (const level of chart.levels) {
        const y = plot.valToPos(level.high, "y", true);
        const bottom = plot.valToPos(level.low, "y", true);
        ctx.fillStyle = ctx.strokeStyle = colour(level.colour);
        if (bottom > y) {
          ctx.globalAlpha = 0.14;
          ctx.fillRect(bbox.left, y, bbox.width, bottom - y);
          ctx.globalAlpha = 1;
        } else {
          ctx.lineWidth = 1.5 * scale;
          ctx.setLineDash([6 * scale, 4 * scale]);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
        }
        ctx.font = `${12 * scale}px system-ui, sans-serif`;
        ctx.textAlign = "right";
        ctx.textBaseline = "alphabetic";
        const height = 16 * scale;
        const places = [y - 4 * scale, Math.max(y, bottom) + 13 * scale].filter(
          (at) => at - height > bbox.top && at < bbox.top + bbox.height - 2 && taken.every((other) => Math.abs(other - at) > height));
        if (!places.length) continue;
        taken = [...taken, places[0]];
        // A halo, where lines run behind it.
        ctx.setLineDash([]);
        ctx.lineWidth = 4 * scale;
        ctx.strokeStyle = colour("card");
        ctx.strokeText(level.name, bbox.left + bbox.width - 6 * scale, places[0]);
        ctx.fillText(level.name, bbox.left + bbox.width - 6 * scale, places[0]);
      }
    });
  }

  const mixed = (from, to, share) => {
    const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    const [a, b] = [parts(from), parts(to)];
    return `rgb(${a.map((value, i) => Math.round(value + (b[i] - value) * share)).join(" ")})`;
  };

  // The bounds of all cells, ascending, and for each the next lower one: ten to a decade.
  function boundsOf(chart) {
    const all = [...new Set(chart.cells.flat().map(([upTo]) => upTo))].sort((a, b) => a - b);
    return new Map(all.map((upTo) => [upTo, upTo / 10 ** 0.1]));
  }

  function drawCells(chart, bounds) {
    const most = Math.max(1, ...chart.cells.flat().map(([, count]) => count));
    return (plot) => inPlot(plot, (ctx) => {
      const [cold, hot] = [colour("cold"), colour("hot")];
      chart.cells.forEach((column, i) => {
        const left = Math.round(plot.valToPos(chart.at[i] - chart.widths[i] / 2, "x", true));
        const right = Math.round(plot.valToPos(chart.at[i] + chart.widths[i] / 2, "x", true));
        for (const [upTo, count] of column) {
          const top = Math.round(plot.valToPos(upTo, "y", true));
          const bottom = Math.round(plot.valToPos(bounds.get(upTo), "y", true));
          // Single packets are to be seen beside thousands.
          ctx.fillStyle = mixed(cold, hot, 0.12 + 0.88 * Math.log1p(count) / Math.log1p(most));
          ctx.fillRect(left, top, Math.max(1, right - left - (right - left > 6 ? 1 : 0)), Math.max(1, bottom - top));
        }
      });
    });
  }

  // What lies under the cursor of a heat map, in words.
  function readCell(chart, bounds, readout) {
    return (plot) => {
      const { idx, left, top } = plot.cursor;
      if (idx == null || left < 0) {
        readout.textContent = "";
        return;
      }
      const ms = plot.posToVal(top, "y");
      const cell = chart.cells[idx].find(([upTo]) => ms <= upTo && ms > bounds.get(upTo));
      const total = chart.cells[idx].reduce((sum, [, count]) => sum + count, 0);
      readout.textContent = `${spanOf(chart, idx)}: ` + (cell
        ? `${figure(cell[1])} of ${figure(total)} took up to ${figure(cell[0])} ms`
        : `${figure(total)} packets`);
    };
  }

  function linesOf(chart) {
    const alone = (plot, seriesIndex) => {
      const values = plot.data[seriesIndex];
      const few = values.length <= 40;
      return values.flatMap((value, i) =>
        value != null && (few || (values[i - 1] == null && values[i + 1] == null)) ? [i] : []);
    };
    return chart.lines.map((line) => ({
      label: line.name,
      stroke: colour(line.colour),
      width: 1.75,
      paths: line.points ? () => null : undefined,
      points: line.points
        ? { show: true, size: 6, fill: colour(line.colour === "muted" ? "card" : line.colour), width: 1.5 }
        : { show: true, filter: alone, size: 5, fill: colour(line.colour), width: 0 },
      value: (_plot, value, _series, index) => (index == null ? "" : value == null ? "none" : figure(value)),
    }));
  }

  // Each bar is drawn from 0 to its sum with those after it, the highest first; the legend says its own.
  function barsOf(chart) {
    return chart.lines.map((line, i) => ({
      label: line.name,
      stroke: colour(line.colour),
      fill: colour(line.colour),
      width: 0,
      paths: uPlot.paths.bars({ size: [0.8, 48] }),
      points: { show: false },
      value: (_plot, _value, _series, index) => (index == null ? "" : figure(chart.lines[i].values[index])),
    }));
  }

  function valuesOf(chart) {
    if (chart.kind === "heat") {
      const edges = (pick) => chart.cells.map((column) => (column.length ? pick(column) : null));
      const bounds = boundsOf(chart);
      // Not drawn: for the axis.
      return [edges((column) => bounds.get(column[0][0])), edges((column) => column.at(-1)[0])];
    }
    if (chart.kind === "lines") return chart.lines.map((line) => line.values);
    let sums = chart.at.map(() => 0);
    return chart.lines.map((line) => line.values).reverse().map((values) => {
      sums = sums.map((sum, i) => sum + values[i]);
      return sums.map((sum) => sum || null);
    }).reverse();
  }

  function seriesOf(chart) {
    if (chart.kind === "stacked") return barsOf(chart);
    if (chart.kind === "lines") return linesOf(chart);
    return ["least", "most"].map((label) => ({ label, paths: () => null, points: { show: false } }));
  }

  function axesOf(chart) {
    const common = { stroke: colour("muted"), font: FONT, grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, gap: 6 };
    const x = { ...common, size: 28, space: 56 };
    if (chart.axis === "percent") {
      x.splits = (_plot, _axis, low, high) => PERCENTS.map(nines).filter((at) => at >= low && at <= high);
      x.values = (_plot, splits) => splits.map(percentOf);
    } else {
      x.values = (_plot, splits) => splits.map((at) => timeOf(chart, at));
      if (chart.length >= LONG) x.incrs = STEPS_OF_LONG;
    }
    const y = { ...common, size: sizeOf, space: 28, values: (_plot, splits) => splits.map((at) => (at == null ? "" : figure(at))) };
    return [x, y];
  }

  const ends = (chart) => (chart.axis === "percent" ? [0, Math.max(...chart.at.map(nines))] : [0, chart.length]);

  function showWhole() {
    for (const { chart, plot } of drawn) {
      const [min, max] = ends(chart);
      plot.setScale("x", { min, max });
    }
  }

  function noteZoom(chart) {
    return (plot, scale) => {
      if (scale !== "x" || chart.axis === "percent") return;
      const [min, max] = ends(chart);
      whole.hidden = plot.scales.x.min <= min && plot.scales.x.max >= max;
    };
  }

  function draw(chart) {
    const place = document.querySelector(`#${CSS.escape(chart.id)} .plot`);
    const heat = chart.kind === "heat";
    const hooks = { draw: [drawLevels(chart)], setScale: [noteZoom(chart)] };
    let readout = null;
    if (heat) {
      readout = Object.assign(document.createElement("div"), { className: "readout" });
      const bounds = boundsOf(chart);
      hooks.draw.unshift(drawCells(chart, bounds));
      hooks.setCursor = [readCell(chart, bounds, readout)];
    }
    const plot = new uPlot({
      width: place.clientWidth,
      height: HEIGHT,
      padding: [12, 24, 0, 0],
      scales: {
        x: { time: false, range: (_plot, low, high) => (low == null ? ends(chart) : [low, high]) },
        y: { distr: chart.logY ? 3 : 1, range: rangeOf(chart) },
      },
      cursor: {
        drag: { x: true, y: false, dist: 8 },
        sync: chart.axis === "seconds" ? { key: "time", setSeries: false } : undefined,
      },
      legend: { show: !heat },
      axes: axesOf(chart),
      series: [{ label: chart.axis === "seconds" ? "time" : "percentile", value: (_plot, _x, _series, i) => (i == null ? "" : spanOf(chart, i)) },
        ...seriesOf(chart)],
      hooks,
    }, [chart.axis === "percent" ? chart.at.map(nines) : chart.at, ...valuesOf(chart)], place);
    const [min, max] = ends(chart);
    plot.setScale("x", { min, max });
    plot.over.addEventListener("dblclick", showWhole);
    if (readout) place.append(readout);
    drawn.push({ chart, plot, place });
  }

  function drawAll() {
    for (const { plot, place } of drawn.splice(0)) {
      plot.destroy();
      place.replaceChildren();
    }
    charts.forEach(draw);
  }

  drawAll();
  whole.addEventListener("click", showWhole);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  new ResizeObserver(() => {
    for (const { plot, place } of drawn) {
      if (plot.width !== place.clientWidth) plot.setSize({ width: place.clientWidth, height: HEIGHT });
    }
  }).observe(document.body);
})();
