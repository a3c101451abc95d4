/**
 * The working folders: one bare mirror per repository, one checkout per conversation.
 *
 * Contract:
 * - Order: `prepare` → the agent works → `inspect`, `changedFiles`, `push` → … → `remove`. No agent process of the
 *   conversation may run during `prepare`: it removes lock files that a killed git left behind.
 * - Calls may run at once. Calls about one conversation wait for each other; so do those that touch one mirror.
 * - One service owns the folder: the locks are in this process only.
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
      /** names to take instead, in order, where the forge can have no such branch beside those it has */
      otherwise?: readonly string[];
    }
  /**
   * detached at `sha`, the head of a pull request into `base` (the default branch when not given); `ref` is what the
   * forge calls that head, and so does the checkout
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
  /** who commits: `user.name` and `user.email` of the checkout */
  identity: { name: string; email: string };
  /**
   * where the agent will see the relay; it goes into the checkout's own git configuration. null = where it is on this
   * machine, for an engine that does not isolate
   */
  relay: RelayPaths | null;
  /** true: `CLAUDE.md`, `.claude/` and MCP files stand in the checkout as the base branch has them */
  configurationFromBase: boolean;
  /** commits are signed through the relay's `sign` program */
  sign: boolean;
  /** whether contents in Git LFS are put in place of their pointers, and how much; not given = no */
  lfs?: { fetch: boolean; maxBytes: number };
  /** not given = none are placed, and the notes name them */
  submodules?: SubmoduleRule;
}

/** Which submodules stand in a checkout. */
export interface SubmoduleRule {
  /** addresses of the forge: what `.gitmodules` names below one of them is of the same forge */
  addresses: readonly string[];
  /** null = the operator did not list this repository */
  remoteOf(fullName: string): Remote | null;
}

/**
 * The relay: how git inside the container reaches the worker, without a network or a credential. Paths as the agent
 * sees them; below `root` are `push.git` (its own to write), `outbox` (its own to write), `answers` and `programs`
 * (to read).
 */
export interface RelayPaths {
  root: string;
  /** bare repository to fetch from, to read */
  origin: string;
}

/** The same on this machine. */
export interface RelayFolders {
  /** made anew by each `prepare`; `incoming` below it is the worker's own and never mounted */
  root: string;
  /** the mirror */
  origin: string;
}

export interface Checkout {
  conversation: string;
  repositoryId: string;
  /** absolute; the same for the whole life of the conversation, renamed repositories included */
  path: string;
  /** the branch HEAD is on, null when detached */
  branch: string | null;
  headSha: string;
  /** the branch that the work is for, of the names that were asked for; null at a pull request's head */
  workBranch: string | null;
  /** head of the base branch on the forge, as of this `prepare` */
  baseSha: string;
  /** whole sentences for the prompt: what the agent should know about the state it finds */
  notes: string[];
  /** with the configuration from the base: the only files that may instruct the agent, relative paths; else null */
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

/** What the forge has of none of its branches. */
export interface Unpublished {
  /** modified, staged and untracked files, but not those that differed right after git made the checkout */
  dirtyFiles: string[];
  /** commits that are not published, by branch of the checkout; null = HEAD without a branch */
  branches: { name: string | null; commits: number }[];
}

export interface PushRequest {
  remote: Remote;
  /** the branch on the forge */
  branch: string;
  /** refuse unless the forge's branch is exactly here; null = must not exist; undefined = anywhere */
  expectedRemoteSha?: string | null;
  /** where the work began: what is in it already is no news of this run; not given = not known */
  began?: string | null;
  /** asked before anything is sent; without it everything that git accepts is */
  check?: PushCheck;
}

export interface PushCheck {
  /** branch that the work is for: what differs from it is the agent's */
  base: string;
  /** whether a link at this path is to be looked into: what it leads to is read as if it stood there */
  isWatched(path: string): boolean;
  /** null = go on */
  refuse(facts: PushFacts): Refusal | null;
  /** what the contents that a push sends to Git LFS may take together */
  maxLfsBytes: number;
}

/** Why something does not leave, in two halves: people are told the first, and only the agent can use the second. */
export interface Refusal {
  /** a sentence that says what is not allowed */
  what: string;
  /** sentences for the agent: what to do about it */
  todo: string;
}

/** What a push would do to the forge, told without judging it. */
export interface PushFacts {
  branch: string;
  sha: string;
  /** head of the branch on the forge, null = no such branch; the last known one while the forge is not reachable */
  remoteSha: string | null;
  reachable: boolean;
  /** the branch's head on the forge that the agent has been shown; undefined = not known */
  seen: string | null | undefined;
  /** true as well where the branch is new */
  fastForward: boolean;
  /** what the new objects take on the disk */
  bytes: number;
  /** commits that no branch, tag or pull request of the forge has */
  commits: { sha: string; committer: { name: string; email: string } }[];
  /** what commits say that no branch or tag of the forge has: those of pull requests, too, which anybody may open */
  messages: { sha: string; encoding: string; text: string }[];
  /** paths that are neither as in the base, nor as where the work left it, nor as on the forge's branch already */
  changedFiles: string[];
  /** symbolic links at watched paths of the pushed tree, with what they name as it is written there */
  links: { path: string; target: string }[];
  /** what a changed `.gitmodules` names */
  submoduleUrls: string[];
}

/** A push that an agent handed over, to be looked at in a quarantine and then sent. */
export interface HandedOver {
  remote: Remote;
  branch: string;
  sha: string;
  /** a file of the worker's own; null = the agent sent no object */
  pack: string | null;
  maxBytes: number;
  seen: string | null;
  check: PushCheck;
  /** true: while the forge is down the commits are kept for the conversation's next `push` */
  keep: boolean;
}

export type ReceiveOutcome =
  | { kind: 'pushed'; sha: string; forced: boolean }
  | { kind: 'up-to-date'; sha: string }
  /** the forge is down; the next `push` of the conversation sends it */
  | { kind: 'kept'; sha: string; why: string }
  | { kind: 'rejected'; reason: string };

export type PushOutcome =
  | { kind: 'pushed'; sha: string }
  /** the forge has every commit already; `sha` is its head; `news`: some of them are not in what the work began from */
  | { kind: 'up-to-date'; sha: string; news: boolean }
  /** no commits beyond the base */
  | { kind: 'nothing' }
  /** `reason` is for the agent and the log; `remoteSha` is null when the forge has no such branch */
  | { kind: 'rejected'; reason: string; why: PushRejection; remoteSha: string | null };

/** Why a push was rejected, as far as people can be told. */
export type PushRejection =
  /** the forge has commits that the checkout does not */
  | { kind: 'behind' }
  /** git does not accept the commits themselves */
  | { kind: 'objects' }
  /** rules of this installation; `what` is a sentence of ours */
  | { kind: 'rules'; what: string }
  /** a branch protection, or a hook of the forge */
  | { kind: 'protected' | 'hook' }
  /** the forge, by whatever it said */
  | { kind: 'forge' };

export interface WorkdirOptions {
  /** absolute; `mirrors`, `checkouts`, `control`, `relays` and `quarantine` are made below it */
  folder: string;
  log?: (message: string, fields: Record<string, unknown>) => void;
  /** limit for one git command, milliseconds; 10 minutes when not given */
  gitTimeoutMs?: number;
  /** the worker's environment; only PATH and where certificates are kept are taken from it */
  env?: Record<string, string | undefined>;
  /** not given = directly, and trusting what the system trusts */
  network?: WorkdirNetwork;
}

/** How git and Git LFS leave this machine. */
export interface WorkdirNetwork {
  /** the proxy's address with user and password, or null: directly */
  proxyFor(address: string): string | null;
  /** certificates in PEM form that are trusted; '' = those of the system */
  authorities: string;
  fetch: typeof fetch;
}

export interface Workdir {
  prepare(spec: CheckoutSpec): Promise<Checkout>;
  inspect(checkout: CheckoutHandle): Promise<Inspection>;
  /**
   * Never forced. What is pushed is the checkout's branch, or HEAD where that goes on from it with commits which the
   * forge does not have: on a branch of the agent's own, or without one.
   */
  push(checkout: CheckoutHandle, request: PushRequest): Promise<PushOutcome>;
  /**
   * Takes a handed-over push through index-pack, fsck and `check`, then sends it, what it names in Git LFS first.
   * Forced only where `check` lets something pass that is no fast-forward, and then only over the head it was told of.
   * Whatever is wrong with what the agent sent is `rejected`; GitFailed means that this machine, the mirror or the credential failed.
   */
  receive(checkout: CheckoutHandle, push: HandedOver): Promise<ReceiveOutcome>;
  /** Brings the mirror up to date; answers the head of `branch` in it. */
  refresh(checkout: CheckoutHandle, at: { remote: Remote; branch: string }): Promise<string | null>;
  /** The head of `branch` in the mirror as it stands. */
  knownHead(checkout: CheckoutHandle, at: { remote: Remote; branch: string }): Promise<string | null>;
  /** What is in the checkout and was not published. `since`: unix ms, older commits are left out. */
  unpublished(
    checkout: CheckoutHandle,
    of: { published: string | null; since: number },
  ): Promise<Unpublished>;
  /** Files that differ from `sinceSha` now: committed, uncommitted and untracked; sorted, relative paths. */
  changedFiles(checkout: CheckoutHandle, sinceSha: string): Promise<string[]>;
  /** Which of these files some branch of the forge has with this very content (git's name of it), as of the last fetch. */
  onForge(conversation: string, files: readonly { path: string; blob: string }[]): Promise<Set<string>>;
  /** Deletes the checkout, what was moved aside for it, and its ref in the mirror. Idempotent. */
  remove(conversation: string): Promise<void>;
}

/** As much of a `Checkout` as the later calls need. */
export type CheckoutHandle = Pick<Checkout, 'conversation' | 'repositoryId' | 'path' | 'branch' | 'baseSha'>;
