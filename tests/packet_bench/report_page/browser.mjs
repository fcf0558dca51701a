// A Chromium, and what of a report's page is to be seen in it.

import { chromium } from "playwright-core";

export const SIZES = [[390, 844], [1280, 800], [1920, 1080]];
export const SCHEMES = ["light", "dark"];

export function launch() {
  // As root, which a container's tests are, there is no sandbox; the pages are our own.
  return chromium.launch({ executablePath: process.env.BROWSER, args: ["--no-sandbox"] });
}

// Runs in the page before its scripts: notes every text that is drawn on a canvas, since its last wiping, with its
// box in CSS pixels of the canvas.
function noteCanvasTexts() {
  const texts = new Map();
  window.canvasTexts = texts;
  const prototype = CanvasRenderingContext2D.prototype;
  const { fillText, clearRect } = prototype;
  prototype.clearRect = function (x, y, width, height) {
    if (x === 0 && y === 0 && width >= this.canvas.width && height >= this.canvas.height) texts.set(this.canvas, []);
    return clearRect.call(this, x, y, width, height);
  };
  prototype.fillText = function (text, x, y, ...rest) {
    if (String(text).trim() !== "") {
      const size = this.measureText(text);
      const matrix = this.getTransform();
      const corner = (dx, dy) => matrix.transformPoint(new DOMPoint(x + dx, y + dy));
      const a = corner(-size.actualBoundingBoxLeft, -size.actualBoundingBoxAscent);
      const b = corner(size.actualBoundingBoxRight, size.actualBoundingBoxDescent);
      const ratio = devicePixelRatio;
      if (!texts.has(this.canvas)) texts.set(this.canvas, []);
      texts.get(this.canvas).push({
        text: String(text),
        left: Math.min(a.x, b.x) / ratio, right: Math.max(a.x, b.x) / ratio,
        top: Math.min(a.y, b.y) / ratio, bottom: Math.max(a.y, b.y) / ratio,
      });
    }
    return fillText.call(this, text, x, y, ...rest);
  };
}

// The page of a file, and everything that went wrong in it.
export async function open(browser, file, [width, height], colorScheme) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: width < 500 ? 2 : 1 });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) wrong.push(message.text()); });
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("request", (request) => { if (request.url() !== `file://${file}`) wrong.push(`asked for ${request.url()}`); });
  page.on("dialog", (dialog) => { wrong.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  await page.addInitScript(noteCanvasTexts);
  await page.goto(`file://${file}`);
  await settled(page);
  return { context, page, wrong };
}

// uPlot draws in a microtask, a resize comes with the next frame.
export async function settled(page) {
  await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
}

// Texts that are cut off, hang out, or lie on one another: in words, none where all is well.
export function misplaced(page) {
  return page.evaluate(() => {
    const found = [];
    const boxes = [];
    const slack = 1.5;
    const outside = (inner, outer) => inner.left < outer.left - slack || inner.right > outer.right + slack ||
      inner.top < outer.top - slack || inner.bottom > outer.bottom + slack;
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} wide in ${root.clientWidth}`);
    const add = (text, box) => {
      if (box.right - box.left < 0.5) return;
      for (const other of boxes) {
        const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (across > slack && down > 4) found.push(`"${text}" lies on "${other.text}"`);
      }
      boxes.push({ text, box });
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      if (!node.data.trim() || parent.closest("script, noscript, [hidden]")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const around = parent.closest("td, th, li, dd, dt, p, h1, figcaption, div, button").getBoundingClientRect();
      for (const { left, right, top, bottom } of range.getClientRects()) {
        const box = { left: left + scrollX, right: right + scrollX, top: top + scrollY, bottom: bottom + scrollY };
        const outer = { left: around.left + scrollX, right: around.right + scrollX, top: around.top + scrollY - 3, bottom: around.bottom + scrollY + 3 };
        if (outside(box, outer)) found.push(`"${node.data.trim()}" hangs out of its ${parent.tagName}`);
        add(node.data.trim(), box);
      }
    }
    for (const [canvas, texts] of window.canvasTexts) {
      if (!canvas.isConnected) continue;
      const at = canvas.getBoundingClientRect();
      for (const { text, left, right, top, bottom } of texts) {
        if (outside({ left, right, top, bottom }, { left: 0, right: at.width, top: 0, bottom: at.height })) {
          found.push(`"${text}" is cut off in the chart`);
        }
        add(text, { left: left + at.left + scrollX, right: right + at.left + scrollX, top: top + at.top + scrollY, bottom: bottom + at.top + scrollY });
      }
    }
    return found;
  });
}

// What is written along a chart's axes and in it.
export function chartTexts(page, id) {
  return page.evaluate((chart) => [...window.canvasTexts].filter(([canvas]) => canvas.closest(`#${chart}`))
    .flatMap(([, texts]) => texts.map(({ text }) => text)), id);
}
