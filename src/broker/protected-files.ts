/**
 * Files that run code, or decide something, outside of the container: on the forge, in CI, in another robot, on the
 * machine of whoever checks the branch out. An agent does not push changes of them. One list, a reason for each; it is
 * printed in docs/protected-files.md. Pure.
 */

export interface ProtectedFile {
  /** `*` is anything within a name, a leading `**` + `/` any folder, a `/` at the end all that is in the folder */
  pattern: string;
  /** `ci` is what an agent with `workflow_files` may push */
  group: 'ci' | 'robots' | 'review' | 'machines' | 'agents' | 'git';
  /** what it is, and what it does: goes on "x is …" */
  is: string;
}

const WORKFLOW = 'a workflow file, which the forge runs with its secrets';
const ACTION = 'an action that workflows run with the secrets of the forge';
const PIPELINE = 'a pipeline file, which a CI service runs with its secrets';
const DEPLOYMENT = 'a deployment file, whose commands a hosting service runs with its secrets';
const ROBOT = 'a file that directs another robot, which has rights of its own';
const REVIEWERS = 'a file that says who must review what';
const HOOK = "a hook, which runs on people's machines when they commit";
const WORKSPACE = "a file from which editors and shells run commands on people's machines";
const AGENT = 'a settings file of coding agents, from which they start programs';

function group(name: ProtectedFile['group'], is: string, patterns: string): ProtectedFile[] {
  return patterns.split(' ').map((pattern) => ({ pattern, group: name, is }));
}

export const PROTECTED_FILES: readonly ProtectedFile[] = [
  ...group('ci', WORKFLOW, '.forgejo/workflows/ .gitea/workflows/ .github/workflows/'),
  ...group('ci', ACTION, '.forgejo/actions/ .gitea/actions/ .github/actions/'),
  ...group(
    'ci',
    PIPELINE,
    '.woodpecker* .woodpecker/ .crow* .crow/ .drone.* .drone/ .gitlab-ci* .gitlab/ci/',
  ),
  ...group(
    'ci',
    PIPELINE,
    '**/Jenkinsfile* .circleci/ .builds/ .build.yml .travis.yml .cirrus.* .buildkite/',
  ),
  ...group(
    'ci',
    PIPELINE,
    'azure-pipelines* .azure-pipelines* .azure-pipelines/ .azuredevops/ .appveyor.yml',
  ),
  ...group('ci', PIPELINE, 'appveyor.yml bitbucket-pipelines.yml .semaphore/ .teamcity/ .tekton/ .harness/'),
  ...group('ci', PIPELINE, 'cloudbuild.y*ml buildspec.y*ml codemagic.yaml wercker.yml screwdriver.yaml'),
  ...group('ci', PIPELINE, '.zuul.yaml .zuul.d/ zuul.yaml zuul.d/ .prow.yaml .prow/ .readthedocs.y*ml'),
  ...group('ci', DEPLOYMENT, 'netlify.toml vercel.json render.yaml .do/'),
  ...group('robots', ROBOT, '.github/dependabot.y*ml renovate.json* .renovaterc* .github/renovate.json*'),
  ...group('robots', ROBOT, '.forgejo/renovate.json* .gitea/renovate.json* .gitlab/renovate.json*'),
  ...group(
    'robots',
    ROBOT,
    '.mergify.yml .mergify/ .github/mergify.yml bors.toml .kodiak.toml .github/.kodiak.toml',
  ),
  ...group('robots', ROBOT, '.bulldozer.yml .policy.yml atlantis.yaml .github/settings.yml .asf.yaml'),
  ...group(
    'robots',
    'a template for the messages of merges, in which a word closes issues',
    '.forgejo/default_merge_message/ .gitea/default_merge_message/',
  ),
  ...group('review', REVIEWERS, 'CODEOWNERS docs/CODEOWNERS .forgejo/CODEOWNERS .gitea/CODEOWNERS'),
  ...group('review', REVIEWERS, '.github/CODEOWNERS .gitlab/CODEOWNERS **/OWNERS OWNERS_ALIASES'),
  ...group(
    'machines',
    HOOK,
    '.pre-commit-config.yaml .pre-commit-hooks.yaml .husky/ .githooks/ .overcommit.yml',
  ),
  ...group('machines', HOOK, 'lefthook.* .lefthook.* lefthook-local.* .lefthook/ .lintstagedrc* .huskyrc*'),
  ...group(
    'machines',
    WORKSPACE,
    '.devcontainer/ .devcontainer.json .gitpod.yml .idea/ **/.envrc .exrc .nvim.lua',
  ),
  ...group('machines', WORKSPACE, '**/.vscode/tasks.json **/.vscode/settings.json **/.vscode/launch.json'),
  ...group('agents', AGENT, '**/.claude/settings*.json **/.claude/hooks/ **/.mcp.json **/.vscode/mcp.json'),
  ...group(
    'agents',
    AGENT,
    '**/.cursor/mcp.json **/.gemini/settings.json **/.codex/config.toml .aider.conf.yml',
  ),
  ...group(
    'git',
    'a file of git attributes: it can hide changes from reviewers, and names programs for git to run',
    '**/.gitattributes',
  ),
  ...group(
    'git',
    'the file of submodules: it fetches code from elsewhere wherever this is cloned',
    '.gitmodules',
  ),
  ...group('git', 'the settings of Git LFS: they say where credentials are sent', '**/.lfsconfig'),
];

export interface Protection {
  /** patterns besides the list */
  add: readonly string[];
  /** patterns of what may be pushed although it is protected */
  allow: readonly string[];
  /** the agent may push what is in the group `ci` */
  workflowFiles: boolean;
}

/** What a path is, when it is protected; null when it may be pushed. */
export function protectionOf(path: string, protection: Protection): string | null {
  const name = comparable(path);
  if (protection.allow.some((pattern) => compiled(pattern).itself.test(name))) return null;
  for (const { pattern, group: of, is } of PROTECTED_FILES) {
    if (of === 'ci' && protection.workflowFiles) continue;
    if (covers(pattern, name)) return is;
  }
  return protection.add.some((pattern) => covers(pattern, name))
    ? 'listed in git.protected_files by the operator'
    : null;
}

/**
 * The path itself, or a folder on the way to it: a changed path is never a folder, but a link or a submodule that takes
 * the folder's place.
 */
function covers(pattern: string, name: string): boolean {
  const { itself, onTheWay } = compiled(pattern);
  // guard: push: links in the place of folders
  return itself.test(name) || onTheWay.some((folder) => folder.test(name));
}

interface Compiled {
  itself: RegExp;
  onTheWay: readonly RegExp[];
}

const known = new Map<string, Compiled>();

function compiled(pattern: string): Compiled {
  const found = known.get(pattern);
  if (found !== undefined) return found;
  const anywhere = pattern.startsWith('**/');
  const path = comparable(anywhere ? pattern.slice(3) : pattern);
  const folder = pattern.endsWith('/');
  const names = path.split('/');
  const begin = anywhere ? '^(?:.*/)?' : '^';
  const body = (count: number) =>
    names
      .slice(0, count)
      .map((name) => name.split('*').map(escaped).join('[^/]*'))
      .join('/');
  const made: Compiled = {
    itself: new RegExp(`${begin}${body(names.length)}${folder ? '(?:/.*)?' : ''}$`, 'su'),
    onTheWay: names.slice(1).map((_, n) => new RegExp(`${begin}${body(n + 1)}$`, 'su')),
  };
  known.set(pattern, made);
  return made;
}

/**
 * Names as the least particular file system sees them: upper and lower case, composed or not, with characters that
 * macOS ignores and dots and spaces at the end that Windows drops.
 */
function comparable(path: string): string {
  return path
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g, '')
    .split('/')
    .map((name) => name.replace(/[. ]+$/, ''))
    .filter((name) => name !== '')
    .join('/');
}

function escaped(name: string): string {
  return name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** The changed file that a link at a protected path leads to, and the link; null when there is none. */
export function throughLink(
  changed: readonly string[],
  links: readonly { path: string; target: string }[],
): { path: string; link: string } | null {
  for (const { path: link, target } of links) {
    const leadsTo = resolved(link, target);
    if (leadsTo === null) continue;
    const path = changed.find((one) => leadsTo === '' || one === leadsTo || one.startsWith(`${leadsTo}/`));
    if (path !== undefined) return { path, link };
  }
  return null;
}

/** null where it leads out of the repository. */
function resolved(link: string, target: string): string | null {
  if (target.startsWith('/')) return null;
  const names = link.split('/').slice(0, -1);
  for (const name of target.split('/')) {
    if (name === '..' && names.pop() === undefined) return null;
    if (name !== '..' && name !== '.' && name !== '') names.push(name);
  }
  return names.join('/');
}
