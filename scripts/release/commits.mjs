// What commits say, in one place: semantic-release calls it as its analyzer and its notes, next_version.mjs for the
// preview and CI's image, lint-commits for the words it judges. The standard analyzer and notes do the work, after
// GitHub's own buttons were read. "Revert" writes `Revert "feat: x" (#13)` and `Reverts owner/repo#12`, or with the
// squash setting of no body the title alone; git's "Reapply" undoes that. Neither is of the conventional form.

import { analyzeCommits as analyze } from "@semantic-release/commit-analyzer";
import { generateNotes as tell } from "@semantic-release/release-notes-generator";
import createPreset from "conventional-changelog-conventionalcommits";
import { CommitParser } from "conventional-commits-parser";
import { commitsOf, lastRelease, refuseShallow } from "./history.mjs";
import { footer, writer } from "./notes.mjs";

const WRAPPED = /^(Revert|Reapply) "(.*)"(?: \(#\d+\))?$/;
const TYPED = /^revert(?:\([^)]*\))?: /;
const HASH = /This reverts commit ([0-9a-f]{7,40})/;
const NUMBER = / \(#(\d+)\)$/;
// Footers that the notes tell.
const TOLD = ["Release-Note", "CVE"];
const SKIPPED = /\[skip\s+release]|\[release\s+skip]/i;
const quiet = { log() {}, info() {}, warn() {}, error() {}, success() {} };

// Only the footer of the convention: upper case, a colon and a space, at the beginning of a line. The parser's own
// pattern takes "breaking change for nobody" in a body for one. And no references: the parser's search for them takes
// time by the square of a word's length, so that a key pasted into a body would stop all releases; notes.mjs finds them.
const parserOpts = { notesPattern: (keywords) => new RegExp(`^(${keywords}): (.+)`), issuePrefixes: undefined,
                     referenceActions: undefined };

// What a title undoes: { kind: Revert or Reapply, title: of what it names }; undefined for any other title.
function undoing(title, body) {
  const wrapped = WRAPPED.exec(title);
  if (wrapped) return { kind: wrapped[1], title: wrapped[2] };
  return TYPED.test(title) && HASH.test(body) ? { kind: "Revert", title: "" } : undefined;
}

// The subject inside all that was wrapped around it, and whether in sum it is taken back.
function unwrap(title) {
  const match = WRAPPED.exec(title);
  if (!match) return { subject: title, reverts: false };
  const inner = unwrap(match[2]);
  return { subject: inner.subject, reverts: inner.reverts !== (match[1] === "Revert") };
}

// Whether CANDIDATE is the commit that another, with BODY, undoes. A Reapply names what was reverted, not the revert.
function isMeant(candidate, { kind, title }, body) {
  const hash = HASH.exec(body)?.[1];
  if (hash) return candidate.hash.startsWith(hash);
  const [subject] = candidate.message.split("\n");
  const number = /^Reverts [\w.-]+\/[\w.-]+#(\d+)/m.exec(body)?.[1];
  if (number) return NUMBER.exec(subject)?.[1] === number;
  const plain = (text) => text.replaceAll(/ \(#\d+\)(?="?$)/g, "");
  return plain(subject) === plain(kind === "Reapply" ? `Revert "${title}"` : title);
}

// TEXT without what stands between OPEN and CLOSE, in one pass; what is never closed stays.
function without(text, open, close) {
  let kept = "", at = 0;
  for (let from = text.indexOf(open); from >= 0; from = text.indexOf(open, at)) {
    const to = text.indexOf(close, from + open.length);
    if (to < 0) break;
    kept += text.slice(at, from);
    at = to + close.length;
  }
  return kept + text.slice(at);
}

// What a person reads of MESSAGE. A pull request's description lands as it is: with the comments of a template, and with
// the foldings in which Dependabot quotes what others released.
export function visible(message) {
  const plain = without(message.replaceAll("\r\n", "\n"), "<!--", "-->");
  let kept = "", at = 0, depth = 0;
  for (const { 0: tag, index } of plain.matchAll(/<\/?details\b/gi)) {
    if (depth === 0) kept += plain.slice(at, index);
    depth = Math.max(0, depth + (tag.startsWith("</") ? -1 : 1));
    at = index + tag.length;
  }
  return depth === 0 ? kept + plain.slice(at) : plain;
}

// COMMITS (newest first) as the analyzer understands them. A commit and its revert leave together, since nobody has
// seen either; a revert that was itself undone has undone nothing. What undoes a released commit stays, as
// `revert: ...`, or as the commit that it applies again.
export function understood(written) {
  const undone = new Set();
  const said = [];
  const commits = written.map((commit) => ({ ...commit, message: visible(commit.message) }));
  commits.forEach((commit, at) => {
    if (undone.has(commit) || SKIPPED.test(commit.message)) return;
    const [title, ...rest] = commit.message.split("\n");
    const body = rest.join("\n");
    const what = undoing(title, body);
    const meant = what && commits.slice(at + 1).find((other) => !undone.has(other) && isMeant(other, what, body));
    if (meant) return void undone.add(meant);
    const { subject, reverts } = unwrap(title);
    const told = `${reverts ? "revert: " : ""}${subject.replace(NUMBER, "")}${NUMBER.exec(title)?.[0] ?? ""}`;
    said.push(subject === title ? commit : { ...commit, message: [told, ...rest].join("\n") });
  });
  return said;
}

const settings = (options) => ({ ...options, parserOpts, writerOpts: writer(options) });

export function typeOf(options, commits, cwd = process.cwd()) {
  // Quiet: a body's lines would reach the log of the run, where `::stop-commands::` is a command.
  return analyze(settings(options), { cwd, logger: quiet, commits: understood(commits) });
}

export function notesOf(options, context, commits) {
  return tell(settings(options), { ...context, logger: quiet, commits: understood(commits) });
}

// What one message says, for lint-commits: { type, scope, what, body, breaking, footers, release, undoes }.
export async function meaningOf(options, written) {
  const message = visible(written);
  const { parser } = createPreset(options.presetConfig);
  const said = new CommitParser({ ...parser, ...parserOpts }).parse(message);
  const commit = { hash: "0".repeat(40), message, author: "", committerDate: "" };
  return { type: said.type ?? null, scope: said.scope ?? null, what: said.subject ?? null,
           body: message.split("\n").slice(1).join("\n"), breaking: said.notes.length > 0,
           footers: TOLD.map((name) => [name, footer(message, name)]).filter(([, text]) => text), undoes: Boolean(undoing(message.split("\n")[0], message)),
           release: await typeOf(options, message.trim() ? [commit] : []) };
}

// semantic-release's steps. What it read itself is only held against ours: two readings would be two answers.
export async function analyzeCommits(options, context) {
  await refuseShallow();
  const last = await lastRelease("HEAD");
  if (last?.gitTag !== context.lastRelease.gitTag) {
    throw new Error(`semantic-release counts from ${context.lastRelease.gitTag}, the tags say ${last?.gitTag}: nothing`
      + " was released; remedy: delete the tag that is no version (git push origin :refs/tags/TAG)");
  }
  return typeOf(options, await commitsOf(last ? `${last.gitHead}..HEAD` : "HEAD"), context.cwd);
}

export async function generateNotes(options, context) {
  const from = context.lastRelease.gitHead;
  const to = context.nextRelease.gitHead ?? "HEAD";
  return notesOf(options, context, await commitsOf(from ? `${from}..${to}` : to));
}
