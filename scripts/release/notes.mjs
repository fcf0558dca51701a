// The notes as people read them, for the standard notes generator: what to do first, Security and Dependencies apart,
// one line a change with its pull request or short hash and who made it, and nothing of a message taken for HTML,
// for somebody's name or for an issue that it is not.

const SECURITY = "Security";
const DEPENDENCIES = "Dependencies";
const HIGHLIGHTS = "Highlights";
const BREAKING = "Breaking changes: what to do";
const UPDATES = ["deps", "deps-dev"];
// Who is no person to thank: the entry says what changed, and that is all.
const ROBOT = /\[bot\]$|^(semantic-release|slipway)/i;
const CLOSES = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? #(\d+)\b/gi;
// Of a pull request, as GitHub puts it behind the title.
const NUMBER = / \(#(\d+)\)$/;
const NOISE = /^(fix )?typos?\b|^wip\b|^(address|apply) (review|feedback|comments)|^merge (branch|pull request)\b/i;

// TEXT with what Markdown and GitHub would take for more than text made harmless; code spans stay as they are. A space
// of no width after the sign keeps `@param` from being somebody's name, and `#include` an issue.
export function harmless(text) {
  return text.split(/(`[^`]*`)/).map((part, at) => at % 2 ? part : part
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replace(/([[\]*_|\\])/g, "\\$1").replace(/@(?=\w)/g, "@\u200B").replace(/#(?=[A-Za-z])/g, "#\u200B")
    .replaceAll("::", ":\u200B:")).join("");
}

// The value of a footer `NAME: value`, which goes on until an empty line or the next footer, since the merge queue folds
// lines; undefined without one.
export function footer(message, name) {
  const match = new RegExp(`^${name}: (.+(?:\n(?![\\w-]+(?:: | #))[ \t]*\\S.*)*)`, "m").exec(message);
  return match?.[1].replace(/\s*\n\s*/g, " ").trim();
}

function sectionOf(commit, entry) {
  if (commit.scope === "security" || footer(commit.message, "CVE") || /\bCVE-\d{4}-\d+/.test(commit.header)) {
    return SECURITY;
  }
  if (UPDATES.includes(commit.scope) || /^bump \S+ from \S+ to \S+/i.test(commit.subject ?? "")) {
    return DEPENDENCIES;
  }
  return entry && !entry.hidden ? entry.section : undefined;
}

// Where a change can be read: its pull request, else its commit.
function placeOf(commit, page) {
  const number = NUMBER.exec(commit.subject ?? commit.header ?? "")?.[1];
  return number ? `[#${number}](${page}/pull/${number})`
    : `[${commit.hash.slice(0, 7)}](${page}/commit/${commit.hash})`;
}

// What it is in, unless SECTION, where it stands, says that already.
function scopeOf(commit, section) {
  const said = { [SECURITY]: ["security"], [DEPENDENCIES]: UPDATES }[section] ?? [];
  return commit.scope && !said.includes(commit.scope) ? `**${harmless(commit.scope)}:** ` : "";
}

// What a line says: subject, where it can be read, what it closes, by whom.
function told(commit, page, section) {
  const subject = harmless((commit.subject ?? commit.header ?? "").replace(NUMBER, ""))
    .replace(/(^|[\s(])#(\d+)\b/g, `$1[#$2](${page}/issues/$2)`);
  const closed = [...new Set([...commit.message.matchAll(CLOSES)].map(([, issue]) => issue))]
    .map((issue) => `, closes [#${issue}](${page}/issues/${issue})`).join("");
  const author = commit.author && !ROBOT.test(commit.author) ? `, by ${harmless(commit.author)}` : "";
  return `${scopeOf(commit, section)}${subject} (${placeOf(commit, page)}${closed}${author})`;
}

function transform(types) {
  return (commit, { host, owner, repository }) => {
    const page = `${host}/${owner}/${repository}`;
    const entry = types.find(({ type }) => type === commit.type?.toLowerCase());
    const breaking = commit.notes.map(({ text }) => {
      const what = text.split(/\n[\w-]+: /)[0].trim().replace(/\s*\n\s*/g, " ").replace(NUMBER, "");
      return { title: BREAKING, text: `${scopeOf(commit)}${harmless(what)} (${placeOf(commit, page)})` };
    });
    const highlight = footer(commit.message, "Release-Note");
    const notes = [...highlight ? [{ title: HIGHLIGHTS, text: harmless(highlight) }] : [], ...breaking];
    const section = sectionOf(commit, entry);
    const listed = (section || notes.length > 0) && !NOISE.test(commit.subject ?? commit.header ?? "");
    if (!listed) return undefined;
    const type = section ?? (breaking.length ? "Changed" : "Also");
    return { notes, type, line: told(commit, page, type) };
  };
}

// By scope, which a line begins with; those of none behind them.
const isScoped = ({ line }) => line.startsWith("**");
const inOrder = (a, b) => isScoped(b) - isScoped(a) || a.line.localeCompare(b.line);

const ORDER = [HIGHLIGHTS, BREAKING];

// Options for conventional-changelog-writer, beside those of its preset, with OPTIONS' own types and sections.
export function writer({ presetConfig: { types } }) {
  const sections = [SECURITY, ...new Set(types.map(({ section }) => section)), DEPENDENCIES, "Also"];
  return {
    transform: transform(types),
    groupBy: "type",
    commitGroupsSort: (a, b) => sections.indexOf(a.title) - sections.indexOf(b.title),
    noteGroupsSort: (a, b) => ORDER.indexOf(a.title) - ORDER.indexOf(b.title),
    notesSort: () => 0,
    commitsSort: inOrder,
    mainTemplate: "{{> header}}\n{{#each noteGroups}}\n### {{title}}\n\n{{#each notes}}\n* {{text}}\n{{/each}}\n\n"
      + "{{/each}}\n{{#each commitGroups}}\n### {{title}}\n\n{{#each commits}}\n* {{line}}\n{{/each}}\n\n{{/each}}\n",
    headerPartial: "## {{#if linkCompare}}[{{version}}]({{host}}/{{owner}}/{{repository}}/compare/{{previousTag}}..."
      + "{{currentTag}}){{else}}{{version}}{{/if}} ({{date}})\n\n",
  };
}
