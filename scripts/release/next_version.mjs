// What semantic-release would decide for HEAD, from git alone: it needs no token, so that a fork's
// pull request sees it too, and the image can carry its version before the release is made.
// The answer is commits.mjs's, which is semantic-release's plugin too. With --meaning it is asked of messages
// instead: a JSON array of them on stdin, what each says on stdout; with --notes BEFORE TAG COMMIT of what TAG, made
// of COMMIT, brought since the tag BEFORE.

import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import semver from "semver";
import { meaningOf, notesOf, typeOf } from "./commits.mjs";
import { commitsOf, git, lastRelease, refuseShallow } from "./history.mjs";

function settings() {
  const { plugins } = JSON.parse(readFileSync(new URL("../../.releaserc.json", import.meta.url), "utf8"));
  return plugins.find(([plugin]) => plugin === "./scripts/release/commits.mjs")[1];
}

function notesBetween(lastRelease, nextRelease, commits) {
  const server = process.env.GITHUB_SERVER_URL ?? "https://github.com";
  const repositoryUrl = `${server}/${process.env.GITHUB_REPOSITORY ?? "local/slipway"}.git`;
  return notesOf(settings(), { cwd: process.cwd(), lastRelease, nextRelease, options: { repositoryUrl } }, commits);
}

async function tellNotes([before, gitTag, gitHead]) {
  const commits = await commitsOf(before ? `${before}..${gitHead}` : gitHead);
  console.log(await notesBetween(before ? { gitTag: before } : {}, { version: gitTag.slice(1), gitTag, gitHead }, commits));
}

// OWED: release commits of REF without their tag, as scripts/release/owed tells them.
// SQUASH_MESSAGE: the file with what a pull request will land with.
async function decide({ BASE, SQUASH_MESSAGE, OWED }) {
  await refuseShallow();
  const head = (await git("rev-parse", "HEAD")).trim();
  const ref = SQUASH_MESSAGE && BASE ? (await git("rev-parse", BASE)).trim() : head;
  const last = await lastRelease(ref, JSON.parse(OWED || "[]"));
  const commits = await commitsOf(last ? `${last.gitHead}..${ref}` : ref);
  if (ref !== head) {
    const [now] = await commitsOf(`${head}^!`);
    commits.unshift({ ...now, message: readFileSync(SQUASH_MESSAGE, "utf8") });
  }
  const type = await typeOf(settings(), commits);
  // Build metadata has no precedence: such a version sorts with the release it was built upon.
  const unreleased = `${last?.version ?? "0.0.0"}+g${head.slice(0, 12)}`;
  if (!type || !last) {
    const root = last ? undefined : (await git("rev-list", "--first-parent", "--max-parents=0", ref)).trim();
    return { version: unreleased, type: null, last: last?.version ?? null, notes: "", head, root };
  }
  const version = semver.inc(last.version, type);
  const notes = await notesBetween(last, { version, gitTag: `v${version}`, gitHead: head }, commits);
  return { version, type, last: last.version, notes, head };
}

function describe(next) {
  if (!next.last) {
    return "**Next version**: none can be told before a first tag: "
      + `\`git tag v0.0.0 ${next.root} && git push origin v0.0.0\`\n\n`;
  }
  if (!next.type) {
    return `**Next version**: none; nothing since v${next.last} changes it (docs, chore, test ...).\n\n`;
  }
  return `**Next version**: ${next.last} -> **${next.version}** (${next.type})\n\n${next.notes}\n\n`;
}

async function tellNext() {
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
}

try {
  if (process.argv.includes("--meaning")) {
    const messages = JSON.parse(readFileSync(0, "utf8"));
    console.log(JSON.stringify(await Promise.all(messages.map((message) => meaningOf(settings(), message)))));
  } else if (process.argv.includes("--notes")) {
    await tellNotes(process.argv.slice(process.argv.indexOf("--notes") + 1));
  } else {
    await tellNext();
  }
} catch (error) {
  console.error(`next-version: error: ${error.message}`);
  process.exitCode = 1;
}
