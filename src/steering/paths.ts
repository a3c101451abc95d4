/**
 * Which files steer later runs: the CLI, git or a shell reads them at its start without being asked to. The list is what
 * CLI 2.1.330 was seen to read with our options, and a little more. Pure.
 */

/** `checkout`: the repository; `cli`: the CLI's own folder; `home`: HOME of the CLI */
export type Root = 'checkout' | 'cli' | 'home';

// Upper and lower case, because a file system may not tell them apart. The CLI reads those of a folder when it reads a
// file below it.
const INSTRUCTIONS = /(^|\/)((claude|agents)(\.local)?\.md|\.mcp\.json|\.claude)(\/|$)/i;
/** What git and its programs obey. The checkout's preparation corrects `.git/config` as well. */
const GIT = /^\.git\/(hooks|config|config\.worktree|info\/attributes)(\/|$)/;
/** In the CLI's folder; its transcripts and what it keeps for itself are not among them. */
const CLI =
  /^((claude|agents)(\.local)?\.md|\.mcp\.json|settings[^/]*\.json|keybindings\.json|rules|skills|agents|commands|output-styles|hooks|plugins|workflows|agent-memory)(\/|$)|^projects\/[^/]+\/memory(\/|$)/i;
/** Read by shells and by git at every start. */
const HOME =
  /^(\.claude|\.claude\.json|(claude|agents)\.md|\.bashrc|\.bash_profile|\.bash_login|\.bash_aliases|\.profile|\.zshrc|\.zshenv|\.zprofile|\.zlogin|\.inputrc|\.gitconfig|\.config\/(git|claude|fish))(\/|$)/i;

const OF: Record<Root, RegExp> = {
  checkout: new RegExp(`${INSTRUCTIONS.source}|${GIT.source}`, 'i'),
  cli: CLI,
  home: HOME,
};

/** `path`: relative to the root, without a leading slash. */
export function steers(root: Root, path: string): boolean {
  return OF[root].test(path);
}

/** Instructions of a repository, as they stand in a commit. */
export function instructs(path: string): boolean {
  return INSTRUCTIONS.test(path);
}

/** A file of instructions can import others: `@path`. */
export function isImporting(path: string): boolean {
  return /\.md$/i.test(path);
}

/**
 * What `@` may name in a text, relative to its file. Every reading counts (with and without an anchor, punctuation and
 * escapes), because a file that is put back needlessly costs nothing.
 */
export function importsOf(text: string): string[] {
  const names = new Set<string>();
  for (const [, raw = ''] of text.matchAll(/@((?:\\.|[^\s\\]){1,1000})/g)) {
    const name = raw.replace(/\\(.)/g, '$1');
    for (const form of [name, name.split('#')[0]!]) {
      names.add(form);
      names.add(form.replace(/[)\]}>'"`*_.,;:!?]+$/, ''));
    }
  }
  names.delete('');
  return [...names].filter((name) => !name.includes('\0'));
}

/** In the CLI's folder: what is mounted read-only for a marked run, and made first where it is missing. */
export const CLI_FOLDERS = [
  'rules',
  'skills',
  'agents',
  'commands',
  'output-styles',
  'hooks',
  'agent-memory',
];
export const CLI_FILES: Readonly<Record<string, string>> = {
  'CLAUDE.md': '',
  'settings.json': '{}\n',
  'settings.local.json': '{}\n',
};
