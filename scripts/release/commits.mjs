// What a commit says, for semantic-release and for next_version.mjs: the standard analyzer and notes, after GitHub's
// own buttons were read. "Revert" writes `Revert "feat: x" (#13)` and `Reverts owner/repo#12`, or with the squash
// setting of no body the title alone; git's "Reapply" undoes that. Neither is of the conventional form.

import { analyzeCommits as analyze } from "@semantic-release/commit-analyzer";
import { generateNotes as tell } from "@semantic-release/release-notes-generator";

const WRAPPED = /^(Revert|Reapply) "(.*)"(?: \(#\d+\))?$/;
const NUMBER = / \(#(\d+)\)$/;

// { subject, reverts }: SUBJECT without what was wrapped around it, and whether in sum it takes SUBJECT back.
export function unwrap(subject) {
  const match = WRAPPED.exec(subject);
  if (!match) return { subject, reverts: false };
  const inner = unwrap(match[2]);
  return { subject: inner.subject, reverts: inner.reverts !== (match[1] === "Revert") };
}

function isMeant(candidate, subject, body) {
  const hash = /This reverts commit ([0-9a-f]{7,40})/.exec(body)?.[1];
  if (hash) return candidate.hash.startsWith(hash);
  const [title] = candidate.message.split("\n");
  const number = /^Reverts [\w.-]+\/[\w.-]+#(\d+)/m.exec(body)?.[1];
  if (number) return NUMBER.exec(title)?.[1] === number;
  const plain = unwrap(title);
  return !plain.reverts && plain.subject.replace(NUMBER, "") === subject.replace(NUMBER, "");
}

// COMMITS (newest first) as the analyzer understands them. A revert of one that is among them leaves with it: nobody
// has seen either. Another becomes `revert: ...`; a commit that was reapplied is itself again.
export function understood(commits) {
  const gone = new Set();
  const said = [];
  commits.forEach((commit, at) => {
    if (gone.has(commit)) return;
    const [title, ...rest] = commit.message.split("\n");
    const { subject, reverts } = unwrap(title);
    if (subject === title) return void said.push(commit);
    if (reverts) {
      const meant = commits.slice(at + 1).find((other) => !gone.has(other) && isMeant(other, subject, rest.join("\n")));
      if (meant) return void gone.add(meant);
    }
    said.push({ ...commit, message: [reverts ? `revert: ${subject}` : subject, ...rest].join("\n") });
  });
  return said;
}

export function analyzeCommits(options, context) {
  return analyze(options, { ...context, commits: understood(context.commits) });
}

export function generateNotes(options, context) {
  return tell(options, { ...context, commits: understood(context.commits) });
}
