// The notes as people read them, for the standard notes generator: what to do first, Security and Dependencies apart,
// one line a change with its pull request or short hash and who made it, and nothing of a message taken for HTML,
// for somebody's name or for an issue that it is not.

const SECURITY = "Security";
const DEPENDENCIES = "Dependencies";
// Who is no person to thank: the entry says what changed, and that is all.
const ROBOT = /\[bot\]$|^(semantic-release|slipway)/i;
const CLOSES = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? #(\d+)\b/gi;
const NOISE = /^(fix )?typos?\b|^wip\b|^(address|apply) (review|feedback|comments)|^merge (branch|pull request)\b/i;

// TEXT with what Markdown and GitHub would take for more than text made harmless; code spans stay as they are. A space
// of no width after the sign keeps `@param` from being somebody's name, and `#include` an issue.
export function harmless(text) {
  return text.split(/(`[^`]*`)/).map((part, at) => at % 2 ? part : part
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replace(/([[\]*_|\\])/g, "\\$1").replace(/@(?=\w)/g, "@\u200B").replace(/#(?=[A-Za-z])/g, "#\u200B")
    .replaceAll("::", ":\u200B:")).join("");
}

// The value of a footer `NAME: value`, which goes on over indented lines; undefined without one.
export function footer(message, name) {
  const match = new RegExp(`^${name}: (.+(?:\n[ \t]+\\S.*)*)`, "m").exec(message);
  return match?.[1].replace(/\s*\n\s*/g, " ").trim();
}

function sectionOf(commit, entry) {
  if (commit.scope === "security" || footer(commit.message, "CVE") || /\bCVE-\d{4}-\d+/.test(commit.header)) {
    return SECURITY;
  }
  if (["deps", "deps-dev"].includes(commit.scope) || /^bump \S+ from \S+ to \S+/i.test(commit.subject ?? "")) {
    return DEPENDENCIES;
  }
  return entry && !entry.hidden ? entry.section : undefined;
}

// What a line says: subject, where it can be read (its pull request, else its commit), what it closes, by whom.
function told(commit, page) {
  const number = / \(#(\d+)\)$/.exec(commit.subject ?? commit.header ?? "")?.[1];
  const subject = harmless((commit.subject ?? commit.header ?? "").replace(/ \(#\d+\)$/, ""))
    .replace(/(^|[\s(])#(\d+)\b/g, `$1[#$2](${page}/issues/$2)`);
  const place = number ? `[#${number}](${page}/pull/${number})`
    : `[${commit.hash.slice(0, 7)}](${page}/commit/${commit.hash})`;
  const closed = [...new Set([...commit.message.matchAll(CLOSES)].map(([, issue]) => issue))]
    .map((issue) => `, closes [#${issue}](${page}/issues/${issue})`).join("");
  const author = commit.author && !ROBOT.test(commit.author) ? `, by ${harmless(commit.author)}` : "";
  return `${commit.scope ? `**${harmless(commit.scope)}:** ` : ""}${subject} (${place}${closed}${author})`;
}

function transform(types) {
  return (commit, { host, owner, repository }) => {
    const page = `${host}/${owner}/${repository}`;
    const entry = types.find(({ type }) => type === commit.type?.toLowerCase());
    const breaking = commit.notes.map(({ text }) => ({
      title: "Breaking changes: what to do", text: `${harmless(text.split(/\n[\w-]+: /)[0].trim().replace(/\s*\n\s*/g, " "))} (${
        `[${commit.hash.slice(0, 7)}](${page}/commit/${commit.hash})`})` }));
    const highlight = footer(commit.message, "Release-Note");
    const notes = [...highlight ? [{ title: "Highlights", text: harmless(highlight) }] : [], ...breaking];
    const type = sectionOf(commit, entry);
    const listed = (type || notes.length > 0) && !NOISE.test(commit.subject ?? commit.header ?? "");
    if (!listed) return undefined;
    return { notes, type: type ?? (breaking.length ? "Changed" : "Also"), line: told(commit, page) };
  };
}

const ORDER = ["Highlights", "Breaking changes: what to do"];

// Options for conventional-changelog-writer, beside those of its preset, with OPTIONS' own types and sections.
export function writer({ presetConfig: { types } }) {
  const sections = [SECURITY, ...new Set(types.map(({ section }) => section)), DEPENDENCIES, "Also"];
  return {
    transform: transform(types),
    groupBy: "type",
    commitGroupsSort: (a, b) => sections.indexOf(a.title) - sections.indexOf(b.title),
    noteGroupsSort: (a, b) => ORDER.indexOf(a.title) - ORDER.indexOf(b.title),
    notesSort: () => 0,
    commitsSort: ["scope", "subject"],
    mainTemplate: "{{> header}}\n{{#each noteGroups}}\n### {{title}}\n\n{{#each notes}}\n* {{text}}\n{{/each}}\n\n"
      + "{{/each}}\n{{#each commitGroups}}\n### {{title}}\n\n{{#each commits}}\n* {{line}}\n{{/each}}\n\n{{/each}}\n",
    headerPartial: "## {{#if linkCompare}}[{{version}}]({{host}}/{{owner}}/{{repository}}/compare/{{previousTag}}..."
      + "{{currentTag}}){{else}}{{version}}{{/if}} ({{date}})\n\n",
  };
}
