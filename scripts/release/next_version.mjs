// What semantic-release would decide for HEAD, from git alone: it needs no token, so that a fork's
// pull request sees it too, and the image can carry its version before the release is made.
// tests/release compares its answers with the real semantic-release's.

import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import semver from "semver";
import { analyzeCommits, generateNotes } from "./commits.mjs";

const git = (...args) => execFileSync("git", args, { encoding: "utf8" }).trim();
const quiet = { log() {}, info() {}, warn() {}, error() {}, success() {} };

// The highest version among the tags of REF's history, or that of a release commit which was
// stopped before its tag: the tag is owed, and made before anything else is released.
function lastRelease(ref) {
  const tags = git("tag", "--merged", ref, "--list", "v*").split("\n");
  const found = tags.map((tag) => semver.valid(tag.slice(1))).filter(Boolean)
    .map((version) => ({ version, gitHead: git("rev-list", "-1", `v${version}`) }));
  for (const line of git("log", "--first-parent", "--format=%H %s", ref).split("\n")) {
    const match = /^(\w+) chore\(release\): (\d+\.\d+\.\d+) \[skip ci\]$/.exec(line);
    if (match) found.push({ version: match[2], gitHead: match[1] });
  }
  const last = found.sort((a, b) => semver.rcompare(a.version, b.version))[0];
  return last && { ...last, gitTag: `v${last.version}` };
}

function commitsSince(last, ref) {
  const range = last ? `${last.gitHead}..${ref}` : ref;
  const log = git("log", "--format=%H%x00%h%x00%cI%x00%B%x01", range);
  return log.split("\x01").map((record) => record.trim()).filter(Boolean).map((record) => {
    const [hash, short, date, message] = record.split("\0");
    return { hash, commit: { long: hash, short }, committerDate: date, message: message.trim() };
  }).filter(({ message }) => !/\[skip release\]|\[release skip\]/.test(message));
}

function settings() {
  const { plugins } = JSON.parse(readFileSync(".releaserc.json", "utf8"));
  return plugins.find(([plugin]) => plugin === "./scripts/release/commits.mjs")[1];
}

async function decide({ BASE, SQUASH_TITLE }) {
  const head = git("rev-parse", "HEAD");
  const ref = SQUASH_TITLE && BASE ? BASE : head;
  const last = lastRelease(ref);
  const commits = commitsSince(last, ref);
  if (ref !== head) {
    commits.unshift({ hash: head, commit: { long: head, short: head.slice(0, 7) },
                      committerDate: git("log", "-1", "--format=%cI"), message: SQUASH_TITLE });
  }
  const context = { cwd: process.cwd(), commits, logger: quiet };
  const type = await analyzeCommits(settings(), context);
  // Build metadata has no precedence: such a version sorts with the release it was built upon.
  const unreleased = `${last?.version ?? "0.0.0"}+g${head.slice(0, 12)}`;
  if (!type || !last) {
    return { version: unreleased, type: null, last: last?.version ?? null, notes: "", head };
  }
  const version = semver.inc(last.version, type);
  const server = process.env.GITHUB_SERVER_URL ?? "https://github.com";
  const notes = await generateNotes(settings(), {
    ...context, lastRelease: last, nextRelease: { version, gitTag: `v${version}`, gitHead: head },
    options: { repositoryUrl: `${server}/${process.env.GITHUB_REPOSITORY ?? "local/slipway"}.git` },
  });
  return { version, type, last: last.version, notes, head };
}

function describe(next) {
  if (!next.last) {
    return "**Next version**: none can be told before a first tag: "
      + "`git tag v0.0.0 $(git rev-list --max-parents=0 HEAD) && git push origin v0.0.0`\n\n";
  }
  if (!next.type) {
    return `**Next version**: none; nothing since v${next.last} changes it (docs, chore, test ...).\n\n`;
  }
  return `**Next version**: ${next.last} -> **${next.version}** (${next.type})\n\n${next.notes}\n\n`;
}

const next = await decide(process.env);
const append = (name, text) =>
  process.env[name] ? appendFileSync(process.env[name], text) : process.stderr.write(text);
if (process.argv.includes("--summary")) append("GITHUB_STEP_SUMMARY", describe(next));
append("GITHUB_OUTPUT", `version=${next.version}\ntype=${next.type ?? ""}\n`);
const json = process.argv.indexOf("--json");
const file = json > 0 ? process.argv[json + 1] : undefined;
if (file) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(next));
}
console.log(json > 0 && !file ? JSON.stringify(next) : next.version);
