// What git knows of a history, for next_version.mjs and for semantic-release's plugin alike: read by stream, since
// histories outgrow every fixed buffer, and with what is not UTF-8 replaced, since one such commit is there for ever.

import { spawn } from "node:child_process";
import semver from "semver";

// What has more digits is no version to semver either, which is exact up to 2^53.
const VERSION_TAG = /^v(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})$/;

export function git(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, { stdio: ["ignore", "pipe", "pipe"] });
    const said = [], problems = [];
    child.stdout.on("data", (chunk) => said.push(chunk));
    child.stderr.on("data", (chunk) => problems.push(chunk));
    child.on("error", reject);
    child.on("close", (status) => status === 0 ? resolve(Buffer.concat(said).toString("utf8"))
      : reject(new Error(`git ${args.slice(0, 2).join(" ")}: ${Buffer.concat(problems).toString().trim()}`)));
  });
}

// In a shallow clone the tags and commits that decide are missing, and nothing says so.
export async function refuseShallow() {
  if ((await git("rev-parse", "--is-shallow-repository")).trim() === "true") {
    throw new Error("a shallow clone: its history tells no version; remedy: git fetch --unshallow --tags"
      + " (actions/checkout: fetch-depth: 0)");
  }
}

// The highest version among the tags of REF's history and OWED, [{ version, gitHead }] of the release commits that were
// stopped before their tag. A tag that is no vX.Y.Z (a prerelease, build metadata) is nobody's release here.
export async function lastRelease(ref, owed = []) {
  const tags = (await git("tag", "--merged", ref, "--list", "v*")).split("\n");
  const found = [...owed, ...tags.filter((tag) => VERSION_TAG.test(tag)).map((tag) => ({ version: tag.slice(1) }))];
  const last = found.sort((a, b) => semver.rcompare(a.version, b.version))[0];
  if (!last) return undefined;
  const gitTag = `v${last.version}`;
  return { ...last, gitTag, gitHead: last.gitHead ?? (await git("rev-list", "-1", `refs/tags/${gitTag}`)).trim() };
}

// The commits of RANGE, none before what descends from it, whatever their clocks said: a revert stands before what it
// reverts. Neither a NUL (git ends the message there) nor a BOM is anybody's message.
export async function commitsOf(range) {
  const cells = (await git("log", "-z", "--topo-order", "--encoding=UTF-8", "--format=%H%x00%cI%x00%an%x00%B", range,
                           "--")).split("\0");
  const commits = [];
  for (let at = 0; at + 3 < cells.length; at += 4) {
    const [hash, committerDate, author, message] = cells.slice(at, at + 4);
    commits.push({ hash, commit: { long: hash, short: hash.slice(0, 7) }, committerDate, author,
                   message: message.replaceAll("\uFEFF", "").trim() });
  }
  return commits;
}
