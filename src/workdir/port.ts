/**
 * The working folders: one bare mirror per repository, one checkout per conversation.
 *
 * Contract:
 * - Order: `prepare` → the agent works → `inspect`, `changedFiles`, `push` → … → `remove`. No agent process of the
 *   conversation may run during `prepare`: it removes lock files that a killed git left behind.
 * - Calls may run at once. Calls about one conversation wait for each other; so do those that touch one mirror.
 * - One service owns the folder, and somebody attached may use it beside: a mirror has a kernel lock. What is one
 *   conversation's needs none, because whoever works on it has its lease.
 * - `prepare` is idempotent and never discards work: uncommitted files, commits and operations in progress stay on a
 *   branch, and are put aside at a pull request, which is checked out exactly; a checkout git cannot read is moved aside.
 * - After a crash at any point `prepare` works: mirrors and checkouts are built beside their place, then renamed.
 * - Errors: GitFailed. `transient` = the remote could not be reached. Hostile or impossible names are GitFailed too.
 */

/** Where the forge keeps the repository. */
export interface Remote {
  /** clone URL: http(s), `file://` or an absolute path */
  url: string;
  /** of the account that fetches or pushes; null = anonymous */
  token: string | null;
}

export type CheckoutPoint =
  /** on `branch`; made from `base` when neither the checkout nor the forge has it */
  | {
      kind: 'branch';
      branch: string;
      base: string;
      /** names to take instead, in this order, where a branch of the forge makes the first one impossible */
      otherwise?: readonly string[];
    }
  /**
   * detached at `sha`, the head of a pull request into `base` (the default branch when not given); `ref` is the forge's
   * name for that head, and the checkout uses the same name
   */
  | { kind: 'pull'; number: number; ref: string; sha: string; base?: string };

export interface CheckoutSpec {
  /** a UUID */
  conversation: string;
  /** `id` is the key, `fullName` only names the folder */
  repository: { id: string; fullName: string };
  remote: Remote;
  defaultBranch: string;
  at: CheckoutPoint;
  /** who commits: the checkout's `user.name` and `user.email` */
  identity: { name: string; email: string };
  /**
   * where the agent will see the relay; it is written into the checkout's git configuration. null = its place on this
   * machine, for an engine that does not isolate
   */
  relay: RelayPaths | null;
  /** true: `CLAUDE.md`, `.claude/` and MCP files stand in the checkout as the base branch has them */
  configurationFromBase: boolean;
  /** commits are signed by the relay's `sign` program */
  sign: boolean;
  /** whether Git LFS contents replace their pointers, and up to which size; not given = they do not */
  lfs?: { fetch: boolean; maxBytes: number };
  /** not given = no submodule is placed, and the notes name them */
  submodules?: SubmoduleRule;
}

/** Which submodules are placed in a checkout. */
export interface SubmoduleRule {
  /** addresses of the forge: a URL in `.gitmodules` below one of them belongs to the same forge */
  addresses: readonly string[];
  /** null = the operator did not list this repository */
  remoteOf(fullName: string): Remote | null;
}

/**
 * The relay: how git inside the container reaches the worker, without a network or a credential. Paths are those that
 * the agent sees. Below `root` are `push.git` and `outbox`, which the agent may write, and `answers` and `programs`,
 * which it may read.
 */
export interface RelayPaths {
  root: string;
  /** bare repository to fetch from, read-only */
  origin: string;
}

/** The same on this machine. */
export interface RelayFolders {
  /** made anew by each `prepare`; `incoming` below it belongs to the worker and is never mounted */
  root: string;
  /** the mirror */
  origin: string;
}

export interface Checkout {
  conversation: string;
  repositoryId: string;
  /** absolute; the same for the whole life of the conversation, also after the repository was renamed */
  path: string;
  /** the branch HEAD is on, null when detached */
  branch: string | null;
  headSha: string;
  /** the branch that the work is for, one of the names asked for; null at a pull request's head */
  workBranch: string | null;
  /** head of the base branch on the forge, as of this `prepare` */
  baseSha: string;
  /** sentences for the prompt: what the agent should know about the state of the checkout */
  notes: string[];
  /**
   * where configuration comes from the base: the only files that may instruct the agent, as relative paths; otherwise
   * null
   */
  instructions: string[] | null;
  /** true when the folder was made by this call */
  created: boolean;
  relay: RelayFolders;
}

export interface Inspection {
  /** '' on a branch without a commit */
  headSha: string;
  branch: string | null;
  /** modified, staged and untracked files, relative to the checkout; ignored ones are not listed */
  dirtyFiles: string[];
  /** commits of HEAD that the base did not have at the last `prepare` */
  commitsAheadOfBase: number;
}

/** Work in the checkout that no branch of the forge has. */
export interface Unpublished {
  /** modified, staged and untracked files, without those that differed right after git made the checkout */
  dirtyFiles: string[];
  /** number of unpublished commits for each branch of the checkout; null = HEAD without a branch */
  branches: { name: string | null; commits: number }[];
}

export interface PushRequest {
  remote: Remote;
  /** the branch on the forge */
  branch: string;
  /**
   * refuse unless the forge's branch is at exactly this commit; null = it must not exist; undefined = it may be
   * anywhere
   */
  expectedRemoteSha?: string | null;
  /**
   * the commit at which the work began: what that one already has is not new in this run; not given = not known
   */
  began?: string | null;
  /** decides before anything is sent; when not given, everything that git accepts is sent */
  check?: PushCheck;
}

export interface PushCheck {
  /** branch that the work is for: whatever differs from it is the agent's work */
  base: string;
  /** whether a link at this path is followed: what it leads to is checked as if it stood there */
  isWatched(path: string): boolean;
  /** null = go on */
  refuse(facts: PushFacts): Refusal | null;
  /** the most that the contents of one push may take in Git LFS */
  maxLfsBytes: number;
}

/**
 * Why a push is refused, in two halves: people read the first one, the second is useful only to the agent.
 */
export interface Refusal {
  /** a sentence that says what is not allowed */
  what: string;
  /** sentences for the agent: what to do about it */
  todo: string;
}

/** The facts about a push, without a judgement. */
export interface PushFacts {
  branch: string;
  sha: string;
  /**
   * head of the branch on the forge, null = no such branch; the last known one while the forge cannot be reached
   */
  remoteSha: string | null;
  reachable: boolean;
  /** the forge's head of this branch as last shown to the agent; undefined = not known */
  seen: string | null | undefined;
  /** also true for a new branch */
  fastForward: boolean;
  /** size of the new objects on the disk */
  bytes: number;
  /** commits that no branch, tag or pull request of the forge has */
  commits: { sha: string; committer: { name: string; email: string } }[];
  /**
   * messages of commits that no branch or tag of the forge has. Commits of pull requests count as new here, because
   * anybody may open one
   */
  messages: { sha: string; encoding: string; text: string }[];
  /** paths that differ from all three: the base, the commit where the work left it, and the forge's branch */
  changedFiles: string[];
  /** symbolic links at watched paths of the pushed tree, and their targets as written */
  links: { path: string; target: string }[];
  /** the addresses in a changed `.gitmodules` */
  submoduleUrls: string[];
}

/** A push that an agent handed over; it is looked at in a quarantine, and then sent. */
export interface HandedOver {
  remote: Remote;
  branch: string;
  sha: string;
  /** a file that only the worker writes; null = the agent sent no object */
  pack: string | null;
  maxBytes: number;
  seen: string | null;
  check: PushCheck;
  /** true: while the forge is down, the commits are kept for the conversation's next `push` */
  keep: boolean;
}

export type ReceiveOutcome =
  | { kind: 'pushed'; sha: string; forced: boolean }
  | { kind: 'up-to-date'; sha: string }
  /** the forge is down; the conversation's next `push` sends it */
  | { kind: 'kept'; sha: string; why: string }
  | { kind: 'rejected'; reason: string };

export type PushOutcome =
  | { kind: 'pushed'; sha: string }
  /**
   * the forge already has every commit; `sha` is its head; `news`: some of them are newer than the commit where the
   * work began
   */
  | { kind: 'up-to-date'; sha: string; news: boolean }
  /** no commits beyond the base */
  | { kind: 'nothing' }
  /** `reason` is for the agent and the log; `remoteSha` is null when the forge has no such branch */
  | { kind: 'rejected'; reason: string; why: PushRejection; remoteSha: string | null };

/** Why a push was rejected, in a form that people may be told. */
export type PushRejection =
  /** the forge has commits that the checkout does not */
  | { kind: 'behind' }
  /** git does not accept the commits themselves */
  | { kind: 'objects' }
  /** a rule of this installation refuses it; `what` is a sentence of ours */
  | { kind: 'rules'; what: string }
  /** a branch protection, or a hook of the forge */
  | { kind: 'protected' | 'hook' }
  /** the forge refuses it, with these words */
  | { kind: 'forge' };

export interface WorkdirOptions {
  /** absolute; `mirrors`, `checkouts`, `control`, `relays` and `quarantine` are made below it */
  folder: string;
  log?: (message: string, fields: Record<string, unknown>) => void;
  /** time limit for one git command, in milliseconds; 10 minutes when not given */
  gitTimeoutMs?: number;
  /** the worker's environment; only PATH and the variables that name certificates are taken from it */
  env?: Record<string, string | undefined>;
  /** not given = no proxy, and the system's certificates are trusted */
  network?: WorkdirNetwork;
}

/** How git and Git LFS reach the network. */
export interface WorkdirNetwork {
  /** the proxy's address with user and password; null: no proxy */
  proxyFor(address: string): string | null;
  /** trusted certificates in PEM form; '' = those of the system */
  authorities: string;
  fetch: typeof fetch;
}

export interface Workdir {
  prepare(spec: CheckoutSpec): Promise<Checkout>;
  inspect(checkout: CheckoutHandle): Promise<Inspection>;
  /**
   * Never forced. Pushes the checkout's branch. Where HEAD (detached, or on a branch of the agent's own) continues that
   * branch with commits which the forge does not have, HEAD is pushed.
   */
  push(checkout: CheckoutHandle, request: PushRequest): Promise<PushOutcome>;
  /**
   * Takes a handed-over push through index-pack, fsck and `check`, then sends it; contents that it names in Git LFS are
   * sent first. It is forced only where `check` allows a push that is no fast-forward, and then only over the head that
   * `check` was told of. Anything wrong with what the agent sent is `rejected`; GitFailed means that this machine, the
   * mirror or the credential failed.
   */
  receive(checkout: CheckoutHandle, push: HandedOver): Promise<ReceiveOutcome>;
  /** Brings the mirror up to date; answers the head of `branch` in it. */
  refresh(checkout: CheckoutHandle, at: { remote: Remote; branch: string }): Promise<string | null>;
  /** The head of `branch` in the mirror, without asking the forge. */
  knownHead(checkout: CheckoutHandle, at: { remote: Remote; branch: string }): Promise<string | null>;
  /** Work in the checkout that was not published. `since`: unix ms, older commits are left out. */
  unpublished(
    checkout: CheckoutHandle,
    of: { published: string | null; since: number },
  ): Promise<Unpublished>;
  /** Files that differ from `sinceSha` now: committed, uncommitted and untracked; sorted, relative paths. */
  changedFiles(checkout: CheckoutHandle, sinceSha: string): Promise<string[]>;
  /**
   * Those of these files that some branch of the forge has with exactly this content (named by its blob id), as of the
   * last fetch.
   */
  onForge(conversation: string, files: readonly { path: string; blob: string }[]): Promise<Set<string>>;
  /**
   * Files of a commit whose path is wanted, with their texts, from the mirror alone; nothing of the checkout is read.
   * null = the mirror does not have the commit.
   */
  filesNamed(
    checkout: CheckoutHandle,
    at: { remote: Remote; sha: string },
    isWanted: (path: string) => boolean,
  ): Promise<NamedFile[] | null>;
  /**
   * Files of a commit that the mirror has, by path; of `texts` with their content. Nothing of the checkout is read.
   */
  baseFiles(checkout: CheckoutHandle, at: BasePoint, of: BaseQuestion): Promise<Map<string, BaseFile>>;
  /** Those of these paths that the commit, or the checkout's index, has as a file or with files below. */
  tracked(checkout: CheckoutHandle, at: BasePoint, paths: readonly string[]): Promise<string[]>;
  /** Writes the commit's files into `folder`, which is emptied first: without history, submodules or Git LFS. */
  layOut(checkout: CheckoutHandle, at: BasePoint, folder: string): Promise<void>;
  /** Has the agent's git overlook these paths of the checkout, in place of those of the last call. */
  overlook(checkout: CheckoutHandle, paths: readonly string[]): Promise<void>;
  /** Deletes the checkout, what was moved aside for it, and its ref in the mirror. Idempotent. */
  remove(conversation: string): Promise<void>;
}

export interface NamedFile {
  path: string;
  text: string;
}

/** A commit of a branch of the forge, in the mirror of the checkout's repository. */
export interface BasePoint {
  remote: Remote;
  sha: string;
}

export interface BaseFile {
  /** git's name of its content */
  blob: string;
  /** null = not asked for, no plain file, or too large to be read */
  text: string | null;
}

export interface BaseQuestion {
  paths: readonly string[];
  /** those of `paths` whose content is wanted */
  texts: readonly string[];
}

/** The part of a `Checkout` that later calls need. */
export type CheckoutHandle = Pick<Checkout, 'conversation' | 'repositoryId' | 'path' | 'branch' | 'baseSha'>;
